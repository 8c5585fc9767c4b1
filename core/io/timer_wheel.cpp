// SPDX-License-Identifier: Apache-2.0
//
// Owns the hierarchical wheel: level L holds the timers that are due within 64^(L+1) ticks; a slot
// of level L is dealt out to the levels below when the ticks below it have gone round once.
#include "io/timer_wheel.hpp"

#include "base/assert.hpp"
#include "base/out_of_memory.hpp"

namespace martlet::io {
namespace {

uint64_t tick_at_or_after(int64_t ns) {
  return static_cast<uint64_t>((ns + TimerWheel::tick_ns - 1) / TimerWheel::tick_ns);
}

}  // namespace

void Timer::unlink() {
  if (next_ == nullptr) return;
  next_->previous_ = previous_;
  previous_->next_ = next_;
  next_ = nullptr;
  previous_ = nullptr;
  wheel_->count_ -= 1;
}

TimerWheel::TimerWheel(int64_t now_ns) : tick_(static_cast<uint64_t>(now_ns / tick_ns)), heads_{} {
  for (auto& level : heads_) {
    for (Timer& head : level) {
      head.next_ = &head;
      head.previous_ = &head;
    }
  }
}

TimerWheel::~TimerWheel() {
  for (auto& level : heads_) {
    for (Timer& head : level) {
      while (head.next_ != &head) head.next_->unlink();
      head.next_ = nullptr;
    }
  }
}

void TimerWheel::place(Timer& timer) {
  uint64_t due = tick_at_or_after(timer.deadline_ns_);
  if (due <= tick_) due = tick_ + 1;
  // Measured from the next tick, so that a slot that is dealt out at it lands wholly on the levels
  // below.
  const uint64_t distance = due - (tick_ + 1);
  int level = 0;
  while (level < levels - 1 && distance >= (1ULL << (level_bits * (level + 1)))) level += 1;
  constexpr uint64_t reach = 1ULL << (level_bits * levels);
  if (distance >= reach)
    due = tick_ + reach;  // Beyond the wheel (8 years): waits at its edge, is placed again there.
  Timer& head = heads_[level][(due >> (level_bits * level)) & (slots - 1)];
  timer.wheel_ = this;
  timer.previous_ = head.previous_;
  timer.next_ = &head;
  head.previous_->next_ = &timer;
  head.previous_ = &timer;
  count_ += 1;
}

void TimerWheel::start(Timer& timer, int64_t deadline_ns) {
  timer.unlink();
  timer.deadline_ns_ = deadline_ns;
  place(timer);
}

void TimerWheel::stop(Timer& timer) { timer.unlink(); }

// Deals the slot that begins at tick_ + 1 on `level` out to the levels below it.
void TimerWheel::cascade(int level) {
  Timer& head = heads_[level][((tick_ + 1) >> (level_bits * level)) & (slots - 1)];
  Timer* timer = head.next_;
  head.previous_->next_ = nullptr;
  head.next_ = &head;
  head.previous_ = &head;
  if (timer == &head) return;
  while (timer != nullptr) {
    Timer* next = timer->next_;
    count_ -= 1;
    place(*timer);
    timer = next;
  }
}

// Fires what the slot of tick_ holds. The timers move to a list of their own first: a callback may
// start timers anew, also into this slot, and stop or destroy any.
uint64_t TimerWheel::fire_slot() {
  Timer& head = heads_[0][tick_ & (slots - 1)];
  if (head.next_ == &head) return 0;
  Timer due;
  due.next_ = head.next_;
  due.previous_ = head.previous_;
  due.next_->previous_ = &due;
  due.previous_->next_ = &due;
  head.next_ = &head;
  head.previous_ = &head;
  uint64_t failed = 0;
  while (due.next_ != &due) {
    Timer* timer = due.next_;
    timer->unlink();
    if (!fits_into_memory([timer] { timer->callback_(timer->owner_); })) failed += 1;
  }
  due.next_ = nullptr;
  return failed;
}

uint64_t TimerWheel::advance(int64_t now_ns) {
  const uint64_t target = static_cast<uint64_t>(now_ns / tick_ns);
  if (count_ == 0) {
    if (target > tick_) tick_ = target;
    return 0;
  }
  uint64_t failed = 0;
  while (tick_ < target) {
    for (int level = levels - 1; level >= 1; level--) {
      if (((tick_ + 1) & ((1ULL << (level_bits * level)) - 1)) == 0) cascade(level);
    }
    tick_ += 1;
    failed += fire_slot();
    if (count_ == 0 && tick_ < target) tick_ = target;
  }
  return failed;
}

int64_t TimerWheel::next_delay_ns(int64_t now_ns) const {
  if (count_ == 0) return -1;
  // The next moment at which something may be dealt out from above: a slot in use of level 1, or a
  // border of level 2.
  uint64_t next = (tick_ | (slots - 1)) + 1;
  for (int steps = 0; steps < slots; steps++) {
    const uint64_t slot = (next >> level_bits) & (slots - 1);
    if (slot == 0 || heads_[1][slot].next_ != &heads_[1][slot]) break;
    next += slots;
  }
  // Sooner than that, the first slot in use of the lowest level.
  for (uint64_t tick = tick_ + 1; tick <= tick_ + slots && tick < next; tick++) {
    const Timer& head = heads_[0][tick & (slots - 1)];
    if (head.next_ != &head) next = tick;
  }
  const int64_t delay = static_cast<int64_t>(next) * tick_ns - now_ns;
  return delay > 0 ? delay : 0;
}

}  // namespace martlet::io
