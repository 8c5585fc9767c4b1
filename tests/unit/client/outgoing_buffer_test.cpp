// SPDX-License-Identifier: Apache-2.0
//
// Goal: bytes leave in order and by the stated rule, bounds hold, and a lost connection keeps whole
// publishes only. Method: a stream that takes as much as the test allows; a clock by hand.
#include "client/outgoing_buffer.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "client/connection.hpp"
#include "tests/support/hand_clock.hpp"

namespace martlet::client {
namespace {

using transport::StreamResult;
using transport::StreamState;
using IdleRule = OutgoingBuffer::IdleRule;

struct FakeStream final : transport::ByteStream {
  StreamResult read(char*, size_t) override { return {StreamState::want_read, 0, 0}; }
  StreamResult write(const io::IoSlice* slices, int) override {
    if (on_write) on_write();
    if (fails) return {StreamState::failed, 0, 32};
    const size_t bytes = std::min(slices[0].bytes, allowance);
    if (bytes == 0) return {StreamState::want_write, 0, 0};
    ++writes;
    allowance -= bytes;
    text.append(static_cast<const char*>(slices[0].data), bytes);
    return {StreamState::ok, bytes, 0};
  }
  Status attach(io::Loop&, transport::StreamHandler&) override { return Status(); }
  void detach() override {}
  Status set_interest(bool, bool) override { return Status(); }
  const std::string& peer_host() const override { return text; }
  uint16_t peer_port() const override { return 0; }
  std::function<void()> on_write;
  std::string text;
  size_t allowance = SIZE_MAX;
  int writes = 0;
  bool fails = false;
};

class OutgoingBufferTest : public testing::Test {
 protected:
  ErrorCode publish(std::string_view subject, std::string_view data,
                    IdleRule rule = IdleRule::write) {
    return buffer.publish(PublishView{subject, "", "", data}, rule, false, &need).code();
  }
  test::HandClock clock;
  FakeStream stream;
  OutgoingBuffer buffer{clock, {10000, 500}};
  FlushNeed need = FlushNeed::none;
};

TEST_F(OutgoingBufferTest, EncodesAllForms) {
  buffer.connect(&stream, "SUB a 1\r\n");
  publish("a", "xyz");
  ASSERT_TRUE(buffer.publish({"b", "re", "", ""}, IdleRule::write, false, &need).is_ok());
  ASSERT_TRUE(
      buffer.publish({"c", "", "NATS/1.0\r\n\r\n", "d"}, IdleRule::write, false, &need).is_ok());
  ASSERT_TRUE(
      buffer.publish({"c", "r", "NATS/1.0\r\n\r\n", ""}, IdleRule::write, false, &need).is_ok());
  EXPECT_EQ(stream.text,
            "SUB a 1\r\nPUB a 3\r\nxyz\r\nPUB b re 0\r\n\r\nHPUB c 12 13\r\nNATS/1.0\r\n\r\nd\r\n"
            "HPUB c r 12 12\r\nNATS/1.0\r\n\r\n\r\n");
}

TEST_F(OutgoingBufferTest, EncodesSizesOfAnyLength) {
  buffer.connect(&stream, "");
  for (const size_t size : {0u, 1u, 9u, 10u, 19u, 99u, 100u, 101u, 110u, 999u, 1000u, 1001u}) {
    const std::string data(size, 'x');
    stream.text.clear();
    ASSERT_EQ(publish("a", data), ErrorCode::ok);
    EXPECT_EQ(stream.text, "PUB a " + std::to_string(size) + "\r\n" + data + "\r\n");
  }
}

TEST_F(OutgoingBufferTest, WritesAFewThenAsksThenGathers) {
  buffer.connect(&stream, "");
  for (int i = 0; i < 8; ++i) {
    publish("a", "x", IdleRule::write_few_then_ask);
    EXPECT_EQ(need, FlushNeed::none);
  }
  EXPECT_EQ(stream.writes, 8);
  publish("a", "x", IdleRule::write_few_then_ask);
  EXPECT_EQ(need, FlushNeed::soon);
  EXPECT_EQ(buffer.look().wanted_in_ns, ns_per_ms);
  for (int i = 0; i < 100; ++i) publish("a", "x", IdleRule::write_few_then_ask);
  EXPECT_EQ(need, FlushNeed::none);
  EXPECT_EQ(stream.writes, 8);
  buffer.write_pending();
  EXPECT_EQ(stream.writes, 9);
  EXPECT_EQ(buffer.look().wanted_in_ns, -1);
  clock.now_ns += 2 * ns_per_ms;
  publish("a", "x", IdleRule::write_few_then_ask);
  EXPECT_EQ(stream.writes, 10);
}

TEST_F(OutgoingBufferTest, GatheredBytesAreWrittenByThePublisher) {
  OutgoingBuffer large(clock, {10 << 20, 0});
  large.connect(&stream, "");
  const std::string data(1000, 'x');
  int published = 0;
  while (stream.writes == 0 && published < 1000) {
    ASSERT_TRUE(large.publish({"a", "", "", data}, IdleRule::gather, false, &need).is_ok());
    ++published;
  }
  EXPECT_GE(stream.text.size(), OutgoingBuffer::gather_bytes);
  EXPECT_LT(stream.text.size(), OutgoingBuffer::gather_bytes + 2000);
}

TEST_F(OutgoingBufferTest, WhoPublishesMuchAsksOncePerMillisecond) {
  OutgoingBuffer large(clock, {10 << 20, 0});
  large.connect(&stream, "");
  const std::string data(1000, 'x');
  int asked = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(
        large.publish({"a", "", "", data}, IdleRule::write_few_then_ask, false, &need).is_ok());
    if (need != FlushNeed::none) {
      EXPECT_EQ(need, FlushNeed::soon);
      ++asked;
    }
  }
  EXPECT_EQ(asked, 1) << "who was asked comes, whatever was written meanwhile";
  EXPECT_GT(stream.writes, 8);
  EXPECT_EQ(large.look().wanted_in_ns, ns_per_ms);
  // It comes, finds the rest, and is not wanted any more. What follows asks again, without the few
  // small writes that a publisher after a pause is allowed.
  clock.now_ns += ns_per_ms;
  EXPECT_EQ(large.look().wanted_in_ns, 0);
  large.write_pending();
  EXPECT_EQ(large.pending_bytes(), 0);
  EXPECT_EQ(large.look().wanted_in_ns, -1);
  const int writes = stream.writes;
  ASSERT_TRUE(
      large.publish({"a", "", "", data}, IdleRule::write_few_then_ask, false, &need).is_ok());
  EXPECT_EQ(need, FlushNeed::soon);
  EXPECT_EQ(stream.writes, writes);
}

TEST_F(OutgoingBufferTest, RequestThatIsOverIsForgottenWithTheNextWrite) {
  OutgoingBuffer large(clock, {10 << 20, 0});
  large.connect(&stream, "");
  const std::string data(1000, 'x');
  const auto publish_large = [&] {
    EXPECT_TRUE(
        large.publish({"a", "", "", data}, IdleRule::write_few_then_ask, false, &need).is_ok());
  };
  while (need != FlushNeed::soon) publish_large();
  clock.now_ns += 2 * ns_per_ms;  // Whoever was asked is late.
  const int writes = stream.writes;
  while (stream.writes == writes) publish_large();
  EXPECT_EQ(large.look().wanted_in_ns, -1);
}

TEST_F(OutgoingBufferTest, NobodyIsWantedForWhatIsBeingWritten) {
  buffer.connect(&stream, "");
  while (need != FlushNeed::now) publish("a", "x", IdleRule::write_few_then_ask_now);
  EXPECT_EQ(buffer.look().wanted_in_ns, 0);
  OutgoingBuffer::Look during{};
  stream.on_write = [&] {
    during = buffer.look();
    EXPECT_EQ(buffer.write_pending(), FlushNeed::none);
  };
  buffer.write_pending();
  EXPECT_EQ(during.wanted_in_ns, -1) << "or the loop turns without sleep until the write ends";
  EXPECT_EQ(buffer.look().wanted_in_ns, -1);
}

TEST_F(OutgoingBufferTest, VisitDuringAWriteMeetsTheRequest) {
  buffer.connect(&stream, "");
  while (need != FlushNeed::soon) publish("a", "x", IdleRule::write_few_then_ask);
  // Who leads a loop for a moment may be gone when the write ends: nobody else would come.
  stream.on_write = [&] { EXPECT_EQ(buffer.write_pending(), FlushNeed::none); };
  ASSERT_TRUE(buffer.publish({"a", "", "", "x"}, IdleRule::write, true, &need).is_ok());
  stream.on_write = nullptr;
  EXPECT_EQ(buffer.look().wanted_in_ns, -1);
  publish("a", "last", IdleRule::write);
  EXPECT_TRUE(stream.text.ends_with("last\r\n"));
}

TEST(ByteBuffer, GivesBackWhatIsHardlyUsed) {
  ByteBuffer bytes;
  const std::string much(4 << 20, 'x');
  ASSERT_TRUE(bytes.append(much));
  const size_t capacity = bytes.capacity();
  bytes.clear();
  EXPECT_EQ(bytes.capacity(), capacity) << "the next of a run may be as large";
  ASSERT_TRUE(bytes.append("little"));
  bytes.give_back();
  EXPECT_EQ(bytes.capacity(), capacity) << "something is in it";
  bytes.clear();
  EXPECT_EQ(bytes.capacity(), 0u);
  ASSERT_TRUE(bytes.append(much));
  bytes.clear();
  bytes.give_back();
  EXPECT_EQ(bytes.capacity(), 0u);
}

TEST_F(OutgoingBufferTest, LentLoopIsAskedOnce) {
  buffer.connect(&stream, "");
  publish("a", "first", IdleRule::write_few_then_ask_now);
  EXPECT_EQ(need, FlushNeed::none);
  EXPECT_TRUE(stream.text.ends_with("first\r\n")) << "a few leave without a turn";
  while (need != FlushNeed::now) publish("a", "x", IdleRule::write_few_then_ask_now);
  publish("a", "last", IdleRule::write_few_then_ask_now);
  EXPECT_EQ(need, FlushNeed::none);
  EXPECT_EQ(buffer.look().wanted_in_ns, 0);
  EXPECT_EQ(stream.text.find("last"), std::string::npos);
  EXPECT_EQ(buffer.write_pending(), FlushNeed::none);
  EXPECT_TRUE(stream.text.ends_with("last\r\n"));
}

TEST_F(OutgoingBufferTest, BoundAnswersAgainAndRoomReturns) {
  stream.allowance = 0;
  buffer.connect(&stream, "");
  const std::string data(1000, 'x');
  int taken = 0;
  while (publish("a", data) == ErrorCode::ok) ++taken;
  EXPECT_EQ(publish("a", data), ErrorCode::again);
  EXPECT_EQ(taken, 9);
  EXPECT_LE(buffer.pending_bytes(), 10000);
  EXPECT_TRUE(buffer.look().is_blocked);
  EXPECT_FALSE(buffer.has_room(1000));
  stream.allowance = SIZE_MAX;
  buffer.on_writable();
  EXPECT_EQ(buffer.pending_bytes(), 0);
  EXPECT_TRUE(buffer.has_room(1000));
  EXPECT_EQ(publish("a", std::string(50000, 'y')), ErrorCode::ok)
      << "an empty buffer takes any one message";
}

TEST_F(OutgoingBufferTest, LostConnectionKeepsWholePublishesOnly) {
  buffer.connect(&stream, "");
  stream.allowance = 20;
  publish("a", "12345");             // 16 bytes
  publish("b", "PUB x 1\r\ny\r\n");  // cut after 4
  buffer.control("SUB z 9\r\n", false);
  publish("c", "kept", IdleRule::write);
  buffer.control("PING\r\n", false);
  buffer.disconnect();
  EXPECT_EQ(publish("d", "also"), ErrorCode::ok);
  buffer.control("SUB lost 3\r\n", false);
  FakeStream next;
  buffer.connect(&next, "SUB z 9\r\n");
  EXPECT_EQ(next.text, "SUB z 9\r\nPUB c 4\r\nkept\r\nPUB d 4\r\nalso\r\n");
}

TEST_F(OutgoingBufferTest, ReconnectBufferIsBounded) {
  const std::string data(150, 'x');
  EXPECT_EQ(publish("a", data), ErrorCode::ok);
  EXPECT_EQ(publish("a", data), ErrorCode::ok);
  EXPECT_EQ(publish("a", data), ErrorCode::disconnected);
  buffer.set_draining();
  EXPECT_EQ(publish("a", ""), ErrorCode::draining);
  buffer.close();
  EXPECT_EQ(publish("a", ""), ErrorCode::closed);
}

TEST_F(OutgoingBufferTest, WhileTheStreamTakesNothingOnePongIsEnough) {
  buffer.connect(&stream, "");
  buffer.pong();
  buffer.pong();
  buffer.write_pending();
  EXPECT_EQ(stream.text, "PONG\r\nPONG\r\n") << "each is answered while it can be";
  stream.text.clear();
  stream.allowance = 0;
  buffer.pong();
  buffer.write_pending();
  for (int i = 0; i < 1000; ++i) buffer.pong();
  EXPECT_LE(buffer.pending_bytes(), 12);
  stream.allowance = SIZE_MAX;
  buffer.on_writable();
  buffer.pong();
  buffer.write_pending();
  EXPECT_EQ(stream.text, "PONG\r\nPONG\r\nPONG\r\n");
}

TEST_F(OutgoingBufferTest, LinesOfOursThatPileUpBreakTheStream) {
  buffer.connect(&stream, "");
  stream.allowance = 0;
  const std::string line = "SUB " + std::string(4000, 's') + " 1\r\n";
  int64_t lines = 0;
  while (!buffer.look().is_broken && ++lines < 10000) buffer.control(line, false);
  EXPECT_TRUE(buffer.look().is_broken);
  EXPECT_LE(buffer.pending_bytes(), 10000 + OutgoingBuffer::control_bytes_max + 5000);
  EXPECT_EQ(buffer.control(line, false), FlushNeed::none);
}

TEST_F(OutgoingBufferTest, ASizeThatCannotBeHasNoRoom) {
  buffer.connect(&stream, "");
  stream.allowance = 0;
  publish("a", "xyz");
  EXPECT_FALSE(buffer.has_room(INT64_MAX));
  EXPECT_TRUE(buffer.has_room(-1));
}

TEST_F(OutgoingBufferTest, ALossTellsWhichPublishesItTook) {
  buffer.connect(&stream, "");
  int64_t number = 0;
  for (int i = 1; i <= 3; ++i) {
    if (i == 2) stream.allowance = 0;
    ASSERT_TRUE(buffer.publish({"s", "", "", "x"}, IdleRule::write, false, &need, &number).is_ok());
    EXPECT_EQ(number, i);
  }
  EXPECT_EQ(buffer.disconnect(), 1);
}

TEST_F(OutgoingBufferTest, FailedWriteIsToldToTheLoop) {
  buffer.connect(&stream, "");
  stream.fails = true;
  publish("a", "x");
  EXPECT_EQ(need, FlushNeed::now);
  EXPECT_TRUE(buffer.look().is_broken);
}

}  // namespace
}  // namespace martlet::client
