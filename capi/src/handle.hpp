// SPDX-License-Identifier: Apache-2.0
//
// Owns what makes a pointer from outside a handle: a mark of its kind in front, and, where
// MARTLET_HANDLE_TABLE is set (debug builds), a table of the live ones that is asked before the
// pointer is looked through. Without the table a handle that was freed is caught as long as its
// memory was not used again. And when a handle that is freed inside a callback ends: not while
// frames of ours that use it are below the callback.
#pragma once

#include <cstdint>

#include "process_mark.hpp"

namespace martlet::capi {

/// What every handle begins with.
struct HandleHead {
  explicit HandleHead(uint32_t kind) : mark(kind), process(process_guard()) { enlist(this); }
  ~HandleHead() { retire_head(this); }
  HandleHead(const HandleHead&) = delete;
  HandleHead& operator=(const HandleHead&) = delete;

  uint32_t mark;
  const io::ForkGuard* process;            // Of the process that made it.
  HandleHead* next_ended = nullptr;        // While it waits for its end: see end_later().
  void (*destroy)(HandleHead*) = nullptr;  // The same; knows the kind.

  static void enlist(HandleHead* head);
  static void retire_head(HandleHead* head);
  static bool is_listed(const HandleHead* head);
};

/// The marks: letters, so that a memory dump can be read.
enum : uint32_t {
  mark_queue = 0x4d515545,         // MQUE
  mark_batch = 0x4d424154,         // MBAT
  mark_server = 0x4d535256,        // MSRV
  mark_connection = 0x4d434f4e,    // MCON
  mark_subscription = 0x4d535542,  // MSUB
};

template <typename Handle>
bool is_live(const Handle* self) {
  return self != nullptr && HandleHead::is_listed(self) && self->mark == Handle::kind_mark;
}

template <typename Handle>
void retire(Handle* self) {
  HandleHead::retire_head(self);
}

template <typename Handle>
const char* handle_text() {
  return Handle::kind_text;
}

/// Ends a handle, which was retired and knows how to be destroyed, when nothing of ours on this
/// thread's stack uses it any more: a thread of the program's does it when it leaves its outermost
/// call, for a thread of ours another one does it at once. Where no thread can be had it lies.
void end_later(HandleHead* head) noexcept;

/// Marks the time in which a thread is inside a call that may run callbacks.
class CallScope {
 public:
  CallScope();
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
};

/// Marks the time in which a callback of the program runs on this thread: calls that wait are
/// refused then.
class CallbackScope {
 public:
  CallbackScope();
  ~CallbackScope();
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;
  static bool is_inside();
};

}  // namespace martlet::capi
