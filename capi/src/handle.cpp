// SPDX-License-Identifier: Apache-2.0
//
// Owns the table of live handles of debug builds. It is the one thing in the library that all
// instances share, it holds no more than addresses, and release builds do not have it (see
// docs/adr: statuses instead of crashes). And the calls and callbacks that each thread is in.
#include "handle.hpp"

#include <thread>
#include <utility>

#include "base/out_of_memory.hpp"
#include "io/thread.hpp"

#if MARTLET_HANDLE_TABLE
#include <mutex>
#include <unordered_set>
#endif

namespace martlet::capi {

namespace {
struct ThreadState {
  int calls = 0;
  int callbacks = 0;
  bool is_ours = false;         // The outermost frame is a callback: the thread is one of ours.
  HandleHead* ended = nullptr;  // Wait until the outermost call is left.
};
thread_local ThreadState state;

void destroy_all(HandleHead* head) {
  while (head != nullptr) {
    HandleHead* const next = head->next_ended;
    head->destroy(head);
    head = next;
  }
}

#if MARTLET_HANDLE_TABLE
struct Table {
  std::mutex mutex;
  std::unordered_set<const HandleHead*> live;
};

Table& table() {
  static Table* const only =
      new Table;  // Never freed: a handle may be used while the process ends.
  return *only;
}
#endif

}  // namespace

void HandleHead::enlist([[maybe_unused]] HandleHead* head) {
#if MARTLET_HANDLE_TABLE
  std::lock_guard<std::mutex> lock(table().mutex);
  table().live.insert(head);
#endif
}

void HandleHead::retire_head(HandleHead* head) {
  head->mark = 0;
#if MARTLET_HANDLE_TABLE
  std::lock_guard<std::mutex> lock(table().mutex);
  table().live.erase(head);
#endif
}

bool HandleHead::is_listed([[maybe_unused]] const HandleHead* head) {
#if MARTLET_HANDLE_TABLE
  std::lock_guard<std::mutex> lock(table().mutex);
  return table().live.count(head) > 0;
#else
  return true;
#endif
}

void end_later(HandleHead* head) noexcept {
  if (!state.is_ours) {
    head->next_ended = std::exchange(state.ended, head);
    return;
  }
  // No thread, or no memory for one: it lies, which is better than to end under its own feet.
  (void)fits_into_memory([head] {
    Result<std::thread> thread = io::start_thread("an end", [head] {
      const CallScope call;  // What ends may call back, and that may free.
      destroy_all(head);
    });
    if (thread) thread->detach();
  });
}

CallScope::CallScope() { ++state.calls; }
CallScope::~CallScope() {
  if (state.calls == 1 && state.callbacks == 0) {
    while (state.ended != nullptr) destroy_all(std::exchange(state.ended, nullptr));
  }
  --state.calls;
}

CallbackScope::CallbackScope() {
  if (state.callbacks++ == 0) state.is_ours = state.calls == 0;
}
CallbackScope::~CallbackScope() {
  if (--state.callbacks == 0) state.is_ours = false;
}
bool CallbackScope::is_inside() { return state.callbacks > 0; }

}  // namespace martlet::capi
