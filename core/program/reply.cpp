// SPDX-License-Identifier: Apache-2.0
//
// Owns the command `reply`.
#include "program/reply.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/random.hpp"
#include "io/entropy.hpp"
#include "program/client_tool.hpp"

namespace martlet::program {
namespace {

struct ReplyOptions {
  std::string queue = "NATS-RPLY-22";
  std::vector<std::string> headers;
  bool echo = false;
  bool templates = true;
  int64_t sleep_ns = 0;
  int64_t count = 0;
};

// Answers until the count is reached or the connection is closed.
int serve(ClientTool& tool, const ReplyOptions& options, ClientTool::Session& session,
          std::string_view headers, std::string_view text) {
  BodyTemplate body(options.templates);
  Random random(io::random_seed());
  for (int64_t answered = 0;;) {
    const Result<client::Batch> batch = session.queue->poll(0, -1);
    if (!batch) return tool.fail(batch.error());
    for (int32_t i = 0; i < batch->count(); ++i) {
      if (batch->kind(i) == client::CompletionKind::closed) {
        return tool.fail(Error{ErrorCode::closed, std::string(batch->data(i))});
      }
      say_event(*batch, i);
      if (batch->kind(i) != client::CompletionKind::message || batch->reply(i).empty()) continue;
      say(fmt::format("[#{}] Received on subject \"{}\":", answered, batch->subject(i)));
      print_message(*batch, i, true);
      if (options.sleep_ns > 0) {
        const int64_t part = static_cast<int64_t>(random.below(1000)) + 1;
        std::this_thread::sleep_for(std::chrono::nanoseconds(options.sleep_ns / 1000 * part));
      }
      ++answered;
      const std::string data =
          options.echo ? std::string(batch->data(i)) : body.fill(text, answered, batch->data(i));
      Status status = session.connection->publish(
          {batch->reply(i), {}, options.echo ? batch->headers(i) : headers, data});
      if (!status) return tool.fail(status);
      if (options.count > 0 && answered >= options.count) {
        status = session.connection->flush(tool.timeout_ns());
        return status ? 0 : tool.fail(status);
      }
    }
    std::fflush(stdout);
  }
}

}  // namespace

int run_reply(const std::string& called_as, const std::vector<std::string>& arguments) {
  ClientTool tool(called_as, "[flags] SUBJECT [BODY]",
                  "Answers requests to SUBJECT with BODY (in which {{Request}} is what was asked), "
                  "or with their own bytes.");
  ReplyOptions options;
  tool.line().add_switch(0, "echo", "answer with what was received", &options.echo);
  tool.line().add_text('q', "queue", "queue group (NATS-RPLY-22)", &options.queue);
  tool.line().add_duration(0, "sleep", "pause up to so long before each answer", &options.sleep_ns);
  tool.line().add_texts('H', "header", "a header as Key:value; may be repeated", &options.headers);
  tool.line().add_number(0, "count", "end after so many answers", &options.count, 1);
  tool.line().add_switch(0, "templates", "fill in {{...}} (--no-templates: do not)",
                         &options.templates);
  if (!tool.begin(arguments, 1, 2)) return tool.exit_status();
  const bool has_body = tool.line().positional().size() > 1;
  if (!has_body && !options.echo) {
    return tool.fail(
        Error{ErrorCode::invalid_argument, "an answer is missing: give BODY or --echo"});
  }
  Result<std::string> headers = headers_of_flags(options.headers);
  if (!headers) return tool.fail(headers.error());
  const std::string& subject = tool.line().positional()[0];
  Status status = check_subscription(subject, options.queue);
  if (!status) return tool.fail(status);
  Result<ClientTool::Session> session = tool.connect(client::RunMode::driven_by_caller);
  if (!session) return tool.fail(session.error());
  Result<std::unique_ptr<client::Subscription>> subscription =
      session->connection->subscribe(subject, options.queue, {}, session->queue, 0);
  if (!subscription) return tool.fail(subscription.error());
  status = session->connection->flush(tool.timeout_ns());
  if (!status) return tool.fail(status);
  say(fmt::format("Listening on \"{}\" in group \"{}\"", subject, options.queue));
  return serve(tool, options, *session, *headers,
               has_body ? tool.line().positional()[1] : std::string());
}

}  // namespace martlet::program
