/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: who is refused for want of room and asks to be told is told, also when it is another thread
 * of the program that makes the room and nobody turns the connection's loop for it. Method: one
 * thread publishes a large message, which it writes itself; another publishes in the middle of
 * that, over TCP, without the pings that would wake the loop. Prints "N passed, N failed". */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "abi_check.h"
#include "martlet/martlet.h"

#define LARGE_BYTES 900000
#define REFUSALS 12 /* So many are waited for, */
#define ROUNDS 4000 /* in at most so many rounds. */

typedef struct {
  martlet_connection* connection;
  char* large;
  atomic_int begins; /* 1: publish, -1: end. */
  atomic_int done;
} other_publisher;

static void* publish_large(void* user_data) {
  other_publisher* self = (other_publisher*)user_data;
  for (;;) {
    int begins = 0;
    while ((begins = atomic_load(&self->begins)) == 0) usleep(50);
    if (begins < 0) return NULL;
    atomic_store(&self->begins, 0);
    martlet_connection_publish(self->connection, TEXT("large"), NONE, NONE, self->large,
                               LARGE_BYTES, NULL);
    atomic_store(&self->done, 1);
  }
}

static void wait_for(atomic_int* flag, int value) {
  for (int i = 0; i < WAIT_MS * 20 && atomic_load(flag) != value; ++i) usleep(50);
  CHECK(atomic_load(flag) == value);
}

/* Publishes in the middle of the other's write. Whether it was refused. */
static int is_refused(other_publisher* other, int round) {
  atomic_store(&other->done, 0);
  atomic_store(&other->begins, 1);
  wait_for(&other->begins, 0);
  usleep((useconds_t)(round % 30) * 10);
  return martlet_connection_publish(other->connection, TEXT("a"), NONE, NONE, TEXT("x"), NULL) ==
         MARTLET_AGAIN;
}

static void test_room_that_another_thread_makes(martlet_connection* connection) {
  other_publisher other = {.connection = connection, .large = (char*)calloc(1, LARGE_BYTES)};
  martlet_queue* queue = NULL;
  int32_t fd = -1;
  pthread_t thread;
  OK(martlet_queue_new(NONE, &queue, &error));
  OK(martlet_queue_descriptor(queue, &fd, &error));
  CHECK(pthread_create(&thread, NULL, publish_large, &other) == 0);
  int refusals = 0;
  for (int round = 0; round < ROUNDS && refusals < REFUSALS && failed == 0; ++round) {
    if (is_refused(&other, round)) {
      ++refusals;
      OK(martlet_connection_notify_capacity(connection, 1, queue, round, &error));
      struct pollfd readable = {.fd = fd, .events = POLLIN};
      CHECK(poll(&readable, 1, WAIT_MS) ==
            1); /* Not by polling the queue: that reads the socket. */
      martlet_batch* batch = poll_kind(queue, MARTLET_KIND_CAPACITY);
      CHECK(batch != NULL && descriptor_at(batch, 0)->cookie == round);
      martlet_batch_release(batch);
    }
    wait_for(&other.done, 1);
  }
  printf("%d refusals\n", refusals);
  CHECK(refusals > 0);
  atomic_store(&other.begins, -1);
  CHECK(pthread_join(thread, NULL) == 0);
  free(other.large);
  martlet_queue_free(queue);
}

int main(void) {
  martlet_server* server = NULL;
  martlet_connection* connection = NULL;
  martlet_text* url = NULL;
  char options[256];
  OK(martlet_server_new(NONE, &server, &error));
  OK(martlet_server_start(server, &error));
  OK(martlet_server_url(server, &url, &error));
  const int bytes = snprintf(options, sizeof(options),
                             "{\"servers\": \"%s\", \"run\": \"thread\", \"ping_interval_ms\": 0, "
                             "\"pending_bytes_max\": 500000}",
                             martlet_text_get(url, NULL));
  martlet_text_free(url);
  OK(martlet_connection_new(options, bytes, NULL, 0, &connection, &error));
  OK(martlet_connection_connect(connection, WAIT_MS, &error));
  test_room_that_another_thread_makes(connection);
  martlet_connection_free(connection);
  martlet_server_free(server);
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
