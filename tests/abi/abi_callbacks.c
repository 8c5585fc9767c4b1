/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what a program closes and frees inside its wake-up callback ends, neither under the feet of
 * the library nor never, whichever thread the callback runs on. Method: one broker and clients of
 * two ways to run in this process; the end of a queue is seen by the end of its callback.
 * Prints "N passed, N failed". */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abi_check.h"
#include "martlet/martlet.h"

typedef struct {
  martlet_connection* connection;
  martlet_queue* queue;
  martlet_subscription* subscription;
  martlet_server* server;
  int closes;       /* Close before freeing. */
  atomic_int calls; /* Of the callback. */
  atomic_int ended; /* The queue let the callback go: it has ended. */
} frees_in_callback;

static void free_on_wake(void* user_data) {
  frees_in_callback* self = (frees_in_callback*)user_data;
  if (atomic_fetch_add(&self->calls, 1) > 0) return;
  if (self->closes) {
    martlet_connection_close(self->connection, NULL);
    martlet_queue_close(self->queue, NULL);
    martlet_queue_close(self->queue, NULL);
  }
  martlet_subscription_free(self->subscription);
  martlet_connection_free(self->connection);
  martlet_server_free(self->server);
  martlet_queue_free(self->queue);
}

static void note_end(void* user_data) { atomic_store(&((frees_in_callback*)user_data)->ended, 1); }

static int comes_true(atomic_int* flag) {
  for (int i = 0; i < WAIT_MS && atomic_load(flag) == 0; ++i) usleep(1000);
  return atomic_load(flag) == 1;
}

static void watch(frees_in_callback* self) {
  OK(martlet_queue_new(NONE, &self->queue, &error));
  OK(martlet_queue_set_wake(self->queue, free_on_wake, self, note_end, &error));
}

static void test_free_in_callback(martlet_server* server, const char* options, int closes) {
  frees_in_callback self = {.closes = closes};
  watch(&self);
  martlet_connection* other = connect_to(server, "{}", NULL);
  self.connection = connect_to(server, options, NULL);
  OK(martlet_subscription_new(self.connection, TEXT("f"), NONE, NONE, self.queue, 1,
                              &self.subscription, &error));
  OK(martlet_connection_flush(self.connection, WAIT_MS, &error));
  OK(martlet_connection_publish(other, TEXT("f"), NONE, NONE, TEXT("x"), &error));
  OK(martlet_connection_flush(other, WAIT_MS, &error));
  if (strstr(options, "caller") != NULL) { /* Who drives is in a call on what is freed. */
    martlet_batch* batch = NULL;
    martlet_queue_poll(self.queue, 1, WAIT_MS, &batch, NULL);
    martlet_batch_release(batch);
  }
  CHECK(comes_true(&self.ended));
  OK(martlet_connection_flush(other, WAIT_MS, &error)); /* The broker has lost one and lives. */
  martlet_connection_free(other);
}

static void test_server_free_in_callback(void) {
  frees_in_callback self = {0};
  watch(&self);
  OK(martlet_server_new(TEXT("{\"debug\": true}"), &self.server, &error));
  /* A line that the server says on a thread of its own: a client that comes. */
  martlet_queue* log = self.queue;
  OK(martlet_server_set_log(self.server, log, 0, MARTLET_LOG_DEBUG, &error));
  OK(martlet_queue_set_wake(log, NULL, NULL, NULL, &error));
  CHECK(comes_true(&self.ended));
  atomic_store(&self.ended, 0);
  OK(martlet_server_start(self.server, &error));
  martlet_connection* connection = NULL;
  martlet_text* url = NULL;
  OK(martlet_server_url(self.server, &url, &error));
  int64_t url_bytes = 0;
  const char* address = martlet_text_get(url, &url_bytes);
  OK(martlet_connection_new(address, url_bytes, NULL, 0, &connection, &error));
  martlet_batch* batch = NULL;
  while (martlet_queue_poll(log, 10, 0, &batch, NULL) == MARTLET_OK) martlet_batch_release(batch);
  OK(martlet_queue_set_wake(log, free_on_wake, &self, note_end, &error));
  OK(martlet_connection_start(connection, &error));
  CHECK(comes_true(&self.ended));
  martlet_text_free(url);
  martlet_connection_free(connection);
}

/* A connection that closes, and is freed by what it tells of that. */
static void test_free_while_closing(martlet_server* server) {
  frees_in_callback self = {0};
  watch(&self);
  self.connection = connect_to(server, "{}", self.queue);
  CHECK(comes_true(&self.ended)); /* CONNECTED was enough. */
  frees_in_callback late = {0};
  OK(martlet_queue_new(NONE, &late.queue, &error));
  late.connection = connect_to(server, "{}", late.queue);
  martlet_batch_release(poll_kind(late.queue, MARTLET_KIND_CONNECTED));
  OK(martlet_queue_set_wake(late.queue, free_on_wake, &late, note_end, &error));
  OK(martlet_connection_close(late.connection, &error));
  CHECK(comes_true(&late.ended));
}

/* A callback that closes the connection that is closing: told once. */
static void close_on_wake(void* user_data) {
  martlet_connection_close(((frees_in_callback*)user_data)->connection, NULL);
}

static void test_close_in_callback(martlet_server* server) {
  frees_in_callback self = {0};
  martlet_subscription* subscription = NULL;
  martlet_queue *events = NULL, *messages = NULL;
  OK(martlet_queue_new(NONE, &events, &error));
  OK(martlet_queue_new(NONE, &messages, &error));
  self.connection = connect_to(server, "{}", events);
  OK(martlet_subscription_new(self.connection, TEXT("c"), NONE, NONE, messages, 1, &subscription,
                              &error));
  OK(martlet_queue_set_wake(messages, close_on_wake, &self, NULL, &error));
  OK(martlet_connection_close(self.connection, &error));
  CHECK(martlet_connection_start(self.connection, NULL) == MARTLET_ERR_CLOSED);
  CHECK(martlet_connection_connect(self.connection, 0, NULL) == MARTLET_ERR_CLOSED);
  martlet_connection_free(self.connection);
  int closed = 0;
  martlet_batch* batch = NULL;
  while (martlet_queue_poll(events, 1, 0, &batch, NULL) == MARTLET_OK) {
    closed += descriptor_at(batch, 0)->kind == MARTLET_KIND_CLOSED;
    martlet_batch_release(batch);
  }
  CHECK(closed == 1);
  martlet_subscription_free(subscription);
  martlet_queue_free(messages);
  martlet_queue_free(events);
}

int main(void) {
  martlet_server* server = NULL;
  OK(martlet_server_new(NONE, &server, &error));
  OK(martlet_server_start(server, &error));
  for (int closes = 0; closes < 2; ++closes) {
    test_free_in_callback(server, "{}", closes);
    test_free_in_callback(server, "{\"run\": \"caller\"}", closes);
  }
  test_server_free_in_callback();
  test_free_while_closing(server);
  test_close_in_callback(server);
  martlet_server_free(server);
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
