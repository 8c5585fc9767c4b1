// SPDX-License-Identifier: Apache-2.0
//
// Every form of the global operators, or a sanitizer's runtime is linked for those that are left
// and brings its own of all the others. They end in malloc, which a sanitizer watches as before.
#include "tests/support/failing_allocations.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace martlet::test {
namespace {

constexpr int64_t never = -1;

/// How many allocations succeed before the one that fails.
thread_local int64_t successes_left = never;
thread_local bool has_failed = false;
thread_local bool goes_on_failing = false;

bool fails_now() noexcept {
  if (successes_left == never) return false;
  if (successes_left-- > 0) return false;
  has_failed = true;
  if (goes_on_failing) successes_left = 0;
  return true;
}

void* allocate(size_t bytes) noexcept {
  return fails_now() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
}

void* allocate(size_t bytes, std::align_val_t alignment) noexcept {
  const auto line = static_cast<size_t>(alignment);
  return fails_now() ? nullptr : std::aligned_alloc(line, (bytes + line - 1) / line * line);
}

void* checked(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void fail_allocation_after(int64_t count) {
  has_failed = false;
  goes_on_failing = false;
  successes_left = count;
}

void fail_allocations_from(int64_t count) {
  fail_allocation_after(count);
  goes_on_failing = true;
}

bool stop_failing_allocations() {
  successes_left = never;
  return has_failed;
}

}  // namespace martlet::test

// Not inlined, or the compiler takes malloc and delete for a mistaken pair.
#define MARTLET_OPERATOR [[gnu::noinline]] void
using martlet::test::allocate;
using martlet::test::checked;
using std::align_val_t;
using std::nothrow_t;

MARTLET_OPERATOR* operator new(size_t bytes) { return checked(allocate(bytes)); }
MARTLET_OPERATOR* operator new[](size_t bytes) { return checked(allocate(bytes)); }
MARTLET_OPERATOR* operator new(size_t bytes, align_val_t line) {
  return checked(allocate(bytes, line));
}
MARTLET_OPERATOR* operator new[](size_t bytes, align_val_t line) {
  return checked(allocate(bytes, line));
}
MARTLET_OPERATOR* operator new(size_t bytes, const nothrow_t&) noexcept { return allocate(bytes); }
MARTLET_OPERATOR* operator new[](size_t bytes, const nothrow_t&) noexcept {
  return allocate(bytes);
}
MARTLET_OPERATOR* operator new(size_t bytes, align_val_t line, const nothrow_t&) noexcept {
  return allocate(bytes, line);
}
MARTLET_OPERATOR* operator new[](size_t bytes, align_val_t line, const nothrow_t&) noexcept {
  return allocate(bytes, line);
}

MARTLET_OPERATOR operator delete(void* memory) noexcept { std::free(memory); }
MARTLET_OPERATOR operator delete[](void* memory) noexcept { std::free(memory); }
MARTLET_OPERATOR operator delete(void* memory, size_t) noexcept { std::free(memory); }
MARTLET_OPERATOR operator delete[](void* memory, size_t) noexcept { std::free(memory); }
MARTLET_OPERATOR operator delete(void* memory, align_val_t) noexcept { std::free(memory); }
MARTLET_OPERATOR operator delete[](void* memory, align_val_t) noexcept { std::free(memory); }
MARTLET_OPERATOR operator delete(void* memory, size_t, align_val_t) noexcept { std::free(memory); }
MARTLET_OPERATOR operator delete[](void* memory, size_t, align_val_t) noexcept {
  std::free(memory);
}
MARTLET_OPERATOR operator delete(void* memory, const nothrow_t&) noexcept { std::free(memory); }
MARTLET_OPERATOR operator delete[](void* memory, const nothrow_t&) noexcept { std::free(memory); }
MARTLET_OPERATOR operator delete(void* memory, align_val_t, const nothrow_t&) noexcept {
  std::free(memory);
}
MARTLET_OPERATOR operator delete[](void* memory, align_val_t, const nothrow_t&) noexcept {
  std::free(memory);
}
