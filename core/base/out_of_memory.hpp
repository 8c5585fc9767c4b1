// SPDX-License-Identifier: Apache-2.0
//
// Owns the one place where a failed allocation is caught. The core throws nothing itself, but its
// containers throw std::bad_alloc, and above a loop stand frames of C and the host's own thread.
// Who stands at such an edge, or owns what the work was done for, runs it through
// fits_into_memory() and gives up what the work concerned: docs/adr/0015.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace martlet {

/// Runs `work`. False when memory could not be had for it; how far it came is then up to `work`.
template <typename Work>
[[nodiscard]] inline bool fits_into_memory(Work&& work) {
  try {
    std::forward<Work>(work)();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

/// Makes room for `count` items in all, in steps that grow: until then push_back() cannot fail.
template <typename Item>
inline void reserve_for(std::vector<Item>& items, size_t count) {
  if (items.capacity() < count) items.reserve(std::max(count, items.capacity() * 2));
}

}  // namespace martlet
