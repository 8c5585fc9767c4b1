/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: cmake/glibc_floor.c waits and draws as the C library does that has these functions, on one
 * that has them and on one that has not. Method: the file itself, compiled in here; the other build
 * makes its search for the system's own find nothing. */
#include "../../cmake/glibc_floor.c"

#include <stdio.h>

#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) {                                       \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
      exit(1);                                                \
    }                                                         \
  } while (0)

enum { NS_PER_MS = 1000000, SHORT_MS = 60, LONG_S = 300 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int is_told;

static struct timespec now_of(clockid_t clock) {
  struct timespec now;
  CHECK(clock_gettime(clock, &now) == 0);
  return now;
}

static int64_t ns_of(struct timespec time) {
  return (int64_t)time.tv_sec * NS_PER_S + time.tv_nsec;
}

static struct timespec later(struct timespec from, int64_t ns) {
  const int64_t sum = ns_of(from) + ns;
  return (struct timespec){.tv_sec = sum / NS_PER_S, .tv_nsec = sum % NS_PER_S};
}

static void a_deadline_ends_the_wait(clockid_t clock) {
  const struct timespec until = later(now_of(clock), (int64_t)SHORT_MS * NS_PER_MS);
  pthread_mutex_lock(&mutex);
  int status = 0;
  while (status == 0) status = pthread_cond_clockwait(&condition, &mutex, clock, &until);
  pthread_mutex_unlock(&mutex);
  CHECK(status == ETIMEDOUT);
  CHECK(ns_of(now_of(clock)) >= ns_of(until) - NS_PER_MS); /* Two clocks were read, one by one. */
}

static void what_has_passed_is_not_waited_for(clockid_t clock) {
  const struct timespec until = later(now_of(clock), -NS_PER_MS);
  pthread_mutex_lock(&mutex);
  CHECK(pthread_cond_clockwait(&condition, &mutex, clock, &until) == ETIMEDOUT);
  pthread_mutex_unlock(&mutex);
}

static void* tell(void* unused) {
  pthread_mutex_lock(&mutex);
  is_told = 1;
  pthread_cond_signal(&condition);
  pthread_mutex_unlock(&mutex);
  return unused;
}

static void a_signal_ends_the_wait(clockid_t clock) {
  const struct timespec until = later(now_of(clock), (int64_t)LONG_S * NS_PER_S);
  pthread_t thread;
  is_told = 0;
  CHECK(pthread_create(&thread, NULL, tell, NULL) == 0);
  pthread_mutex_lock(&mutex);
  while (!is_told) CHECK(pthread_cond_clockwait(&condition, &mutex, clock, &until) == 0);
  pthread_mutex_unlock(&mutex);
  CHECK(pthread_join(thread, NULL) == 0);
}

static void random_bytes_fill_all_and_differ(void) {
  enum { BYTES = 4096 };
  static unsigned char first[BYTES], second[BYTES];
  arc4random_buf(first, BYTES);
  arc4random_buf(second, BYTES);
  CHECK(memcmp(first, second, BYTES) != 0);
  for (int i = 0; i + 16 <= BYTES; i += 16) CHECK(memcmp(first + i, second + i, 16) != 0);
  CHECK(arc4random() != arc4random() || arc4random() != arc4random());
}

int main(void) {
  const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
  CHECK(__libc_single_threaded == 0);
  for (int i = 0; i < 2; ++i) {
    a_deadline_ends_the_wait(clocks[i]);
    what_has_passed_is_not_waited_for(clocks[i]);
    a_signal_ends_the_wait(clocks[i]);
  }
  random_bytes_fill_all_and_differ();
  return 0;
}
