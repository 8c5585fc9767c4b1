// SPDX-License-Identifier: Apache-2.0
//
// Goal: a lookup never keeps the loop, its answer comes on the loop, and what was given up harms
// nobody, however long it takes. Method: a resolver that answers when the test says so, and the
// system's for a name that everybody has and one that nobody has.
#include "client/name_lookup.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/out_of_memory.hpp"
#include "io/system_clock.hpp"
#include "tests/support/failing_memory.hpp"

namespace martlet::client {
namespace {

using Addresses = Result<std::vector<io::Address>>;

/// Answers with an address when it is opened. Shared, because threads outlive what asked.
struct Gate {
  std::mutex mutex;
  std::condition_variable opened;
  bool is_open = false;
  std::atomic<int> asked{0};
  std::atomic<int> answered{0};

  Addresses pass(uint16_t port) {
    ++asked;
    std::unique_lock<std::mutex> lock(mutex);
    opened.wait(lock, [this] { return is_open; });
    ++answered;
    return io::resolve("127.0.0.1", port);
  }
  void open() {
    std::lock_guard<std::mutex> lock(mutex);
    is_open = true;
    opened.notify_all();
  }
};

class NameLookupTest : public testing::Test, public NameLookupOwner {
 protected:
  ~NameLookupTest() override {
    gate_->open();
    lookup_.reset();
    while (gate_->answered < gate_->asked) std::this_thread::yield();
  }
  void make_gated() {
    lookup_ = std::make_unique<NameLookup>(
        *loop_, *this,
        [gate = gate_](std::string_view, uint16_t port) { return gate->pass(port); });
  }
  bool turn_until(const std::function<bool()>& is_done) {
    const int64_t until = clock_.monotonic_ns() + 60 * ns_per_s;
    while (!is_done()) {
      if (clock_.monotonic_ns() > until) return false;
      loop_->run_once(10 * ns_per_ms);
    }
    return true;
  }
  void on_looked_up(Addresses addresses) override {
    on_thread_ = std::this_thread::get_id();
    answers_.push_back(std::move(addresses));
  }

  const io::SystemClock clock_;
  const std::unique_ptr<io::Loop> loop_ = std::move(*io::Loop::create(clock_));
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::vector<Addresses> answers_;
  std::thread::id on_thread_;
  std::unique_ptr<NameLookup> lookup_ = std::make_unique<NameLookup>(*loop_, *this);
};

TEST_F(NameLookupTest, TheSystemsResolverFindsThisHost) {
  ASSERT_TRUE(lookup_->start("localhost", 4222).is_ok());
  EXPECT_TRUE(lookup_->is_looking());
  ASSERT_TRUE(turn_until([&] { return !answers_.empty(); }));
  EXPECT_FALSE(lookup_->is_looking());
  EXPECT_EQ(on_thread_, std::this_thread::get_id());
  ASSERT_TRUE(answers_[0].is_ok());
  ASSERT_FALSE(answers_[0]->empty());
  EXPECT_EQ((*answers_[0])[0].port(), 4222);
}

TEST_F(NameLookupTest, ANameOfNobodyIsAnError) {
  ASSERT_TRUE(lookup_->start("no-such-host.invalid", 4222).is_ok());
  ASSERT_TRUE(turn_until([&] { return !answers_.empty(); }));
  ASSERT_FALSE(answers_[0].is_ok());
  EXPECT_TRUE(
      answers_[0].error().context.starts_with("cannot look up host \"no-such-host.invalid\": "))
      << answers_[0].error().context;
}

TEST_F(NameLookupTest, TheLoopTurnsWhileTheResolverBlocks) {
  make_gated();
  int timers = 0;
  io::Timer timer([](void* count) { ++*static_cast<int*>(count); }, &timers);
  ASSERT_TRUE(lookup_->start("slow", 1).is_ok());
  for (int i = 1; i <= 3; ++i) {
    loop_->start_timer(timer, ns_per_ms);
    ASSERT_TRUE(turn_until([&] { return timers == i; }));
  }
  EXPECT_TRUE(answers_.empty());
  gate_->open();
  ASSERT_TRUE(turn_until([&] { return !answers_.empty(); }));
  EXPECT_TRUE(answers_[0].is_ok());
}

TEST_F(NameLookupTest, WithoutMemoryNothingHasBegunOrAllIsAsEver) {
  const auto round = [&](test::FailingMemory& memory) {
    make_gated();
    bool has_begun = false;
    memory.during([&] {
      if (!fits_into_memory([&] { has_begun = lookup_->start("slow", 1).is_ok(); }))
        has_begun = false;
    });
    EXPECT_EQ(has_begun, !memory.has_failed());
    EXPECT_EQ(lookup_->is_looking(), has_begun);
  };
  gate_->open();
  EXPECT_GT(test::fail_each_allocation(test::Failing::once, round), 0);
  ASSERT_TRUE(turn_until([&] { return !answers_.empty(); }));
  EXPECT_TRUE(answers_[0].is_ok());
}

TEST_F(NameLookupTest, WhatWasGivenUpIsNotTold) {
  make_gated();
  ASSERT_TRUE(lookup_->start("slow", 1).is_ok());
  lookup_->cancel();
  EXPECT_FALSE(lookup_->is_looking());
  gate_->open();
  while (gate_->answered < 1) std::this_thread::yield();
  ASSERT_TRUE(lookup_->start("next", 2).is_ok());
  ASSERT_TRUE(turn_until([&] { return !answers_.empty(); }));
  loop_->run_once(0);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ((*answers_[0])[0].port(), 2);
}

TEST_F(NameLookupTest, TheSameNameIsAskedForOnce) {
  make_gated();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(lookup_->start("slow", 1).is_ok());
    lookup_->cancel();
  }
  ASSERT_TRUE(lookup_->start("slow", 1).is_ok());
  gate_->open();
  ASSERT_TRUE(turn_until([&] { return !answers_.empty(); }));
  EXPECT_EQ(answers_.size(), 1u);
  EXPECT_EQ(gate_->asked, 1);
}

TEST_F(NameLookupTest, LookupsThatNobodyAnswersAreBounded) {
  make_gated();
  for (uint16_t port = 1; port <= NameLookup::running_max; ++port)
    ASSERT_TRUE(lookup_->start("slow", port).is_ok());
  EXPECT_EQ(lookup_->start("slow", 99).code(), ErrorCode::limit_reached);
  EXPECT_FALSE(lookup_->is_looking());
  gate_->open();
  ASSERT_TRUE(turn_until([&] { return lookup_->start("slow", 99).is_ok(); }));
  ASSERT_TRUE(turn_until([&] { return !answers_.empty(); }));
  EXPECT_EQ((*answers_[0])[0].port(), 99);
}

TEST_F(NameLookupTest, ItMayGoWhileTheResolverBlocks) {
  make_gated();
  ASSERT_TRUE(lookup_->start("slow", 1).is_ok());
  while (gate_->asked < 1) std::this_thread::yield();
  lookup_.reset();
  EXPECT_EQ(gate_->answered, 0);
}

}  // namespace
}  // namespace martlet::client
