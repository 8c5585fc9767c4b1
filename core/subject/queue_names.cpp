// SPDX-License-Identifier: Apache-2.0
//
// See queue_names.hpp.
#include "subject/queue_names.hpp"

#include <cstring>

#include "base/assert.hpp"

namespace martlet::subject {
namespace {

constexpr uint32_t places_first = 4;

}  // namespace

QueueNames::~QueueNames() {
  table_.for_each([this](uint32_t id_plus_one) {
    Name* const name = places_[id_plus_one - 1].name;
    heap_.release(name, sizeof(Name) + name->bytes);
  });
  table_.clear(heap_);
  if (place_capacity_ != 0) heap_.release(places_, place_capacity_ * sizeof(Place));
}

uint32_t QueueNames::acquire(std::string_view name) noexcept {
  const uint32_t hash = hash_(name);
  const uint32_t found =
      table_.find(hash, [&](uint32_t id_plus_one) { return text(id_plus_one - 1) == name; });
  if (found != 0) {
    Name* const known = places_[found - 1].name;
    if (known->users == UINT32_MAX) return none;
    ++known->users;
    return found - 1;
  }
  if (!table_.reserve(1, heap_) || !reserve_place()) return none;
  Name* const made = make_name(name, hash);
  if (made == nullptr) return none;
  uint32_t id = place_count_;
  if (free_ != 0) {
    id = free_ - 1;
    free_ = static_cast<uint32_t>(places_[id].next_free);
  } else {
    ++place_count_;
  }
  places_[id].name = made;
  table_.insert(hash, id + 1);
  return id;
}

void QueueNames::release(uint32_t id) noexcept {
  Name* const name = places_[id].name;
  MARTLET_ASSERT(name->users > 0);
  if (--name->users > 0) return;
  table_.erase(name->hash, id + 1, heap_);
  heap_.release(name, sizeof(Name) + name->bytes);
  places_[id].next_free = free_;
  free_ = id + 1;
  if (table_.count() > 0) return;
  heap_.release(places_, place_capacity_ * sizeof(Place));
  places_ = nullptr;
  place_count_ = 0;
  place_capacity_ = 0;
  free_ = 0;
}

std::string_view QueueNames::text(uint32_t id) const noexcept {
  const Name* const name = places_[id].name;
  return {reinterpret_cast<const char*>(name + 1), name->bytes};
}

QueueNames::Name* QueueNames::make_name(std::string_view name, uint32_t hash) noexcept {
  Name* const made = static_cast<Name*>(heap_.allocate(sizeof(Name) + name.size()));
  if (made == nullptr) return nullptr;
  *made = {1, hash, name.size()};
  std::memcpy(made + 1, name.data(), name.size());
  return made;
}

bool QueueNames::reserve_place() noexcept {
  if (free_ != 0 || place_count_ < place_capacity_) return true;
  if (place_count_ >= UINT32_MAX / 2) return false;
  const uint32_t capacity = place_capacity_ == 0 ? places_first : place_capacity_ * 2;
  Place* const places = static_cast<Place*>(heap_.allocate(capacity * sizeof(Place)));
  if (places == nullptr) return false;
  if (place_capacity_ != 0) {
    std::memcpy(places, places_, place_count_ * sizeof(Place));
    heap_.release(places_, place_capacity_ * sizeof(Place));
  }
  places_ = places;
  place_capacity_ = capacity;
  return true;
}

}  // namespace martlet::subject
