// SPDX-License-Identifier: Apache-2.0
//
// The same for ThreadSanitizer, which links operators of its own, whole and not weak, so that
// nobody can replace them. The linker's --wrap sends every call of this program and its archives
// through here, under the operators' mangled names; what libstdc++ allocates inside itself does not
// fail.
#include <cstddef>
#include <new>

#include "tests/support/failing_allocations.hpp"

namespace {

[[noreturn]] void fail() { throw std::bad_alloc(); }

}  // namespace

#define MARTLET_WRAP_THROWING(name, parameters, arguments) \
  extern "C" void* __real_##name parameters;               \
  extern "C" void* __wrap_##name parameters {              \
    if (martlet::test::fails_now()) fail();                \
    return __real_##name arguments;                        \
  }
#define MARTLET_WRAP_NOTHROW(name, parameters, arguments)                  \
  extern "C" void* __real_##name parameters;                               \
  extern "C" void* __wrap_##name parameters {                              \
    return martlet::test::fails_now() ? nullptr : __real_##name arguments; \
  }

MARTLET_WRAP_THROWING(_Znwm, (size_t bytes), (bytes))
MARTLET_WRAP_THROWING(_Znam, (size_t bytes), (bytes))
MARTLET_WRAP_THROWING(_ZnwmSt11align_val_t, (size_t bytes, size_t line), (bytes, line))
MARTLET_WRAP_THROWING(_ZnamSt11align_val_t, (size_t bytes, size_t line), (bytes, line))
MARTLET_WRAP_NOTHROW(_ZnwmRKSt9nothrow_t, (size_t bytes, const void* tag), (bytes, tag))
MARTLET_WRAP_NOTHROW(_ZnamRKSt9nothrow_t, (size_t bytes, const void* tag), (bytes, tag))
MARTLET_WRAP_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t,
                     (size_t bytes, size_t line, const void* tag), (bytes, line, tag))
MARTLET_WRAP_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t,
                     (size_t bytes, size_t line, const void* tag), (bytes, line, tag))
