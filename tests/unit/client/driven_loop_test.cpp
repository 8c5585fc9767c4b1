// SPDX-License-Identifier: Apache-2.0
//
// Goal: whoever waits turns the loop, one at a time; nobody sleeps on while his thing has happened;
// the thread of ours steps aside and takes over again.
#include "client/driven_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "io/system_clock.hpp"

namespace martlet::client {
namespace {

class DrivenLoopTest : public testing::Test {
 protected:
  const io::SystemClock clock;
  const std::shared_ptr<DrivenLoop> loop = *DrivenLoop::create(clock, false);
};

TEST_F(DrivenLoopTest, WaitEndsWithItsTime) {
  const int64_t start = clock.monotonic_ns();
  loop->drive_until([] { return false; }, 20 * ns_per_ms);
  EXPECT_GE(clock.monotonic_ns() - start, 20 * ns_per_ms);
  loop->drive_until([] { return false; }, 0);
  loop->drive_until([] { return true; }, -1);
}

TEST_F(DrivenLoopTest, TasksRunOnWhoeverLeads) {
  std::thread::id where;
  loop->run_on_loop([&] {
    where = std::this_thread::get_id();
    EXPECT_TRUE(loop->is_inside());
    loop->run_on_loop([&] { EXPECT_TRUE(loop->is_inside()); });  // Inside: at once.
    loop->drive_until([] { return false; }, -1);  // Inside: does not wait for itself.
  });
  EXPECT_EQ(where, std::this_thread::get_id());
  EXPECT_FALSE(loop->is_inside());
}

// A turn that is wanted in front of the wait is as good as one that is wanted behind it.
struct WantsATurn final : LoopMember {
  int64_t on_before_wait(bool) override { return turns == 0 ? ns_per_ms : -1; }
  int64_t on_turn(bool) override {
    ++turns;
    return -1;
  }
  void on_spin(bool) override {}
  void on_look() override {}
  int direct_descriptor() override { return -1; }
  void on_direct_readable() override {}
  int turns = 0;
};

TEST_F(DrivenLoopTest, TurnThatIsWantedInFrontOfTheWaitComes) {
  WantsATurn member;
  loop->run_on_loop([&] { loop->add_member(&member); });
  member.turns = 0;
  const int64_t start = clock.monotonic_ns();
  loop->drive_until([&] { return member.turns > 0; }, 20 * ns_per_s);
  EXPECT_EQ(member.turns, 1);
  EXPECT_LT(clock.monotonic_ns() - start, 10 * ns_per_s);
  loop->run_on_loop([&] { loop->remove_member(&member); });
}

TEST_F(DrivenLoopTest, FollowerIsWokenByTheLeadersTurn) {
  std::atomic<bool> leader_done{false};
  std::atomic<bool> follower_done{false};
  std::thread leader([&] { loop->drive_until([&] { return leader_done.load(); }, -1); });
  std::thread follower([&] { loop->drive_until([&] { return follower_done.load(); }, -1); });
  loop->loop().post([&] { follower_done = true; });
  follower.join();
  loop->loop().post([&] { leader_done = true; });
  leader.join();
}

TEST_F(DrivenLoopTest, LeadPassesOnWhenTheLeaderLeaves) {
  std::atomic<bool> first{false};
  std::atomic<bool> second{false};
  std::thread one([&] { loop->drive_until([&] { return first.load(); }, -1); });
  std::thread two([&] { loop->drive_until([&] { return second.load(); }, -1); });
  first = true;
  loop->interrupt();
  one.join();
  second = true;
  loop->interrupt();
  two.join();
  EXPECT_FALSE(loop->is_led());
}

TEST_F(DrivenLoopTest, KeeperWorksWhenNobodyWaits) {
  ASSERT_TRUE(loop->start_keeper().is_ok());
  ASSERT_TRUE(loop->start_keeper().is_ok());  // Counted.
  for (int round = 0; round < 3; ++round) {
    std::atomic<bool> ran{false};
    loop->loop().post([&] { ran = true; });
    const int64_t until = clock.monotonic_ns() + 10 * ns_per_s;
    while (!ran && clock.monotonic_ns() < until) std::this_thread::yield();
    EXPECT_TRUE(ran);
    // A waiter takes the lead from it.
    std::thread::id where;
    loop->run_on_loop([&] { where = std::this_thread::get_id(); });
    EXPECT_NE(where, std::thread::id());
  }
  loop->stop_keeper();
  loop->stop_keeper();
  EXPECT_FALSE(loop->ask_for_turn()) << "nobody turns it any more";
}

std::set<std::string> threads_of_this_process() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
    names.insert(entry.path().filename());
  return names;
}

int64_t times_it_slept(const std::string& thread) {
  std::ifstream file("/proc/self/task/" + thread + "/status");
  const std::string mark = "voluntary_ctxt_switches:";
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(mark)) return std::stoll(line.substr(mark.size()));
  return -1;
}

TEST_F(DrivenLoopTest, KeeperSleepsOnWhileSomebodyWaitsForLong) {
  const std::set<std::string> before = threads_of_this_process();
  ASSERT_TRUE(loop->start_keeper().is_ok());
  std::string keeper;
  for (const std::string& name : threads_of_this_process())
    if (!before.contains(name)) keeper = name;
  std::atomic<bool> done{false};
  std::thread waiter([&] { loop->drive_until([&] { return done.load(); }, 60 * ns_per_s); });
  // It naps every 2 ms at first; then a third of a second passes without one of them.
  const int64_t until = clock.monotonic_ns() + 30 * ns_per_s;
  int64_t naps = INT64_MAX;
  while (naps > 10 && clock.monotonic_ns() < until) {
    const int64_t slept = times_it_slept(keeper);
    ASSERT_GE(slept, 0) << keeper;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    naps = times_it_slept(keeper) - slept;
  }
  EXPECT_LE(naps, 10);
  done = true;
  loop->interrupt();
  waiter.join();
  std::atomic<bool> ran{false};
  loop->loop().post([&] { ran = true; });
  while (!ran && clock.monotonic_ns() < until + 10 * ns_per_s) std::this_thread::yield();
  EXPECT_TRUE(ran) << "it takes over again";
  loop->stop_keeper();
}

// Its turn goes on until it is let go.
struct HoldsItsTurn final : LoopMember {
  int64_t on_before_wait(bool) override { return -1; }
  int64_t on_turn(bool) override {
    is_held = true;
    while (!is_let_go) std::this_thread::yield();
    return -1;
  }
  void on_spin(bool) override {}
  void on_look() override {}
  int direct_descriptor() override { return -1; }
  void on_direct_readable() override {}
  std::atomic<bool> is_held{false};
  std::atomic<bool> is_let_go{true};
};

TEST_F(DrivenLoopTest, WhoWaitsBesideALentLoopIsWokenByItsTurn) {
  const std::shared_ptr<DrivenLoop> lent = *DrivenLoop::create(clock, true);
  HoldsItsTurn member;
  lent->run_on_loop([&] { lent->add_member(&member); });
  member.is_held = false;
  member.is_let_go = false;
  std::atomic<bool> done{false};
  std::thread host([&] { lent->process(); });
  while (!member.is_held) std::this_thread::yield();
  const int64_t start = clock.monotonic_ns();
  std::thread waiter([&] { lent->drive_until([&] { return done.load(); }, 60 * ns_per_s); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // It sleeps: somebody leads.
  done = true;
  member.is_let_go = true;
  host.join();
  waiter.join();
  EXPECT_LT(clock.monotonic_ns() - start, 30 * ns_per_s) << "nobody told it";
  lent->run_on_loop([&] { lent->remove_member(&member); });
}

TEST_F(DrivenLoopTest, KeeperThatSleepsIsStopped) {
  ASSERT_TRUE(loop->start_keeper().is_ok());
  std::atomic<bool> done{false};
  std::thread waiter([&] { loop->drive_until([&] { return done.load(); }, 60 * ns_per_s); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  loop->stop_keeper();
  done = true;
  loop->interrupt();
  waiter.join();
}

struct CountsTurns final : LoopMember {
  int64_t on_before_wait(bool) override { return -1; }
  int64_t on_turn(bool) override {
    ++turns;
    return -1;
  }
  void on_spin(bool) override {}
  void on_look() override {}
  int direct_descriptor() override { return -1; }
  void on_direct_readable() override {}
  std::atomic<int> turns{0};
};

// An event loop of the program looks until nothing is there: after each look the next message found
// nobody at the sockets for 2 ms.
TEST_F(DrivenLoopTest, WhoOnlyLooksLeavesTheKeeperWhereItIs) {
  CountsTurns member;
  loop->run_on_loop([&] { loop->add_member(&member); });
  ASSERT_TRUE(loop->start_keeper().is_ok());
  const int64_t until = clock.monotonic_ns() + 10 * ns_per_s;
  while (!loop->is_led() && clock.monotonic_ns() < until) std::this_thread::yield();
  ASSERT_TRUE(loop->is_led());
  const int before = member.turns;
  for (int i = 0; i < 100; ++i) loop->drive_until([] { return false; }, 0);
  EXPECT_TRUE(loop->is_led());
  EXPECT_EQ(member.turns, before);
  loop->stop_keeper();
  const int after = member.turns;
  loop->drive_until([] { return false; }, 0);
  EXPECT_GT(member.turns, after) << "when nobody leads, a look is a turn";
  loop->run_on_loop([&] { loop->remove_member(&member); });
}

TEST_F(DrivenLoopTest, SpinningSeesWhatOthersDo) {
  std::atomic<bool> done{false};
  std::thread other([&] { done = true; });
  loop->spin_until([&] { return done.load(); }, 10 * ns_per_s);
  EXPECT_TRUE(done);
  other.join();
  const int64_t start = clock.monotonic_ns();
  loop->spin_until([] { return false; }, 2 * ns_per_ms);
  EXPECT_GE(clock.monotonic_ns() - start, 2 * ns_per_ms);
}

TEST_F(DrivenLoopTest, NextTurnOfALentLoopIsKnownToAnyThread) {
  const std::shared_ptr<DrivenLoop> lent = *DrivenLoop::create(clock, true);
  EXPECT_EQ(lent->next_timeout_ns(), -1);
  std::atomic<bool> stop{false};
  std::thread asker([&] {
    while (!stop) EXPECT_LE(lent->next_timeout_ns(), 60 * ns_per_s);
  });
  std::deque<io::Timer> timers;
  for (int i = 0; i < 8; ++i) timers.emplace_back([](void*) {}, nullptr);
  for (int round = 0; round < 200; ++round) {
    lent->run_on_loop([&] {
      for (io::Timer& timer : timers) lent->loop().start_timer(timer, ns_per_s * (1 + round % 7));
    });
    lent->process();
  }
  stop = true;
  asker.join();
  const int64_t left = lent->next_timeout_ns();
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 8 * ns_per_s);
  lent->run_on_loop([&] {
    for (io::Timer& timer : timers) lent->loop().stop_timer(timer);
  });
  EXPECT_EQ(lent->next_timeout_ns(), -1);
}

}  // namespace
}  // namespace martlet::client
