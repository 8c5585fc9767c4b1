// SPDX-License-Identifier: Apache-2.0
//
// Owns the names of queue groups: each text once, counted by its users, known by a small number
// from 0 up that is given again after its last user has gone. Promises: the text of a name in use
// does not move.
#pragma once

#include <cstdint>
#include <string_view>

#include "subject/heap_account.hpp"
#include "subject/slot_table.hpp"
#include "subject/token.hpp"

namespace martlet::subject {

class QueueNames {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  QueueNames(HeapAccount& heap, const TokenHash& hash) noexcept : heap_(heap), hash_(hash) {}
  ~QueueNames();
  QueueNames(const QueueNames&) = delete;
  QueueNames& operator=(const QueueNames&) = delete;

  /// The number of `name`, with one user more; `none` when memory could not be had.
  [[nodiscard]] uint32_t acquire(std::string_view name) noexcept;
  void release(uint32_t id) noexcept;

  std::string_view text(uint32_t id) const noexcept;
  uint32_t users(uint32_t id) const noexcept { return places_[id].name->users; }
  /// Every number given out is below this.
  uint32_t ids_end() const noexcept { return place_count_; }
  uint32_t count() const noexcept { return table_.count(); }

 private:
  struct Name {  // The text follows.
    uint32_t users;
    uint32_t hash;
    size_t bytes;
  };
  union Place {
    Name* name;
    uint64_t next_free;  // Number plus one.
  };

  Name* make_name(std::string_view name, uint32_t hash) noexcept;
  bool reserve_place() noexcept;

  HeapAccount& heap_;
  const TokenHash& hash_;
  SlotTable table_;  // Numbers plus one.
  Place* places_ = nullptr;
  uint32_t place_count_ = 0;
  uint32_t place_capacity_ = 0;
  uint32_t free_ = 0;  // Number plus one of a place to use again.
};

}  // namespace martlet::subject
