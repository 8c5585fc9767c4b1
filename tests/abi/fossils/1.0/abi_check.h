/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns what the C programs of these tests share: the counting of promises that were kept, and a few
 * steps that each of them makes. For one source file of a program. */
#ifndef MARTLET_TESTS_ABI_CHECK_H
#define MARTLET_TESTS_ABI_CHECK_H

#include <stdio.h>
#include <string.h>

#include "martlet/martlet.h"

static int passed = 0;
static int failed = 0;

#define CHECK(condition)                                               \
  do {                                                                 \
    if (condition) {                                                   \
      ++passed;                                                        \
    } else {                                                           \
      ++failed;                                                        \
      printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                  \
  } while (0)

#define TEXT(literal) (literal), (int64_t)(sizeof(literal) - 1)
#define NONE NULL, 0
#define WAIT_MS 10000

/* Fails with the sentence of the error, so that a reader of the log knows why. */
static inline void check_ok(martlet_status status, martlet_error* error, const char* call,
                            int line) {
  if (status == MARTLET_OK) {
    ++passed;
  } else {
    ++failed;
    printf("%d: %s: %s: %s\n", line, call, martlet_status_name(status, NULL),
           martlet_error_text(error, NULL));
  }
  martlet_error_free(error);
}

#define OK(call_with_error)                              \
  do {                                                   \
    martlet_error* error = NULL;                         \
    martlet_status status = call_with_error;             \
    check_ok(status, error, #call_with_error, __LINE__); \
  } while (0)

static inline const martlet_descriptor* descriptor_at(const martlet_batch* batch, int32_t index) {
  martlet_batch_info info = {.info_bytes = sizeof(info)};
  if (martlet_batch_info_get(batch, &info, NULL) != MARTLET_OK || index >= info.count) return NULL;
  const char* first = (const char*)martlet_batch_descriptors(batch);
  return (const martlet_descriptor*)(const void*)(first + (int64_t)index * info.stride_bytes);
}

static inline int holds(const martlet_batch* batch, int32_t offset, int32_t bytes,
                        const char* expected) {
  const char* block = (const char*)martlet_batch_block(batch, NULL);
  return block != NULL && (size_t)bytes == strlen(expected) &&
         memcmp(block + offset, expected, (size_t)bytes) == 0;
}

/* Polls until a descriptor of this kind comes; a batch of at most one. */
static inline martlet_batch* poll_kind(martlet_queue* queue, int32_t kind) {
  for (int i = 0; i < 1000; ++i) {
    martlet_batch* batch = NULL;
    if (martlet_queue_poll(queue, 1, WAIT_MS, &batch, NULL) != MARTLET_OK) return NULL;
    if (descriptor_at(batch, 0)->kind == kind) return batch;
    martlet_batch_release(batch);
  }
  return NULL;
}

static inline martlet_connection* connect_to(martlet_server* server, const char* options,
                                             martlet_queue* events) {
  martlet_connection* connection = NULL;
  OK(martlet_connection_new_in_process(server, options, (int64_t)strlen(options), events, 7,
                                       &connection, &error));
  if (connection != NULL) OK(martlet_connection_connect(connection, -1, &error));
  return connection;
}

#endif
