// SPDX-License-Identifier: Apache-2.0
//
// Every form of the global operators, or a sanitizer's runtime is linked for those that are left
// and brings its own of all the others. They end in malloc, which a sanitizer watches as before.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "tests/support/failing_allocations.hpp"

namespace martlet::test {
namespace {

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
