// SPDX-License-Identifier: Apache-2.0
//
// Owns the common part of pub, sub, request, reply and bench.
#include "program/client_tool.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/trimmed.hpp"
#include "client/header_block.hpp"
#include "io/entropy.hpp"
#include "subject/subject.hpp"

namespace martlet::program {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::tm local_time(int64_t wall_ns) {
  const std::time_t seconds = static_cast<std::time_t>(wall_ns / ns_per_s);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

std::string time_of_day(int64_t wall_ns) { return fmt::format("{:%H:%M:%S}", local_time(wall_ns)); }

}  // namespace

ClientTool::ClientTool(const std::string& called_as, std::string usage, std::string about)
    : called_as_(called_as), line_(std::move(usage), std::move(about)) {
  servers_ = environment("NATS_URL");
  user_ = environment("NATS_USER");
  password_ = environment("NATS_PASSWORD");
  token_ = environment("NATS_TOKEN");
  line_.add_text('s', "server", "addresses of servers ($NATS_URL)", &servers_);
  line_.add_text(0, "user", "user, or a token if there is no password ($NATS_USER)", &user_);
  line_.add_text(0, "password", "password ($NATS_PASSWORD)", &password_);
  line_.add_text(0, "token", "token ($NATS_TOKEN)", &token_);
  line_.add_text(0, "connection-name", "what the server shows as our name", &connection_name_);
  line_.add_text(0, "inbox-prefix", "beginning of reply subjects", &inbox_prefix_);
  line_.add_duration(0, "timeout", "how long to wait for the server (5s)", &timeout_ns_);
}

bool ClientTool::begin(const std::vector<std::string>& words, size_t words_least,
                       size_t words_most) {
  const Status status = line_.parse(words);
  if (line_.asks_help()) {
    fmt::print("{}", line_.help(called_as_));
    return false;
  }
  std::string mistake = status ? std::string() : status.error().context;
  if (mistake.empty() && line_.positional().size() < words_least) mistake = "a subject is missing";
  if (mistake.empty() && line_.positional().size() > words_most) {
    mistake = fmt::format("unexpected \"{}\"", line_.positional()[words_most]);
  }
  if (mistake.empty()) return true;
  exit_status_ = refuse(mistake);
  return false;
}

int ClientTool::refuse(std::string_view mistake) {
  fmt::print(stderr, "{}: {}; try --help\n", called_as_, mistake);
  return 2;
}

int ClientTool::fail(const Error& error) {
  fmt::print(stderr, "{}: {}\n", called_as_,
             error.context.empty() ? error_code_name(error.code) : error.context);
  return 1;
}

Result<ClientTool::Session> ClientTool::connect(client::RunMode run) const {
  Result<client::ConnectionOptions> options = client::parse_connection_options(servers_);
  if (!options) return options.take_error();
  options->run = run;
  options->name = connection_name_.empty()
                      ? "martlet " + called_as_.substr(called_as_.rfind(' ') + 1)
                      : connection_name_;
  options->inbox_prefix = inbox_prefix_;
  options->connect_timeout_ms = std::max<int64_t>(1, timeout_ns_ / ns_per_ms);
  options->token = token_;
  if (!user_.empty() && password_.empty() && token_.empty()) {
    options->token = user_;
  } else if (!user_.empty()) {
    options->user = user_;
    options->password = password_;
  }
  Session session;
  Result<std::shared_ptr<client::CompletionQueue>> queue = client::CompletionQueue::create(clock_);
  if (!queue) return queue.take_error();
  session.queue = *queue;
  Result<std::unique_ptr<client::Connection>> connection =
      client::Connection::create(*options, session.queue, 0, clock_);
  if (!connection) return connection.take_error();
  session.connection = std::move(*connection);
  Status status = session.connection->connect();
  if (!status) return status.take_error();
  return session;
}

void say(std::string_view text) {
  const io::SystemClock clock;
  fmt::print(stderr, "{} {}\n", time_of_day(clock.wall_ns()), text);
}

void say_event(const client::Batch& batch, int32_t index) {
  switch (batch.kind(index)) {
    case client::CompletionKind::reconnected:
      return say(fmt::format("Reconnected to {}", batch.data(index)));
    case client::CompletionKind::disconnected:
    case client::CompletionKind::error:
      return say(batch.data(index));
    default:
      return;
  }
}

Status check_subscription(std::string_view subject, std::string_view queue_group) {
  if (!subject::is_valid(subject)) {
    return Status(ErrorCode::invalid_subject,
                  fmt::format("\"{}\" cannot be subscribed to: {}", subject,
                              subject::fault_of(subject, false)));
  }
  if (queue_group.find_first_of(" \t\r\n\f") != std::string_view::npos) {
    return Status(ErrorCode::invalid_argument,
                  fmt::format("\"{}\" is no name of a queue group", queue_group));
  }
  return Status();
}

Result<std::string> headers_of_flags(const std::vector<std::string>& flags) {
  client::HeaderBlockBuilder builder;
  for (const std::string& flag : flags) {
    const size_t colon = flag.find(':');
    if (colon == std::string::npos) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("--header \"{}\" is not of the form Key:value", flag)};
    }
    Status status = builder.add(trimmed(std::string_view(flag).substr(0, colon)),
                                trimmed(std::string_view(flag).substr(colon + 1)));
    if (!status) return status.take_error();
  }
  return builder.text();
}

std::string read_standard_input() {
  std::string all;
  char buffer[65536];
  for (size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;)
    all.append(buffer, got);
  return all;
}

bool read_standard_line(std::string* out) {
  out->clear();
  for (int c = 0; (c = std::fgetc(stdin)) != EOF;) {
    if (c == '\n') return true;
    out->push_back(static_cast<char>(c));
  }
  return !out->empty();
}

void print_message(const client::Batch& batch, int32_t index, bool with_data) {
  std::string text;
  client::for_each_header(batch.headers(index),
                          [&text](std::string_view key, std::string_view value) {
                            text += fmt::format("{}: {}\n", key, value);
                          });
  if (!text.empty()) text += '\n';
  if (with_data) {
    text += batch.data(index);
    text += '\n';
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
}

BodyTemplate::BodyTemplate(bool is_on) : is_on_(is_on), random_(io::random_seed()) {}

std::string BodyTemplate::fill(std::string_view text, int64_t count, std::string_view request) {
  if (!is_on_ || text.find("{{") == std::string_view::npos) return std::string(text);
  std::string filled;
  while (!text.empty()) {
    const size_t open = text.find("{{");
    const size_t close = open == std::string_view::npos ? open : text.find("}}", open);
    if (close == std::string_view::npos) break;
    filled.append(text.substr(0, open));
    filled += value_of(trimmed(text.substr(open + 2, close - open - 2)), count, request);
    text.remove_prefix(close + 2);
  }
  return filled.append(text);
}

std::string BodyTemplate::value_of(std::string_view name, int64_t count, std::string_view request) {
  if (name.starts_with('.')) name.remove_prefix(1);
  const int64_t now = clock_.wall_ns();
  if (name == "Count") return std::to_string(count);
  if (name == "Unix") return std::to_string(now / ns_per_s);
  if (name == "UnixNano") return std::to_string(now);
  if (name == "Time") return time_of_day(now);
  if (name == "TimeStamp") return fmt::format("{:%Y-%m-%dT%H:%M:%S%z}", local_time(now));
  if (name == "ID") return nuid_.next();
  if (name == "Request") return std::string(request);
  if (!name.starts_with("Random "))
    return fmt::format("{{{{{}}}}}", name);  // Not ours: as it was written.
  unsigned least = 0;
  unsigned most = 0;
  if (std::sscanf(std::string(name).c_str(), "Random %u %u", &least, &most) != 2 || most < least)
    return {};
  std::string letters(least + random_.below(most - least + 1), 0);
  for (char& letter : letters) letter = static_cast<char>('a' + random_.below(26));
  return letters;
}

}  // namespace martlet::program
