// SPDX-License-Identifier: Apache-2.0
//
// Goal: a delivered message is the right line and the right payload, however long its parts are
// and whatever its receiver knows. Method: messages of every size class against a plain string.
#include "broker/message_writer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/out_of_memory.hpp"
#include "tests/support/failing_memory.hpp"

namespace martlet::broker {
namespace {

/// A text with slack behind it; a payload has its CR LF there.
std::string with_slack(const std::string& text, const std::string& end = "") {
  return text + end + std::string(Message::slack_bytes, '!');
}

std::string taken_from(OutputQueue& queue) {
  struct Slice {
    const char* data;
    size_t bytes;
  };
  std::string out;
  while (!queue.is_empty()) {
    Slice slices[4];
    const int count = queue.gather(slices, 4);
    size_t taken = 0;
    for (int i = 0; i < count; ++i) {
      out.append(slices[i].data, slices[i].bytes);
      taken += slices[i].bytes;
    }
    queue.consume(taken);
  }
  return out;
}

struct Parts {
  std::string subject = "a.b";
  std::string sid = "1";
  std::string reply;
  std::string headers;
  std::string body;
};

std::string expected(const Parts& parts, bool knows_headers) {
  const bool with_headers = !parts.headers.empty() && knows_headers;
  const std::string payload = with_headers ? parts.headers + parts.body : parts.body;
  return (with_headers ? "HMSG " : "MSG ") + parts.subject + " " + parts.sid + " " +
         (parts.reply.empty() ? "" : parts.reply + " ") +
         (with_headers ? std::to_string(parts.headers.size()) + " " : "") +
         std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
}

std::string written(const Parts& parts, bool knows_headers, bool payload_is_stable) {
  MemoryBudget budget;
  ChunkPool pool(budget);
  OutputQueue queue(pool);
  const std::string subject = with_slack(parts.subject);
  const std::string sid = with_slack(parts.sid);
  const std::string reply = with_slack(parts.reply);
  const std::string payload = with_slack(parts.headers + parts.body, "\r\n");
  Message message;
  message.subject = std::string_view(subject).substr(0, parts.subject.size());
  message.reply = std::string_view(reply).substr(0, parts.reply.size());
  message.payload = std::string_view(payload).substr(0, parts.headers.size() + parts.body.size());
  message.has_headers = !parts.headers.empty();
  message.header_bytes = static_cast<uint32_t>(parts.headers.size());
  message.payload_is_stable = payload_is_stable;
  SizeText sizes;
  sizes.make(message);
  message.sizes = &sizes;
  const std::string_view sid_view = std::string_view(sid).substr(0, parts.sid.size());
  EXPECT_TRUE(append_message(queue, message, delivery_of(message, sid_view, knows_headers)));
  return taken_from(queue);
}

TEST(MessageWriter, writes_every_size_class_for_every_receiver) {
  const size_t sizes[] = {0, 1, 15, 16, 30, 31, 200, 1023, 1024, 1025, 40'000, 300'000};
  for (const size_t body_bytes : sizes) {
    for (const size_t text_bytes : {size_t{1}, size_t{17}, size_t{40'000}}) {
      for (const bool has_headers : {false, true}) {
        for (const bool knows_headers : {false, true}) {
          for (const bool payload_is_stable : {false, true}) {
            Parts parts;
            parts.subject = std::string(text_bytes, 's');
            parts.sid = std::string(text_bytes % 100, '7');
            parts.reply = text_bytes == 1 ? "" : std::string(text_bytes, 'r');
            if (has_headers) parts.headers = "NATS/1.0\r\nA: b\r\n\r\n";
            parts.body = std::string(body_bytes, 'x');
            ASSERT_EQ(written(parts, knows_headers, payload_is_stable),
                      expected(parts, knows_headers))
                << body_bytes << " " << text_bytes << " " << has_headers << knows_headers
                << payload_is_stable;
          }
        }
      }
    }
  }
}

// Whatever fails: what is in the queue is the first part of the message, and the writer says so.
TEST(MessageWriter, leaves_a_first_part_when_memory_fails) {
  Parts parts;
  parts.subject = std::string(40'000, 's');
  parts.body = std::string(70'000, 'x');
  const std::string subject = with_slack(parts.subject);
  const std::string sid = with_slack(parts.sid);
  const std::string payload = with_slack(parts.body, "\r\n");
  Message message;
  message.subject = std::string_view(subject).substr(0, parts.subject.size());
  message.payload = std::string_view(payload).substr(0, parts.body.size());
  SizeText sizes;
  sizes.make(message);
  message.sizes = &sizes;
  const Delivery delivery =
      delivery_of(message, std::string_view(sid).substr(0, parts.sid.size()), true);
  const auto round = [&](test::FailingMemory& memory) {
    MemoryBudget budget;
    ChunkPool pool(budget);
    OutputQueue queue(pool);
    bool whole = false;
    bool fits = false;
    const auto append = [&] { whole = append_message(queue, message, delivery); };
    memory.during([&] { fits = fits_into_memory(append); });
    EXPECT_EQ(fits && whole, !memory.has_failed());
    const std::string out = taken_from(queue);
    EXPECT_EQ(out, expected(parts, true).substr(0, out.size()));
    if (whole) {
      EXPECT_EQ(out, expected(parts, true));
    }
  };
  EXPECT_GT(test::fail_each_allocation(test::Failing::once, round), 0);
}

}  // namespace
}  // namespace martlet::broker
