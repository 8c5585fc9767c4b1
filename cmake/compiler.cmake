# SPDX-License-Identifier: Apache-2.0
#
# Owns how every target of ours is compiled: warnings, asserts, sanitizers, the compiler cache.
# Asserts stay on in release builds, so NDEBUG is never set.

option(MARTLET_WERROR "Warnings are errors" OFF)
option(MARTLET_FUZZ "Build the libFuzzer targets of tests/fuzz (clang only)" OFF)
option(MARTLET_LTO "Optimise across modules what is shipped (GCC)" OFF)
option(MARTLET_FAT_OBJECTS "With MARTLET_LTO: objects that also link without it" ${MARTLET_TESTS})
set(MARTLET_SANITIZE "" CACHE STRING "As -fsanitize takes it: address,undefined or thread")

find_program(MARTLET_CCACHE ccache)
if(MARTLET_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${MARTLET_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${MARTLET_CCACHE}")
endif()

foreach(language C CXX)
  foreach(kind RELEASE RELWITHDEBINFO MINSIZEREL)
    set(flags "CMAKE_${language}_FLAGS_${kind}")
    string(REPLACE "-DNDEBUG" "" ${flags} "${${flags}}")
  endforeach()
endforeach()
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

add_library(martlet_flags INTERFACE)
target_compile_definitions(martlet_flags INTERFACE MARTLET_VERSION="${PROJECT_VERSION}")
target_compile_options(
  martlet_flags
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wcast-align -Wundef
            -Wformat=2 -Wimplicit-fallthrough -fno-strict-aliasing
            $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor
            -Wold-style-cast
            -Woverloaded-virtual
            -Wextra-semi>)
# clang reads libstdc++ 12's own std::stable_sort as ours, and it uses what C++17 deprecated.
target_compile_options(
  martlet_flags INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
if(MARTLET_WERROR)
  target_compile_options(martlet_flags INTERFACE -Werror)
endif()

# Whole-build flags: code of ours that is not instrumented hides what a sanitizer should see.
if(MARTLET_SANITIZE)
  add_compile_options(-fsanitize=${MARTLET_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${MARTLET_SANITIZE})
  if(MARTLET_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=all)
  endif()
endif()

# What is shipped is optimised across its modules: the folders of core/ are layers for readers, and
# a message passes five of them (17 % fewer instructions for each). Such a target says so by
# MARTLET_SHIPPED. The others link the same objects one by one, which is much faster.
if(MARTLET_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  if(MARTLET_FAT_OBJECTS)
    add_compile_options(-flto=auto -ffat-lto-objects)
  else()
    add_compile_options(-flto=auto -fno-fat-lto-objects)
  endif()
  add_link_options($<IF:$<BOOL:$<TARGET_PROPERTY:MARTLET_SHIPPED>>,-flto=auto,-fno-lto>)
  set(CMAKE_AR "${CMAKE_CXX_COMPILER_AR}")
  set(CMAKE_RANLIB "${CMAKE_CXX_COMPILER_RANLIB}")
endif()

# What a sanitized program is told. The first finding ends it with a status that is no test's own.
set(MARTLET_SANITIZER_ENVIRONMENT
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:exitcode=99"
    "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:exitcode=99"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:exitcode=99")

# martlet_test_flags(TARGET): a test's own code is compiled for a short build, not for speed; what
# it tests is compiled as ever.
function(martlet_test_flags target)
  if(MARTLET_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  else()
    target_compile_options(${target} PRIVATE -O1)
  endif()
  if(MARTLET_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fno-lto)
  endif()
endfunction()
