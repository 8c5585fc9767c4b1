// SPDX-License-Identifier: Apache-2.0
//
// Goal: a timer never fires early, and at most one tick late, however far ahead it lies and however
// the clock jumps. Method: random timers against a sorted list; the seed is printed.
#include "io/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "base/random.hpp"

namespace martlet::io {
namespace {

struct Probe {
  explicit Probe(const int64_t* now) : timer(&Probe::fired, this), now_ns(now) {}
  static void fired(void* self) {
    Probe* probe = static_cast<Probe*>(self);
    probe->fired_at_ns = *probe->now_ns;
    probe->count += 1;
  }
  Timer timer;
  const int64_t* now_ns;
  int64_t fired_at_ns = -1;
  int count = 0;
};

TEST(TimerWheel, fires_at_the_deadline_and_not_before) {
  const char* text = std::getenv("SEED");
  const uint64_t seed = text != nullptr ? strtoull(text, nullptr, 10) : 7;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  int64_t now = 123'456'789'000;
  TimerWheel wheel(now);
  std::vector<std::unique_ptr<Probe>> probes;
  std::vector<int64_t> deadlines;
  for (int i = 0; i < 2000; i++) {
    probes.push_back(std::make_unique<Probe>(&now));
    const int64_t delay = static_cast<int64_t>(random.below(1000)) * (1LL << random.below(31));
    deadlines.push_back(now + delay);
    wheel.start(probes.back()->timer, now + delay);
  }
  EXPECT_EQ(wheel.count(), 2000U);
  int64_t steps = 0;
  while (wheel.count() > 0 && steps++ < 2'000'000) {
    const int64_t delay = wheel.next_delay_ns(now);
    ASSERT_GE(delay, 0);
    const int64_t before = now;
    now += delay > 0 ? delay : TimerWheel::tick_ns;
    wheel.advance(now);
    for (size_t i = 0; i < probes.size(); i++) {
      if (probes[i]->fired_at_ns == now) {
        ASSERT_GE(now, deadlines[i]);
        ASSERT_LE(before, deadlines[i] + 2 * TimerWheel::tick_ns);
      }
    }
  }
  for (const auto& probe : probes) EXPECT_EQ(probe->count, 1);
}

TEST(TimerWheel, a_callback_may_stop_the_timer_that_is_next) {
  int64_t now = 0;
  TimerWheel wheel(now);
  Probe second(&now);
  struct Owner {
    Timer timer;
    TimerWheel* wheel;
    Timer* victim;
  };
  Owner first{Timer(
                  [](void* self) {
                    Owner* owner = static_cast<Owner*>(self);
                    owner->wheel->stop(*owner->victim);
                  },
                  &first),
              &wheel, &second.timer};
  wheel.start(first.timer, 8'000'000);
  wheel.start(second.timer, 8'000'000);
  now = 100'000'000;
  wheel.advance(now);
  EXPECT_EQ(second.count, 0);
  EXPECT_EQ(wheel.count(), 0U);
}

TEST(TimerWheel, a_jump_of_the_clock_fires_everything_that_is_due) {
  int64_t now = 5;
  TimerWheel wheel(now);
  Probe near(&now);
  Probe far(&now);
  wheel.start(near.timer, 10'000'000);
  wheel.start(far.timer, 3'600LL * 1'000'000'000);
  now = 4'000LL * 1'000'000'000;
  wheel.advance(now);
  EXPECT_EQ(near.count, 1);
  EXPECT_EQ(far.count, 1);
  EXPECT_EQ(wheel.next_delay_ns(now), -1);
}

}  // namespace
}  // namespace martlet::io
