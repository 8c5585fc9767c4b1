// SPDX-License-Identifier: Apache-2.0
//
// Owns the command `request`.
#include "program/request.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "base/go_duration.hpp"
#include "client/publish_line.hpp"
#include "io/terminal.hpp"
#include "program/client_tool.hpp"

namespace martlet::program {
namespace {

struct RequestOptions {
  std::vector<std::string> headers;
  bool raw = false;
  bool force_stdin = false;
  bool templates = true;
  bool wait_for_empty = false;
  int64_t count = 1;
  int64_t replies = 1;
  int64_t reply_timeout_ns = 300 * ns_per_ms;
};

void show_answer(const RequestOptions& options, const client::Batch& batch, int32_t index,
                 int64_t rtt_ns) {
  if (options.raw) {
    std::fwrite(batch.data(index).data(), 1, batch.data(index).size(), stdout);
    std::fputc('\n', stdout);
  } else {
    say(fmt::format("Received with rtt {}", format_go_duration(rtt_ns)));
    print_message(batch, index, true);
  }
  std::fflush(stdout);
}

// Shows answers until there are enough, or none came in time.
Status ask(ClientTool& tool, const RequestOptions& options, ClientTool::Session& session,
           const client::PublishView& message) {
  const int64_t start = tool.clock().monotonic_ns();
  const bool wants_many = options.replies != 1 || options.wait_for_empty;
  const int64_t replies_max = options.wait_for_empty ? 0 : options.replies;
  Status status = session.connection->request_many_start(message, replies_max, tool.timeout_ns(),
                                                         session.queue, 1);
  if (!status) return status;
  for (int64_t received = 0;;) {
    const int64_t wait_ns =
        received > 0 && options.replies != 0 ? options.reply_timeout_ns : tool.timeout_ns();
    const Result<client::Batch> batch = session.queue->poll(0, wait_ns);
    if (!batch) return received > 0 ? Status() : Status(ErrorCode::timeout, "no answer in time");
    for (int32_t i = 0; i < batch->count(); ++i) {
      if (batch->kind(i) != client::CompletionKind::reply) continue;
      const client::CompletionDescriptor& d = batch->descriptor(i);
      if (d.status == client::status_number(ErrorCode::no_responders)) {
        return Status(ErrorCode::no_responders, "No responders are available");
      }
      if (d.status != 0)
        return received > 0 && wants_many ? Status()
                                          : Status(ErrorCode::timeout, "no answer in time");
      ++received;
      if (options.wait_for_empty && d.data_bytes == 0) return Status();
      show_answer(options, *batch, i, tool.clock().monotonic_ns() - start);
      if ((d.flags & client::completion_flag_more_follows) == 0) return Status();
    }
  }
}

}  // namespace

int run_request(const std::string& called_as, const std::vector<std::string>& arguments) {
  ClientTool tool(called_as, "[flags] SUBJECT [BODY]",
                  "Sends a request to SUBJECT and shows the answers.");
  RequestOptions options;
  tool.line().add_switch('r', "raw", "show the answer's data alone", &options.raw);
  tool.line().add_texts('H', "header", "a header as Key:value; may be repeated", &options.headers);
  tool.line().add_number(0, "count", "how many requests (1)", &options.count, 1);
  tool.line().add_number(0, "replies", "answers to wait for (1); 0: all until the timeout",
                         &options.replies, 0);
  tool.line().add_duration(0, "reply-timeout", "longest pause between several answers (300ms)",
                           &options.reply_timeout_ns);
  tool.line().add_switch(0, "wait-for-empty", "take answers until an empty one",
                         &options.wait_for_empty);
  tool.line().add_switch(0, "force-stdin", "read standard input though it is a terminal",
                         &options.force_stdin);
  tool.line().add_switch(0, "templates", "fill in {{...}} (--no-templates: do not)",
                         &options.templates);
  if (!tool.begin(arguments, 1, 2)) return tool.exit_status();
  Result<std::string> headers = headers_of_flags(options.headers);
  if (!headers) return tool.fail(headers.error());
  const std::string& subject = tool.line().positional()[0];
  const Status can_ask = client::check_subjects({subject, {}, {}, {}});
  if (!can_ask) return tool.fail(can_ask);
  Result<ClientTool::Session> session = tool.connect(client::RunMode::driven_by_caller);
  if (!session) return tool.fail(session.error());
  const bool has_body = tool.line().positional().size() > 1;
  const std::string text = has_body ? tool.line().positional()[1]
                           : options.force_stdin || !io::is_input_terminal() ? read_standard_input()
                                                                             : std::string();
  BodyTemplate body(options.templates);
  for (int64_t number = 1; number <= options.count; ++number) {
    if (!options.raw) say(fmt::format("Sending request on \"{}\"", subject));
    const std::string data = body.fill(text, number);
    const Status status = ask(tool, options, *session, {subject, {}, *headers, data});
    if (!status) return tool.fail(status);
  }
  return 0;
}

}  // namespace martlet::program
