// SPDX-License-Identifier: Apache-2.0
//
// Owns the table of flags and Go's rules for reading them.
#include "server/flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/assert.hpp"
#include "broker/session.hpp"
#include "server/config_scalars.hpp"

namespace martlet::server {

enum class FlagKind { boolean, integer, text };

/// One name of a flag. `apply` is null for what steers the program itself and for what comes later.
struct FlagDescription {
  std::string_view name;
  FlagKind kind;
  void (*apply)(Options& options, const FlagValue& value);
  std::string_view missing;  // For a flag that comes later: what this version lacks.
};

namespace {

constexpr int32_t default_port = 4222;

int32_t as_port(int64_t port) {
  // Out of range stays out of range: check_options refuses it by name.
  return static_cast<int32_t>(std::clamp<int64_t>(port, std::numeric_limits<int32_t>::min(),
                                                  std::numeric_limits<int32_t>::max()));
}

void set_host(Options& options, const FlagValue& value) {
  options.host = value.text.empty() ? Options{}.host : value.text;
}
void set_port(Options& options, const FlagValue& value) {
  options.port = value.integer == 0 ? default_port : as_port(value.integer);
}
void set_name(Options& options, const FlagValue& value) { options.server_name = value.text; }
void set_advertise(Options& options, const FlagValue& value) {
  options.client_advertise = value.text;
}
void set_debug(Options& options, const FlagValue& value) { options.debug = value.boolean; }
void set_trace(Options& options, const FlagValue& value) { options.trace = value.boolean; }
void set_debug_and_trace(Options& options, const FlagValue& value) {
  options.debug = options.trace = value.boolean;
}
void set_verbose_trace(Options& options, const FlagValue& value) {
  options.trace = options.trace_verbose = value.boolean;
}
void set_debug_and_verbose_trace(Options& options, const FlagValue& value) {
  options.debug = options.trace = options.trace_verbose = value.boolean;
}
void set_logtime(Options& options, const FlagValue& value) { options.logtime = value.boolean; }
void set_logtime_utc(Options& options, const FlagValue& value) {
  options.logtime_utc = value.boolean;
}
void set_user(Options& options, const FlagValue& value) { options.auth.user = value.text; }
void set_password(Options& options, const FlagValue& value) { options.auth.password = value.text; }
void set_token(Options& options, const FlagValue& value) { options.auth.token = value.text; }
void set_http_port(Options& options, const FlagValue& value) {
  options.http_port = as_port(value.integer);
}
void set_pid_file(Options& options, const FlagValue& value) { options.pid_file = value.text; }
void set_ports_file_dir(Options& options, const FlagValue& value) {
  options.ports_file_dir = value.text;
}
void set_log_file(Options& options, const FlagValue& value) { options.log_file = value.text; }
void set_log_size_limit(Options& options, const FlagValue& value) {
  options.logfile_size_limit = value.integer;
}
void set_syslog(Options& options, const FlagValue& value) { options.syslog = value.boolean; }
void set_remote_syslog(Options& options, const FlagValue& value) {
  options.remote_syslog = value.text;
}
void set_max_traced(Options& options, const FlagValue& value) {
  options.max_traced_msg_len = value.integer;
}

constexpr FlagDescription flags_known[] = {
    {"a", FlagKind::text, set_host, {}},
    {"addr", FlagKind::text, set_host, {}},
    {"net", FlagKind::text, set_host, {}},
    {"p", FlagKind::integer, set_port, {}},
    {"port", FlagKind::integer, set_port, {}},
    {"n", FlagKind::text, set_name, {}},
    {"name", FlagKind::text, set_name, {}},
    {"server_name", FlagKind::text, set_name, {}},
    {"client_advertise", FlagKind::text, set_advertise, {}},
    {"P", FlagKind::text, set_pid_file, {}},
    {"pid", FlagKind::text, set_pid_file, {}},
    {"ports_file_dir", FlagKind::text, set_ports_file_dir, {}},
    {"m", FlagKind::integer, set_http_port, {}},
    {"http_port", FlagKind::integer, set_http_port, {}},
    {"l", FlagKind::text, set_log_file, {}},
    {"log", FlagKind::text, set_log_file, {}},
    {"log_size_limit", FlagKind::integer, set_log_size_limit, {}},
    {"T", FlagKind::boolean, set_logtime, {}},
    {"logtime", FlagKind::boolean, set_logtime, {}},
    {"logtime_utc", FlagKind::boolean, set_logtime_utc, {}},
    {"s", FlagKind::boolean, set_syslog, {}},
    {"syslog", FlagKind::boolean, set_syslog, {}},
    {"r", FlagKind::text, set_remote_syslog, {}},
    {"remote_syslog", FlagKind::text, set_remote_syslog, {}},
    {"D", FlagKind::boolean, set_debug, {}},
    {"debug", FlagKind::boolean, set_debug, {}},
    {"V", FlagKind::boolean, set_trace, {}},
    {"trace", FlagKind::boolean, set_trace, {}},
    {"DV", FlagKind::boolean, set_debug_and_trace, {}},
    {"DVV", FlagKind::boolean, set_debug_and_verbose_trace, {}},
    {"VV", FlagKind::boolean, set_verbose_trace, {}},
    {"max_traced_msg_len", FlagKind::integer, set_max_traced, {}},
    {"user", FlagKind::text, set_user, {}},
    {"pass", FlagKind::text, set_password, {}},
    {"auth", FlagKind::text, set_token, {}},
    {"c", FlagKind::text, nullptr, {}},
    {"config", FlagKind::text, nullptr, {}},
    {"t", FlagKind::boolean, nullptr, {}},
    {"sl", FlagKind::text, nullptr, {}},
    {"signal", FlagKind::text, nullptr, {}},
    {"h", FlagKind::boolean, nullptr, {}},
    {"help", FlagKind::boolean, nullptr, {}},
    {"v", FlagKind::boolean, nullptr, {}},
    {"version", FlagKind::boolean, nullptr, {}},
    {"help_tls", FlagKind::boolean, nullptr, {}},
    {"ms", FlagKind::integer, nullptr, "TLS"},
    {"https_port", FlagKind::integer, nullptr, "TLS"},
    {"tls", FlagKind::boolean, nullptr, "TLS"},
    {"tlsverify", FlagKind::boolean, nullptr, "TLS"},
    {"tlscert", FlagKind::text, nullptr, "TLS"},
    {"tlskey", FlagKind::text, nullptr, "TLS"},
    {"tlscacert", FlagKind::text, nullptr, "TLS"},
    {"js", FlagKind::boolean, nullptr, "JetStream"},
    {"jetstream", FlagKind::boolean, nullptr, "JetStream"},
    {"sd", FlagKind::text, nullptr, "JetStream"},
    {"store_dir", FlagKind::text, nullptr, "JetStream"},
    {"routes", FlagKind::text, nullptr, "clustering"},
    {"cluster", FlagKind::text, nullptr, "clustering"},
    {"cluster_listen", FlagKind::text, nullptr, "clustering"},
    {"cluster_name", FlagKind::text, nullptr, "clustering"},
    {"cluster_advertise", FlagKind::text, nullptr, "clustering"},
    {"no_advertise", FlagKind::boolean, nullptr, "clustering"},
    {"connect_retries", FlagKind::integer, nullptr, "clustering"},
    {"profile", FlagKind::integer, nullptr, "profiling port"},
};

const FlagDescription* find_flag(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(flags_known), std::end(flags_known),
                   [name](const FlagDescription& flag) { return flag.name == name; });
  return found == std::end(flags_known) ? nullptr : found;
}

std::optional<bool> parse_boolean(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

// Underscores may stand between digits and behind a base's prefix, and only where there is such a
// prefix.
bool remove_underscores(std::string& digits, bool has_prefix) {
  char before = has_prefix ? '0' : '_';
  for (const char character : digits) {
    if (character == '_' && before == '_') return false;
    before = character;
  }
  if (before == '_') return false;
  if (!has_prefix && digits.find('_') != std::string::npos) return false;
  std::erase(digits, '_');
  return true;
}

// As Go reads an integer of base zero: 17, 0x11, 0b10001, 0o21, 021, 1 sign. The error is Go's word
// for it.
std::string_view parse_integer(std::string_view text, int64_t& out) {
  constexpr std::string_view malformed = "parse error";
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  bool has_prefix = false;
  if (text.size() > 1 && text[0] == '0') {
    has_prefix = true;
    const char letter = static_cast<char>(text[1] | 0x20);
    base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    text.remove_prefix(letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1);
  }
  std::string digits(text);
  if (!remove_underscores(digits, has_prefix) || digits.empty()) return malformed;
  uint64_t magnitude = 0;
  const char* const end = digits.data() + digits.size();
  const std::from_chars_result read = std::from_chars(digits.data(), end, magnitude, base);
  if (read.ptr != end || read.ec == std::errc::invalid_argument) return malformed;
  const uint64_t limit =
      static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) + (negative ? 1 : 0);
  if (read.ec != std::errc() || magnitude > limit) return "value out of range";
  out = static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
  return {};
}

Status parse_value(const FlagDescription& flag, const std::string& text, FlagValue& out) {
  out.text = text;
  if (flag.kind == FlagKind::boolean) {
    const std::optional<bool> boolean = parse_boolean(text);
    if (!boolean) {
      return {
          ErrorCode::invalid_argument,
          fmt::format("invalid boolean value {} for -{}: parse error", go_quoted(text), flag.name)};
    }
    out.boolean = *boolean;
  } else if (flag.kind == FlagKind::integer) {
    const std::string_view wrong = parse_integer(text, out.integer);
    if (!wrong.empty()) {
      return {ErrorCode::invalid_argument,
              fmt::format("invalid value {} for flag -{}: {}", go_quoted(text), flag.name, wrong)};
    }
  }
  return {};
}

// Flags that steer the program itself.
void note_steering(std::string_view name, const FlagValue& value, ParsedFlags& flags) {
  if (name == "c" || name == "config") flags.config_file = value.text;
  if (name == "sl" || name == "signal") flags.signal = value.text;
  if (name == "t") flags.checks_config = value.boolean;
  if (name == "h" || name == "help") flags.shows_help = value.boolean;
  if (name == "v" || name == "version") flags.shows_version = value.boolean;
  if (name == "help_tls") flags.shows_tls_help = value.boolean;
}

// The word behind the flags: `version` and `help` are known.
Status note_words(ParsedFlags& flags) {
  if (flags.words.empty() || flags.shows_version || flags.shows_help || flags.shows_tls_help)
    return {};
  const std::string word = lower_case(flags.words[0]);
  flags.shows_version = word == "version";
  flags.shows_help = word == "help";
  if (flags.shows_version || flags.shows_help) return {};
  return {ErrorCode::unsupported,
          fmt::format("unrecognized command: {}", go_quoted(flags.words[0]))};
}

bool is_off(const ParsedFlags::Given& given) {
  return given.flag->kind == FlagKind::boolean && !given.value.boolean;
}

}  // namespace

Result<ParsedFlags> parse_flags(const std::vector<std::string>& arguments) {
  ParsedFlags flags;
  const auto refuse = [](std::string sentence) {
    return Error{ErrorCode::invalid_argument, std::move(sentence)};
  };
  size_t next = 0;
  while (next < arguments.size()) {
    const std::string& argument = arguments[next];
    if (argument.size() < 2 || argument[0] != '-') break;
    ++next;
    if (argument == "--") break;
    const size_t dashes = argument[1] == '-' ? 2 : 1;
    const std::string body = argument.substr(dashes);
    if (body.empty() || body[0] == '-' || body[0] == '=')
      return refuse("bad flag syntax: " + argument);
    const size_t equals = body.find('=');
    const std::string name = body.substr(0, equals);
    const FlagDescription* const flag = find_flag(name);
    if (flag == nullptr) return refuse("flag provided but not defined: -" + name);
    std::string text = "true";
    if (equals != std::string::npos) {
      text = body.substr(equals + 1);
    } else if (flag->kind != FlagKind::boolean) {
      if (next == arguments.size()) return refuse("flag needs an argument: -" + name);
      text = arguments[next++];
    }
    FlagValue value;
    Status status = parse_value(*flag, text, value);
    if (!status) return status.take_error();
    note_steering(name, value, flags);
    flags.given.push_back({flag, std::move(value)});
  }
  flags.words.assign(arguments.begin() + static_cast<std::ptrdiff_t>(next), arguments.end());
  Status status = note_words(flags);
  if (!status) return status.take_error();
  return flags;
}

Status check_later_flags(const ParsedFlags& flags) {
  for (const ParsedFlags::Given& given : flags.given) {
    if (given.flag->missing.empty() || is_off(given)) continue;
    return {ErrorCode::unsupported, fmt::format("flag -{} comes later: this version has no {}",
                                                given.flag->name, given.flag->missing)};
  }
  return {};
}

void apply_flags(const ParsedFlags& flags, Options& options) {
  // The switches that stand for several others win over each of them, wherever they stand.
  const auto is_combined = [](std::string_view name) {
    return name == "DV" || name == "DVV" || name == "VV";
  };
  for (const ParsedFlags::Given& given : flags.given) {
    if (given.flag->apply != nullptr && !is_combined(given.flag->name))
      given.flag->apply(options, given.value);
  }
  for (const std::string_view name : {"DV", "DVV", "VV"}) {
    for (const ParsedFlags::Given& given : flags.given) {
      if (given.flag->name == name) given.flag->apply(options, given.value);
    }
  }
}

std::vector<std::string_view> flag_names() {
  std::vector<std::string_view> names;
  for (const FlagDescription& flag : flags_known) names.push_back(flag.name);
  return names;
}

bool is_switch(std::string_view flag_name) {
  const FlagDescription* const flag = find_flag(flag_name);
  return flag != nullptr && flag->kind == FlagKind::boolean;
}

std::string flags_usage(std::string_view program) {
  constexpr std::string_view text = R"(
Usage: {} [options]

Listening:
    -a, --addr, --net <host>         Address to listen on (0.0.0.0)
    -p, --port <port>                Port for clients (4222); -1 takes any free one
    -n, --name, --server_name <name> Name of this server (its id)
        --client_advertise <addr>    host:port that clients are told to come back to
    -m, --http_port <port>           Port for monitoring over HTTP
    -ms,--https_port <port>          The same over TLS (comes later)
    -c, --config <file>              Configuration file; flags win over it
    -t                               Check the configuration file and leave
    -P, --pid <file>                 Write the process id to this file
        --ports_file_dir <dir>       Write the ports to <dir>/<program>_<pid>.ports
    -sl,--signal <what>[=<pid>]      Signal a running server: stop, quit, term, reopen
                                     (reload and ldm come later); <pid> is a number, the file
                                     it stands in, or the start of several: 12*

Logging:
    -l, --log <file>                 Log to this file instead of standard error
    -T, --logtime                    Begin each line with its time (true)
        --logtime_utc                That time in UTC (false)
    -s, --syslog                     Log to the system's log
    -r, --remote_syslog <addr>       Log to a syslog server: udp://localhost:514
    -D, --debug                      Log for debugging
    -V, --trace                      Log the protocol
    -VV, -DV, -DVV                   Trace the system's traffic too; debug and trace; both
        --log_size_limit <bytes>     Begin a new log file beyond this size
        --max_traced_msg_len <bytes> Cut traced messages (whole)

Authorization:
        --user <user>                The one user that may connect
        --pass <password>            The password of that user
        --auth <token>               The token that a connection must show

Known, and coming later:
    -js, --jetstream, -sd, --store_dir, --tls, --tlscert, --tlskey, --tlsverify, --tlscacert,
    --routes, --cluster, --cluster_listen, --cluster_name, --cluster_advertise, --no_advertise,
    --connect_retries, --profile

Others:
    -h, --help                       This text
    -v, --version                    The version
        --help_tls                   About TLS
)";
  return fmt::format(fmt::runtime(text), program);
}

}  // namespace martlet::server
