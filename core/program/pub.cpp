// SPDX-License-Identifier: Apache-2.0
//
// Owns the command `pub`.
#include "program/pub.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "client/publish_line.hpp"
#include "io/process.hpp"
#include "io/terminal.hpp"
#include "program/client_tool.hpp"
#include "program/progress.hpp"

namespace martlet::program {
namespace {

struct PubOptions {
  std::string reply;
  std::vector<std::string> headers;
  int64_t count = 1;
  int64_t sleep_ns = 0;
  bool quiet = false;
  bool force_stdin = false;
  bool templates = true;
  std::string send_on = "eof";
};

class Publisher {
 public:
  Publisher(ClientTool& tool, ClientTool::Session& session, const PubOptions& options,
            std::string headers)
      : tool_(tool),
        session_(session),
        options_(options),
        headers_(std::move(headers)),
        body_(options.templates) {}

  Status send(const std::string& subject, std::string_view text, int64_t number) {
    const std::string data = body_.fill(text, number);
    const std::string to = body_.fill(subject, number);
    const client::PublishView message{to, options_.reply, headers_, data};
    Status status = session_.connection->publish(message);
    while (status.code() == ErrorCode::again) {
      status = session_.connection->wait_capacity(
          static_cast<int64_t>(data.size() + headers_.size()), tool_.timeout_ns());
      if (status) status = session_.connection->publish(message);
    }
    if (status && options_.count == 1 && !options_.quiet) {
      say(fmt::format("Published {} bytes to \"{}\"", data.size(), to));
    }
    return status;
  }

 private:
  ClientTool& tool_;
  ClientTool::Session& session_;
  const PubOptions& options_;
  const std::string headers_;
  BodyTemplate body_;
};

Status publish_lines(Publisher& publisher, const std::string& subject) {
  std::string line;
  for (int64_t number = 1; read_standard_line(&line); ++number) {
    Status status = publisher.send(subject, line, number);
    if (!status) return status;
  }
  return Status();
}

}  // namespace

int run_pub(const std::string& called_as, const std::vector<std::string>& arguments) {
  ClientTool tool(called_as, "[flags] SUBJECT [BODY]",
                  "Publishes BODY, or standard input, to SUBJECT. Both may hold {{Count}}, "
                  "{{Time}}, {{TimeStamp}}, {{Unix}},\n"
                  "{{UnixNano}}, {{ID}} and {{Random least most}}.");
  PubOptions options;
  tool.line().add_text(0, "reply", "reply subject of the message", &options.reply);
  tool.line().add_texts('H', "header", "a header as Key:value; may be repeated", &options.headers);
  tool.line().add_number(0, "count", "how many messages (1)", &options.count, 1);
  tool.line().add_duration(0, "sleep", "pause between messages", &options.sleep_ns);
  tool.line().add_switch('q', "quiet", "say nothing", &options.quiet);
  tool.line().add_switch(0, "force-stdin", "read standard input though it is a terminal",
                         &options.force_stdin);
  tool.line().add_text(0, "send-on",
                       "with standard input: one message at 'eof' or one per 'newline'",
                       &options.send_on);
  tool.line().add_switch(0, "templates", "fill in {{...}} (--no-templates: do not)",
                         &options.templates);
  if (!tool.begin(arguments, 1, 2)) return tool.exit_status();
  if (options.send_on != "eof" && options.send_on != "newline") {
    return tool.fail(Error{ErrorCode::invalid_argument, "--send-on is 'eof' or 'newline'"});
  }
  Result<std::string> headers = headers_of_flags(options.headers);
  if (!headers) return tool.fail(headers.error());
  const std::string& subject = tool.line().positional()[0];
  const std::string first_subject = BodyTemplate(options.templates).fill(subject, 1);
  Status status = client::check_subjects({first_subject, options.reply, {}, {}});
  if (!status) return tool.fail(status);
  Result<ClientTool::Session> session = tool.connect(client::RunMode::own_thread);
  if (!session) return tool.fail(session.error());
  Publisher publisher(tool, *session, options, *headers);
  const bool from_stdin =
      tool.line().positional().size() < 2 && (options.force_stdin || !io::is_input_terminal());
  if (from_stdin && options.send_on == "newline") {
    status = publish_lines(publisher, subject);
  } else {
    const std::string text = tool.line().positional().size() > 1 ? tool.line().positional()[1]
                             : from_stdin                        ? read_standard_input()
                                                                 : std::string();
    Progress progress(tool.clock(), "published", options.count,
                      options.count > 1 && !options.quiet && io::is_error_terminal());
    for (int64_t number = 1; number <= options.count && status; ++number) {
      status = publisher.send(subject, text, number);
      progress.show(number);
      if (options.sleep_ns > 0 && number < options.count) {
        std::this_thread::sleep_for(std::chrono::nanoseconds(options.sleep_ns));
      }
    }
  }
  if (status) status = session->connection->flush(tool.timeout_ns());
  if (!status) return tool.fail(status);
  if (options.count > 1 && !options.quiet && !io::is_error_terminal()) {
    say(fmt::format("Published {} messages to \"{}\"", with_commas(options.count), subject));
  }
  return 0;
}

}  // namespace martlet::program
