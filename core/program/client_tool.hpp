// SPDX-License-Identifier: Apache-2.0
//
// Owns what the client tools share: the flags that say which server and who we are, the connection,
// lines with the time, header flags, and the texts that a body may contain ({{Count}} and the
// like).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "client/connection.hpp"
#include "client/nuid.hpp"
#include "io/system_clock.hpp"
#include "program/command_line.hpp"

namespace martlet::program {

/// Lives as long as its command runs. One thread.
class ClientTool {
 public:
  ClientTool(const std::string& called_as, std::string usage, std::string about);

  CommandLine& line() { return line_; }
  /// Parses, and shows help or the mistake. True: go on; false: end with exit_status().
  bool begin(const std::vector<std::string>& words, size_t words_least, size_t words_most);
  int exit_status() const { return exit_status_; }
  /// Says what is wrong with the arguments; for `return tool.refuse(mistake)`.
  int refuse(std::string_view mistake);
  /// Says what went wrong; for `return tool.fail(status)`.
  int fail(const Error& error);
  int fail(const Status& status) { return fail(status.error()); }

  /// A connected connection with its own queue, or what is wrong.
  struct Session {
    std::shared_ptr<client::CompletionQueue> queue;
    std::unique_ptr<client::Connection> connection;
  };
  Result<Session> connect(client::RunMode run) const;

  int64_t timeout_ns() const { return timeout_ns_; }
  const Clock& clock() const { return clock_; }

 private:
  const std::string called_as_;
  const io::SystemClock clock_;
  CommandLine line_;
  int exit_status_ = 0;
  std::string servers_;
  std::string user_;
  std::string password_;
  std::string token_;
  std::string connection_name_;
  std::string inbox_prefix_ = "_INBOX";
  int64_t timeout_ns_ = 5 * ns_per_s;
};

/// A line on standard error, with the time of day before it.
void say(std::string_view text);

/// Says that the connection was lost, is there again, or why it is not yet. Nothing of other kinds.
void say_event(const client::Batch& batch, int32_t index);

/// Whether that may be subscribed to, as a connection would say, before there is one.
Status check_subscription(std::string_view subject, std::string_view queue_group);
/// The wire's block from flags of the form "Key:value".
Result<std::string> headers_of_flags(const std::vector<std::string>& flags);
/// All of standard input.
std::string read_standard_input();
/// One line of standard input without its end; false at the end.
bool read_standard_line(std::string* out);
/// Prints a message as `sub` and `request` show it.
void print_message(const client::Batch& batch, int32_t index, bool with_data);

/// Fills in {{Count}}, {{TimeStamp}}, {{Unix}}, {{UnixNano}}, {{Time}}, {{ID}}, {{Random least
/// most}}, {{Request}}.
class BodyTemplate {
 public:
  explicit BodyTemplate(bool is_on);
  std::string fill(std::string_view text, int64_t count, std::string_view request = {});

 private:
  std::string value_of(std::string_view name, int64_t count, std::string_view request);
  const bool is_on_;
  const io::SystemClock clock_;
  Random random_;
  client::Nuid nuid_;
};

}  // namespace martlet::program
