/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what a program closes and frees inside its wake-up callback ends, neither under the feet of
 * the library nor never, whichever thread the callback runs on and whatever it was called for.
 * Method: one broker and clients of two ways to run in this process, and a server of a few lines
 * that names others; the end of a queue is seen by the end of its callback.
 * Prints "N passed, N failed". */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
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

/* The message that wakes is followed by one that has no room: reading was about to pause. */
static void test_free_at_a_pause(martlet_server* server, const char* options, int closes) {
  frees_in_callback self = {.closes = closes};
  OK(martlet_queue_new(TEXT("{\"messages_max\": 1}"), &self.queue, &error));
  OK(martlet_queue_set_wake(self.queue, free_on_wake, &self, note_end, &error));
  martlet_connection* other = connect_to(server, "{\"run\": \"caller\", \"gather\": true}", NULL);
  self.connection = connect_to(server, options, NULL);
  OK(martlet_subscription_new(self.connection, TEXT("p"), NONE, NONE, self.queue, 1,
                              &self.subscription, &error));
  OK(martlet_connection_flush(self.connection, WAIT_MS, &error));
  for (int i = 0; i < 10; ++i)
    OK(martlet_connection_publish(other, TEXT("p"), NONE, NONE, TEXT("x"), &error));
  OK(martlet_connection_flush(other, WAIT_MS, &error));
  if (strstr(options, "caller") != NULL) {
    martlet_batch* batch = NULL;
    martlet_queue_poll(self.queue, 1, WAIT_MS, &batch, NULL);
    martlet_batch_release(batch);
  }
  CHECK(comes_true(&self.ended));
  martlet_connection_free(other);
}

/* accept() and read() on it end with an error when nothing comes. */
static void limit_patience(int fd) {
  const struct timeval patience = {.tv_sec = WAIT_MS / 1000};
  CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
}

/* What a server says that names others, and the greeting behind it. */
static void greet_as_a_cluster(int listener) {
  static const char info[] =
      "INFO {\"server_id\":\"S\",\"version\":\"2.15.2\",\"proto\":1,\"max_payload\":1048576,"
      "\"connect_urls\":[\"127.0.0.1:1\",\"127.0.0.1:2\"]}\r\n";
  char heard[4096];
  size_t bytes = 0;
  limit_patience(listener);
  const int fd = accept(listener, NULL, NULL);
  CHECK(fd >= 0);
  if (fd < 0) return;
  limit_patience(fd);
  CHECK(write(fd, info, sizeof(info) - 1) == (ssize_t)(sizeof(info) - 1));
  do {
    const ssize_t more = read(fd, heard + bytes, sizeof(heard) - 1 - bytes);
    if (more <= 0) break;
    bytes += (size_t)more;
    heard[bytes] = 0;
  } while (strstr(heard, "PING\r\n") == NULL);
  CHECK(write(fd, "PONG\r\n", 6) == 6);
  ssize_t last = 0;
  do last = read(fd, heard, sizeof(heard));
  while (last > 0);
  CHECK(last == 0 || errno == ECONNRESET); /* The client is gone. */
  close(fd);
}

/* The first thing that it tells is which servers there are, before it is CONNECTED. */
static void test_free_where_servers_are_discovered(int closes) {
  frees_in_callback self = {.closes = closes};
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t address_bytes = sizeof(address);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(listener, (struct sockaddr*)&address, sizeof(address)) == 0);
  CHECK(listen(listener, 1) == 0);
  CHECK(getsockname(listener, (struct sockaddr*)&address, &address_bytes) == 0);
  char url[64];
  snprintf(url, sizeof(url), "nats://127.0.0.1:%d", ntohs(address.sin_port));
  watch(&self);
  martlet_connection* connection = NULL;
  OK(martlet_connection_new(url, (int64_t)strlen(url), self.queue, 0, &connection, &error));
  self.connection = connection;
  OK(martlet_connection_start(connection, &error));
  greet_as_a_cluster(listener);
  CHECK(comes_true(&self.ended));
  close(listener);
}

int main(void) {
  martlet_server* server = NULL;
  OK(martlet_server_new(NONE, &server, &error));
  OK(martlet_server_start(server, &error));
  for (int closes = 0; closes < 2; ++closes) {
    test_free_in_callback(server, "{}", closes);
    test_free_in_callback(server, "{\"run\": \"caller\"}", closes);
    test_free_at_a_pause(server, "{}", closes);
    test_free_at_a_pause(server, "{\"run\": \"caller\"}", closes);
    test_free_where_servers_are_discovered(closes);
  }
  test_server_free_in_callback();
  test_free_while_closing(server);
  test_close_in_callback(server);
  martlet_server_free(server);
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
