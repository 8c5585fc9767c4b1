// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of option texts: one table of keys for each record, and one error for each way
// to be wrong.
#include "client/connection_options.hpp"

#include <fmt/format.h>

#include <functional>
#include <map>

#include "base/json.hpp"
#include "subject/subject.hpp"

namespace martlet::client {
namespace {

constexpr int64_t day_ms = 24LL * 3600 * 1000;
constexpr int64_t buffer_bytes_limit = 1LL << 30;

Error bad(std::string_view key, std::string_view why) {
  return Error{ErrorCode::invalid_options, fmt::format("option \"{}\": {}", key, why)};
}

using Reader = std::function<Status(const std::string& key, const json::value& value)>;
using Readers = std::map<std::string, Reader, std::less<>>;

Reader read_bool(bool* out) {
  return [out](const std::string& key, const json::value& value) -> Status {
    if (!value.is_bool()) return bad(key, "true or false is wanted");
    *out = value.get_bool();
    return Status();
  };
}

Reader read_text(std::string* out) {
  return [out](const std::string& key, const json::value& value) -> Status {
    if (!value.is_string()) return bad(key, "a text is wanted");
    *out = std::string(value.get_string());
    return Status();
  };
}

Reader read_number(int64_t* out, int64_t least, int64_t most) {
  return [=](const std::string& key, const json::value& value) -> Status {
    if (!value.is_int64()) return bad(key, "a whole number is wanted");
    if (value.get_int64() < least)
      return bad(key, fmt::format("{} is below {}", value.get_int64(), least));
    if (value.get_int64() > most)
      return bad(key, fmt::format("{} is above {}", value.get_int64(), most));
    *out = value.get_int64();
    return Status();
  };
}

template <typename Enum>
Reader read_word(Enum* out, std::map<std::string, Enum, std::less<>> words) {
  return
      [out, words = std::move(words)](const std::string& key, const json::value& value) -> Status {
        const auto found =
            value.is_string() ? words.find(std::string_view(value.get_string())) : words.end();
        if (found == words.end()) {
          std::string known;
          for (const auto& word : words)
            known += (known.empty() ? "\"" : ", \"") + word.first + "\"";
          return bad(key, "wanted is one of " + known);
        }
        *out = found->second;
        return Status();
      };
}

Reader read_servers(std::vector<ServerUrl>* out) {
  return [out](const std::string& key, const json::value& value) -> Status {
    std::vector<std::string_view> texts;
    if (value.is_string()) texts.push_back(value.get_string());
    if (value.is_array()) {
      for (const json::value& item : value.get_array()) {
        if (!item.is_string()) return bad(key, "a text or a list of texts is wanted");
        texts.push_back(item.get_string());
      }
    }
    if (texts.empty()) return bad(key, "a text or a list of texts is wanted");
    for (const std::string_view text : texts) {
      Result<std::vector<ServerUrl>> urls = parse_server_urls(text);
      if (!urls)
        return Status(urls.code(), fmt::format("option \"{}\": {}", key, urls.error().context));
      out->insert(out->end(), urls->begin(), urls->end());
    }
    return Status();
  };
}

Status read_object(std::string_view text, const Readers& readers) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error)
    return Status(ErrorCode::invalid_options,
                  fmt::format("options: not JSON ({})", error.message()));
  if (!value.is_object())
    return Status(ErrorCode::invalid_options, "options: a JSON object is wanted");
  for (const json::key_value_pair& pair : value.get_object()) {
    const std::string key(pair.key());
    const auto reader = readers.find(key);
    if (reader == readers.end()) return bad(key, "there is no such option");
    Status status = reader->second(key, pair.value());
    if (!status) return status;
  }
  return Status();
}

bool is_empty(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}
bool is_object(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

const std::map<std::string, FullPolicy, std::less<>>& policy_words() {
  static const std::map<std::string, FullPolicy, std::less<>> words = {
      {"block_reader", FullPolicy::block_reader},
      {"refuse_new", FullPolicy::refuse_new},
      {"drop_oldest", FullPolicy::drop_oldest},
      {"keep_latest_of_each_subject", FullPolicy::keep_latest_of_each_subject}};
  return words;
}

}  // namespace

Result<ConnectionOptions> parse_connection_options(std::string_view json_or_url) {
  ConnectionOptions options;
  if (is_empty(json_or_url)) return options;
  if (!is_object(json_or_url)) {
    Result<std::vector<ServerUrl>> urls = parse_server_urls(json_or_url);
    if (!urls) return urls.take_error();
    options.servers = std::move(*urls);
    return options;
  }
  const Readers readers = {
      {"servers", read_servers(&options.servers)},
      {"url", read_servers(&options.servers)},
      {"run", read_word<RunMode>(&options.run, {{"thread", RunMode::own_thread},
                                                {"caller", RunMode::driven_by_caller},
                                                {"lent", RunMode::lent_loop}})},
      {"name", read_text(&options.name)},
      {"user", read_text(&options.user)},
      {"password", read_text(&options.password)},
      {"token", read_text(&options.token)},
      {"verbose", read_bool(&options.verbose)},
      {"pedantic", read_bool(&options.pedantic)},
      {"echo", read_bool(&options.echo)},
      {"connect_timeout_ms", read_number(&options.connect_timeout_ms, 1, day_ms)},
      {"retry_on_first_connect", read_bool(&options.retry_on_first_connect)},
      {"reconnect", read_bool(&options.reconnect)},
      {"reconnect_wait_ms", read_number(&options.reconnect_wait_ms, 0, day_ms)},
      {"reconnect_jitter_ms", read_number(&options.reconnect_jitter_ms, 0, day_ms)},
      {"reconnect_attempts_max", read_number(&options.reconnect_attempts_max, -1, INT32_MAX)},
      {"reconnect_buffer_bytes_max",
       read_number(&options.reconnect_buffer_bytes_max, 0, buffer_bytes_limit)},
      {"randomize_servers", read_bool(&options.randomize_servers)},
      {"ignore_discovered_servers", read_bool(&options.ignore_discovered_servers)},
      {"ping_interval_ms", read_number(&options.ping_interval_ms, 0, day_ms)},
      {"pings_out_max", read_number(&options.pings_out_max, 1, 1000)},
      {"drain_timeout_ms", read_number(&options.drain_timeout_ms, 1, day_ms)},
      {"pending_bytes_max", read_number(&options.pending_bytes_max, 4096, buffer_bytes_limit)},
      {"requests_max", read_number(&options.requests_max, 1, INT32_MAX)},
      {"inbox_prefix", read_text(&options.inbox_prefix)},
      {"gather", read_bool(&options.gather)},
      {"spin_us", read_number(&options.spin_us, 0, 1000000)},
  };
  Status status = read_object(json_or_url, readers);
  if (!status) return status.take_error();
  if (!subject::is_valid_literal(options.inbox_prefix)) {
    return bad("inbox_prefix", "it is not a subject without wildcards");
  }
  return options;
}

Result<FeedOptions> parse_feed_options(std::string_view json_text) {
  FeedOptions options;
  if (is_empty(json_text)) return options;
  Status status = read_object(
      json_text, {
                     {"messages_max", read_number(&options.messages_max, 0, INT64_MAX)},
                     {"bytes_max", read_number(&options.bytes_max, 0, INT64_MAX)},
                     {"full_policy", read_word<FullPolicy>(&options.full_policy, policy_words())},
                 });
  if (!status) return status.take_error();
  return options;
}

Result<QueueOptions> parse_queue_options(std::string_view json_text) {
  QueueOptions options;
  if (is_empty(json_text)) return options;
  Status status = read_object(
      json_text, {
                     {"messages_max", read_number(&options.messages_max, 1, INT64_MAX)},
                     {"bytes_max", read_number(&options.bytes_max, 1, INT64_MAX)},
                     {"full_policy", read_word<FullPolicy>(&options.full_policy, policy_words())},
                     {"spin_us", read_number(&options.spin_us, 0, 1000000)},
                 });
  if (!status) return status.take_error();
  return options;
}

}  // namespace martlet::client
