// SPDX-License-Identifier: Apache-2.0
//
// Owns the table of live handles of debug builds. It is the one thing in the library that all
// instances share, it holds no more than addresses, and release builds do not have it (see
// docs/adr: statuses instead of crashes).
#include "handle.hpp"

#if MARTLET_HANDLE_TABLE
#include <mutex>
#include <unordered_set>
#endif

namespace martlet::capi {

namespace {
thread_local int callback_depth = 0;

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

CallbackScope::CallbackScope() { ++callback_depth; }
CallbackScope::~CallbackScope() { --callback_depth; }
bool CallbackScope::is_inside() { return callback_depth > 0; }

}  // namespace martlet::capi
