// SPDX-License-Identifier: Apache-2.0
//
// Goal: the in-process stream loses and reorders nothing, wakes who sleeps, and survives the end of
// either side at any moment. Method: two ends in one thread for the rules, two threads with random
// sizes for the rest.
#include "link/memory_pipe.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <thread>

#include "base/random.hpp"
#include "io/loop.hpp"
#include "io/socket.hpp"
#include "io/system_clock.hpp"

namespace martlet::link {
namespace {

using transport::ByteStream;
using transport::StreamResult;
using transport::StreamState;

PipeEnds make(size_t ring_bytes = 256) {
  Result<PipeEnds> ends = make_memory_pipe(PipeOptions{ring_bytes});
  EXPECT_TRUE(ends.is_ok());
  return std::move(*ends);
}

StreamResult put(ByteStream& stream, std::string_view text) {
  const io::IoSlice slice{text.data(), text.size()};
  return stream.write(&slice, 1);
}

std::string take(ByteStream& stream) {
  char buffer[4096];
  const StreamResult result = stream.read(buffer, sizeof buffer);
  return result.state == StreamState::ok ? std::string(buffer, result.bytes) : std::string();
}

bool is_awake(const ByteStream& stream) {
  return io::wait_descriptor(stream.descriptor(), true, false, 0);
}

TEST(MemoryPipe, CarriesBothWays) {
  PipeEnds ends = make();
  EXPECT_EQ(put(*ends.first, "to broker").bytes, 9u);
  EXPECT_EQ(put(*ends.second, "to client").bytes, 9u);
  EXPECT_EQ(take(*ends.second), "to broker");
  EXPECT_EQ(take(*ends.first), "to client");
  char byte = 0;
  EXPECT_EQ(ends.first->read(&byte, 1).state, StreamState::want_read);
  EXPECT_EQ(ends.first->peer_host(), "pipe");
}

TEST(MemoryPipe, TakesWhatFitsAcrossTheWrap) {
  PipeEnds ends = make(64);
  std::string sent;
  std::string received;
  for (int round = 0; round < 50; ++round) {
    const std::string text(static_cast<size_t>(7 + round), static_cast<char>('a' + round % 26));
    const StreamResult result = put(*ends.first, text);
    if (result.state == StreamState::ok) sent += text.substr(0, result.bytes);
    if (round % 2 == 1) received += take(*ends.second);
  }
  received += take(*ends.second);
  EXPECT_EQ(received, sent);
  const io::IoSlice slices[3] = {{"abc", 3}, {"", 0}, {"defg", 4}};
  EXPECT_EQ(ends.first->write(slices, 3).bytes, 7u);
  EXPECT_EQ(take(*ends.second), "abcdefg");
}

TEST(MemoryPipe, WakesASleeperOnceAndAnAwakeEndNever) {
  PipeEnds ends = make();
  EXPECT_FALSE(is_awake(*ends.second));
  put(*ends.first, "a");
  EXPECT_FALSE(is_awake(*ends.second)) << "has not asked yet";
  EXPECT_EQ(take(*ends.second), "a");
  EXPECT_EQ(take(*ends.second), "");  // Now it waits.
  put(*ends.first, "b");
  EXPECT_TRUE(is_awake(*ends.second));
}

TEST(MemoryPipe, AnOldWakeUpDoesNotEndTheNextWait) {
  PipeEnds ends = make();
  EXPECT_EQ(take(*ends.second), "");
  put(*ends.first, "a");
  EXPECT_TRUE(is_awake(*ends.second));
  EXPECT_EQ(take(*ends.second), "a");
  EXPECT_EQ(take(*ends.second), "");
  EXPECT_FALSE(is_awake(*ends.second));
}

TEST(MemoryPipe, SpinningEndIsNotWoken) {
  PipeEnds ends = make();
  ends.second->set_spinning(true);
  EXPECT_EQ(take(*ends.second), "");
  put(*ends.first, "a");
  EXPECT_FALSE(is_awake(*ends.second));
  EXPECT_EQ(take(*ends.second), "a");
  put(*ends.first, "b");
  ends.second->set_spinning(false);
  EXPECT_TRUE(is_awake(*ends.second)) << "what came while it spun wakes it";
}

TEST(MemoryPipe, FullRingWakesTheWriterAtHalf) {
  PipeEnds ends = make(64);
  EXPECT_EQ(put(*ends.first, std::string(100, 'x')).bytes, 64u);
  EXPECT_EQ(put(*ends.first, "y").state, StreamState::want_write);
  EXPECT_FALSE(is_awake(*ends.first));
  char buffer[40];
  EXPECT_EQ(ends.second->read(buffer, 20).bytes, 20u);
  EXPECT_FALSE(is_awake(*ends.first));
  EXPECT_EQ(ends.second->read(buffer, 20).bytes, 20u);
  EXPECT_TRUE(is_awake(*ends.first));
}

TEST(MemoryPipe, CloseIsReadAfterTheRest) {
  PipeEnds ends = make();
  put(*ends.first, "last words");
  ends.first.reset();
  EXPECT_EQ(take(*ends.second), "last words");
  char byte = 0;
  EXPECT_EQ(ends.second->read(&byte, 1).state, StreamState::closed);
  const StreamResult result = put(*ends.second, "x");
  EXPECT_EQ(result.state, StreamState::failed);
  EXPECT_EQ(result.error_number, EPIPE);
}

struct Recorder final : transport::StreamHandler {
  void on_stream_ready(bool readable, bool) override {
    ++calls;
    if (!readable) return;
    char buffer[4];
    const StreamResult result = stream->read(buffer, sizeof buffer);
    if (result.state == StreamState::ok) text.append(buffer, result.bytes);
    if (result.state == StreamState::closed) stream.reset();
  }
  std::unique_ptr<ByteStream> stream;
  std::string text;
  int calls = 0;
};

TEST(MemoryPipe, IsLevelTriggeredOnALoopAndMayEndInItsHandler) {
  const io::SystemClock clock;
  Result<std::unique_ptr<io::Loop>> loop = io::Loop::create(clock);
  ASSERT_TRUE(loop.is_ok());
  PipeEnds ends = make();
  Recorder recorder;
  recorder.stream = std::move(ends.second);
  ASSERT_TRUE(recorder.stream->attach(**loop, recorder).is_ok());
  put(*ends.first, "0123456789");  // Three reads of four bytes.
  ASSERT_TRUE(recorder.stream->set_interest(true, false).is_ok());
  for (int turn = 0; turn < 20 && recorder.text.size() < 10; ++turn) (*loop)->run_once(0);
  EXPECT_EQ(recorder.text, "0123456789");
  ends.first.reset();
  for (int turn = 0; turn < 20 && recorder.stream != nullptr; ++turn) (*loop)->run_once(0);
  EXPECT_EQ(recorder.stream, nullptr);
  EXPECT_LE(recorder.calls, 6);
}

TEST(MemoryPipe, IsLookedAtByASpinningLoopAndWakesOneThatSleeps) {
  const io::SystemClock clock;
  Result<std::unique_ptr<io::Loop>> loop = io::Loop::create(clock);
  ASSERT_TRUE(loop.is_ok());
  (*loop)->set_spin_ns(ns_per_ms);
  PipeEnds ends = make();
  Recorder recorder;
  recorder.stream = std::move(ends.second);
  ASSERT_TRUE(recorder.stream->attach(**loop, recorder).is_ok());
  ASSERT_TRUE(recorder.stream->set_interest(true, false).is_ok());
  put(*ends.first, "abcd");
  (*loop)->run_once(60 * ns_per_s);
  EXPECT_EQ(recorder.text, "abcd");
  (*loop)->run_once(0);  // An old wake-up is seen.
  put(*ends.first, "efgh");
  EXPECT_FALSE(is_awake(*recorder.stream)) << "the loop looks itself";
  (*loop)->run_once(60 * ns_per_s);
  EXPECT_EQ(recorder.text, "abcdefgh");
  for (int turn = 0; turn < 2; ++turn) (*loop)->run_once(5 * ns_per_ms);  // Sleeps.
  put(*ends.first, "ijkl");
  EXPECT_TRUE(is_awake(*recorder.stream)) << "nobody looks any more";
  (*loop)->run_once(60 * ns_per_s);
  EXPECT_EQ(recorder.text, "abcdefghijkl");
  ends.first.reset();
  (*loop)->run_once(60 * ns_per_s);
  EXPECT_EQ(recorder.stream, nullptr);
}

void write_all(ByteStream& stream, std::string_view text, Random& random) {
  while (!text.empty()) {
    const StreamResult result = put(stream, text.substr(0, 1 + random.below(300)));
    ASSERT_NE(result.state, StreamState::failed);
    if (result.state == StreamState::want_write) {
      io::wait_descriptor(stream.descriptor(), true, false, 5 * ns_per_s);
    }
    text.remove_prefix(result.bytes);
  }
}

TEST(MemoryPipe, TwoThreadsLoseNothing) {
  PipeEnds ends = make(1024);
  std::string text(1 << 20, 0);
  Random random(1);
  for (char& byte : text) byte = static_cast<char>(random.next());
  std::thread writer([&] {
    Random sizes(2);
    write_all(*ends.first, text, sizes);
    ends.first.reset();
  });
  std::string received;
  Random sizes(3);
  for (bool open = true; open;) {
    char buffer[500];
    const StreamResult result = ends.second->read(buffer, 1 + sizes.below(500));
    if (result.state == StreamState::ok) received.append(buffer, result.bytes);
    if (result.state == StreamState::want_read) {
      ASSERT_TRUE(io::wait_descriptor(ends.second->descriptor(), true, false, 5 * ns_per_s))
          << "a lost wake-up";
    }
    open = result.state != StreamState::closed;
  }
  writer.join();
  EXPECT_TRUE(received == text);
}

TEST(MemoryPipe, EitherSideMayEndWhileTheOtherWorks) {
  for (int round = 0; round < 200; ++round) {
    PipeEnds ends = make(256);
    std::thread ender([end = std::move(ends.first)]() mutable {
      put(*end, "x");
      end.reset();
    });
    while (put(*ends.second, "some text").state != StreamState::failed) take(*ends.second);
    ender.join();
  }
}

}  // namespace
}  // namespace martlet::link
