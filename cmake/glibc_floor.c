/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns what the compiler's headers and Debian's static libraries (C++ runtime, libxcrypt, our
 * libevent) ask of a C library younger than 2.28. Hidden: nobody else in the process sees it. Each
 * does what the callers did before the C library had the function. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define HIDDEN __attribute__((visibility("hidden"), used))

enum { NS_PER_S = 1000000000 };

/* 2.32. "Perhaps there are more threads", which is always safe. */
HIDDEN char __libc_single_threaded = 0;

typedef int clockwait_fn(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*);

/* The one of the C library that runs, if it has one: NULL otherwise. */
static clockwait_fn* system_clockwait(void) {
  static _Atomic(clockwait_fn*) found;
  static atomic_bool looked;
  if (!atomic_load_explicit(&looked, memory_order_acquire)) {
    void* symbol = dlsym(RTLD_DEFAULT, "pthread_cond_clockwait");
    clockwait_fn* function;
    memcpy(&function, &symbol, sizeof function);
    atomic_store_explicit(&found, function, memory_order_relaxed);
    atomic_store_explicit(&looked, true, memory_order_release);
  }
  return atomic_load_explicit(&found, memory_order_relaxed);
}

/* 2.30. Before, a std::condition_variable waited by the clock of the day: setting that clock makes
 * such a wait longer or shorter. */
HIDDEN int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                  clockid_t clock, const struct timespec* until) {
  clockwait_fn* const clockwait = system_clockwait();
  struct timespec now, today;
  if (clockwait != NULL) return clockwait(condition, mutex, clock, until);
  if (clock_gettime(clock, &now) != 0 || clock_gettime(CLOCK_REALTIME, &today) != 0) return EINVAL;
  today.tv_sec += until->tv_sec - now.tv_sec;
  today.tv_nsec += until->tv_nsec - now.tv_nsec;
  if (today.tv_nsec < 0) {
    today.tv_nsec += NS_PER_S;
    --today.tv_sec;
  } else if (today.tv_nsec >= NS_PER_S) {
    today.tv_nsec -= NS_PER_S;
    ++today.tv_sec;
  }
  return pthread_cond_timedwait(condition, mutex, &today);
}

/* 2.36, which ends the process too where there is no randomness. */
HIDDEN void arc4random_buf(void* out, size_t bytes) {
  unsigned char* next = out;
  while (bytes > 0) {
    const ssize_t got = getrandom(next, bytes, 0);
    if (got < 0 && errno != EINTR) abort();
    if (got <= 0) continue;
    next += got;
    bytes -= (size_t)got;
  }
}

HIDDEN uint32_t arc4random(void) {
  uint32_t value;
  arc4random_buf(&value, sizeof value);
  return value;
}
