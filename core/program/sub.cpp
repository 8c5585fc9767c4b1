// SPDX-License-Identifier: Apache-2.0
//
// Owns the command `sub`.
#include "program/sub.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "program/client_tool.hpp"
#include "subject/subject.hpp"

namespace martlet::program {
namespace {

struct SubOptions {
  std::string queue;
  bool raw = false;
  bool headers_only = false;
  bool subjects_only = false;
  bool timestamp = false;
  bool quiet = false;
  bool inbox = false;
  int64_t count = 0;
  int64_t wait_ns = 0;
  std::vector<std::string> ignored;
};

bool is_ignored(const SubOptions& options, std::string_view subject) {
  return std::any_of(
      options.ignored.begin(), options.ignored.end(),
      [subject](const std::string& pattern) { return subject::matches(pattern, subject); });
}

void show(const SubOptions& options, const client::Batch& batch, int32_t index, int64_t number) {
  if (options.quiet) return;
  if (options.raw) {
    std::fwrite(batch.data(index).data(), 1, batch.data(index).size(), stdout);
    std::fputc('\n', stdout);
    return;
  }
  if (options.subjects_only) {
    fmt::print("{}\n", batch.subject(index));
    return;
  }
  std::string head = fmt::format("[#{}]", number);
  if (options.timestamp) head += fmt::format(" @ {}", batch.descriptor(index).received_ns);
  head += fmt::format(" Received on \"{}\"", batch.subject(index));
  if (!batch.reply(index).empty()) head += fmt::format(" with reply \"{}\"", batch.reply(index));
  fmt::print("{}\n", head);
  print_message(batch, index, !options.headers_only);
  std::fputc('\n', stdout);
}

// 0, or 1 when the connection ended before the work was done.
int receive(ClientTool& tool, const SubOptions& options, client::CompletionQueue& queue) {
  int64_t received = 0;
  for (;;) {
    const Result<client::Batch> batch = queue.poll(0, options.wait_ns > 0 ? options.wait_ns : -1);
    if (!batch) return 0;  // Nothing came for as long as --wait says.
    for (int32_t i = 0; i < batch->count(); ++i) {
      switch (batch->kind(i)) {
        case client::CompletionKind::message:
          if (is_ignored(options, batch->subject(i))) break;
          show(options, *batch, i, ++received);
          if (options.count > 0 && received >= options.count) return 0;
          break;
        case client::CompletionKind::closed:
          return tool.fail(Error{ErrorCode::closed, std::string(batch->data(i))});
        default:
          say_event(*batch, i);
          break;
      }
    }
    std::fflush(stdout);
  }
}

}  // namespace

int run_sub(const std::string& called_as, const std::vector<std::string>& arguments) {
  ClientTool tool(called_as, "[flags] [SUBJECT...]", "Shows the messages of one or more subjects.");
  SubOptions options;
  tool.line().add_text(0, "queue", "subscribe as a member of this queue group", &options.queue);
  tool.line().add_switch('r', "raw", "show the data alone", &options.raw);
  tool.line().add_number(0, "count", "end after so many messages", &options.count, 1);
  tool.line().add_switch(0, "headers-only", "show no data", &options.headers_only);
  tool.line().add_switch(0, "subjects-only", "show the subjects alone", &options.subjects_only);
  tool.line().add_texts('I', "ignore-subject",
                        "leave out messages of this pattern; may be repeated", &options.ignored);
  tool.line().add_duration(0, "wait", "end when nothing came for so long", &options.wait_ns);
  tool.line().add_switch('t', "timestamp", "show when each message came, in nanoseconds",
                         &options.timestamp);
  tool.line().add_switch('q', "quiet", "show nothing", &options.quiet);
  tool.line().add_switch('i', "inbox", "subscribe to a new inbox", &options.inbox);
  if (!tool.begin(arguments, 0, 1000)) return tool.exit_status();
  std::vector<std::string> subjects = tool.line().positional();
  if (subjects.empty() && !options.inbox) return tool.refuse("a subject is missing");
  for (const std::string& subject : subjects) {
    const Status status = check_subscription(subject, options.queue);
    if (!status) return tool.fail(status);
  }
  Result<ClientTool::Session> session = tool.connect(client::RunMode::own_thread);
  if (!session) return tool.fail(session.error());
  if (options.inbox) subjects.push_back(session->connection->new_inbox());
  std::vector<std::unique_ptr<client::Subscription>> subscriptions;
  for (const std::string& subject : subjects) {
    Result<std::unique_ptr<client::Subscription>> made =
        session->connection->subscribe(subject, options.queue, {}, session->queue, 0);
    if (!made) return tool.fail(made.error());
    subscriptions.push_back(std::move(*made));
    if (!options.raw) say(fmt::format("Subscribing on {}", subject));
  }
  Status status = session->connection->flush(tool.timeout_ns());
  if (!status) return tool.fail(status);
  return receive(tool, options, *session->queue);
}

}  // namespace martlet::program
