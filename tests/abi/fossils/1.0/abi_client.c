/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: every function of the C ABI does what its comment says, for a program in plain C that knows
 * the headers and the library alone. Method: one broker and clients of all ways to run in this
 * process; each promise is one CHECK. test_abi.py proves that no exported function is missing here.
 * Prints "N passed, N failed". */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi_check.h"
#include "martlet/martlet.h"

/* --- version, statuses, errors, texts --- */

static void test_basics(void) {
  int64_t bytes = -1;
  /* A later library serves this program too: it may stand among the fossils. */
  CHECK(martlet_abi_version() / 1000 == MARTLET_ABI_MAJOR);
  CHECK(martlet_abi_version() % 1000 >= MARTLET_ABI_MINOR);
  CHECK(strlen(martlet_version_text(&bytes)) == (size_t)bytes && bytes > 0);
  martlet_text* linked = NULL;
  CHECK(martlet_linked_versions(&linked, NULL) == MARTLET_OK);
  CHECK(strstr(martlet_text_get(linked, &bytes), "\"libevent\":\"") != NULL && bytes > 0);
  martlet_text_free(linked);
  CHECK(martlet_linked_versions(NULL, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  CHECK(strcmp(martlet_status_name(MARTLET_ERR_TIMEOUT, &bytes), "ERR_TIMEOUT") == 0 &&
        bytes == 11);
  CHECK(strcmp(martlet_status_name(12345, NULL), "UNKNOWN") == 0);
  CHECK(martlet_error_status(NULL) == MARTLET_ERR_INVALID_HANDLE);
  CHECK(strcmp(martlet_error_text(NULL, &bytes), "") == 0 && bytes == 0);
  CHECK(strcmp(martlet_text_get(NULL, &bytes), "") == 0 && bytes == 0);
  martlet_error_free(NULL);
  martlet_text_free(NULL);
  martlet_batch_release(NULL);
  martlet_queue_free(NULL);
  martlet_server_free(NULL);
  martlet_connection_free(NULL);
  martlet_subscription_free(NULL);
}

static void test_wrong_options(void) {
  martlet_error* error = NULL;
  martlet_server* server = NULL;
  CHECK(martlet_server_new(TEXT("{\"prot\": 1}"), &server, &error) == MARTLET_ERR_OPTIONS);
  CHECK(server == NULL && martlet_error_status(error) == MARTLET_ERR_OPTIONS);
  CHECK(strstr(martlet_error_text(error, NULL), "prot") != NULL);
  martlet_error_free(error);
  martlet_queue* queue = NULL;
  CHECK(martlet_queue_new(TEXT("{\"messages_max\": 0}"), &queue, NULL) == MARTLET_ERR_OPTIONS &&
        queue == NULL);
  martlet_connection* connection = NULL;
  CHECK(martlet_connection_new(TEXT("http://x"), NULL, 0, &connection, NULL) ==
        MARTLET_ERR_OPTIONS);
  CHECK(martlet_connection_new(TEXT("{\"ping_interval_ms\": \"x\"}"), NULL, 0, &connection, NULL) ==
        MARTLET_ERR_OPTIONS);
  CHECK(connection == NULL);
  CHECK(martlet_queue_new("x", -1, &queue, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  CHECK(martlet_queue_new(NULL, 5, &queue, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  CHECK(martlet_queue_new(NONE, NULL, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
}

/* --- the server --- */

static void test_server(void) {
  martlet_server* server = NULL;
  martlet_queue* log = NULL;
  int32_t port = -1;
  martlet_text* text = NULL;
  OK(martlet_queue_new(NONE, &log, &error));
  OK(martlet_server_new(TEXT("{\"http_port\": 0}"), &server, &error));
  CHECK(martlet_server_client_port(server, &port, NULL) == MARTLET_ERR_STATE && port == -1);
  OK(martlet_server_set_log(server, log, 5, MARTLET_LOG_INFO, &error));
  CHECK(martlet_server_set_log(server, log, 5, 99, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  OK(martlet_server_start(server, &error));
  CHECK(martlet_server_start(server, NULL) == MARTLET_ERR_STATE);
  CHECK(martlet_server_set_log(server, log, 5, MARTLET_LOG_INFO, NULL) == MARTLET_ERR_STATE);
  OK(martlet_server_client_port(server, &port, &error));
  CHECK(port > 0);
  OK(martlet_server_monitoring_port(server, &port, &error));
  CHECK(port > 0);
  OK(martlet_server_url(server, &text, &error));
  CHECK(strncmp(martlet_text_get(text, NULL), "nats://127.0.0.1:", 17) == 0);
  martlet_text_free(text);
  OK(martlet_server_statistics(server, &text, &error));
  CHECK(strstr(martlet_text_get(text, NULL), "\"connections\":0") != NULL);
  martlet_text_free(text);
  martlet_batch* line = poll_kind(log, MARTLET_KIND_LOG_LINE);
  CHECK(line != NULL && descriptor_at(line, 0)->cookie == 5 &&
        descriptor_at(line, 0)->data_bytes > 0);
  martlet_batch_release(line);
  martlet_queue_free(log); /* Before the server: allowed. */
  OK(martlet_server_stop(server, &error));
  OK(martlet_server_stop(server, &error));
  OK(martlet_server_start(server, &error)); /* A second life. */
  martlet_server_free(server);
}

/* --- queues, batches, messages --- */

static atomic_int wakes;
static atomic_int frees;
static martlet_status poll_in_callback;

static void on_wake(void* user_data) {
  martlet_batch* batch = NULL;
  atomic_fetch_add(&wakes, 1);
  poll_in_callback = martlet_queue_poll((martlet_queue*)user_data, 1, 0, &batch, NULL);
}

static void on_free(void* user_data) {
  (void)user_data;
  atomic_fetch_add(&frees, 1);
}

static void test_poll_into(martlet_connection* connection, martlet_queue* queue) {
  /* poll_into: first a buffer that holds nothing. */
  for (int i = 0; i < 2; ++i)
    OK(martlet_connection_publish(connection, TEXT("a.c"), NONE, NONE, TEXT("x"), &error));
  OK(martlet_connection_flush(connection, WAIT_MS, &error));
  _Alignas(8) char buffer[1024];
  martlet_batch_info info = {.info_bytes = sizeof(info)};
  CHECK(martlet_queue_poll_into(queue, buffer, 16, 10, WAIT_MS, &info, NULL) ==
        MARTLET_ERR_BUFFER_TOO_SMALL);
  CHECK(info.count == 0 && info.block_bytes > 64);
  info = (martlet_batch_info){.info_bytes = sizeof(info)};
  OK(martlet_queue_poll_into(queue, buffer, sizeof(buffer), 10, WAIT_MS, &info, &error));
  CHECK(info.count == 2 && info.stride_bytes == (int32_t)sizeof(martlet_descriptor) &&
        info.descriptors_offset == 0);
  const martlet_descriptor* second =
      (const martlet_descriptor*)(const void*)(buffer + info.stride_bytes);
  CHECK(second->data_bytes == 1 && buffer[second->data_offset] == 'x');
  CHECK(martlet_queue_poll_into(queue, buffer + 1, 512, 1, 0, &info, NULL) <
        0); /* Not aligned, or info is stale. */
}

static void test_messages(martlet_server* server) {
  martlet_queue* queue = NULL;
  martlet_subscription* subscription = NULL;
  OK(martlet_queue_new(TEXT("{\"messages_max\": 100}"), &queue, &error));
  martlet_connection* connection = connect_to(server, "{}", NULL);
  OK(martlet_queue_set_wake(queue, on_wake, queue, on_free, &error));
  OK(martlet_subscription_new(connection, TEXT("a.*"), NONE, NONE, queue, 42, &subscription,
                              &error));
  OK(martlet_connection_publish(connection, TEXT("a.b"), TEXT("r"),
                                TEXT("NATS/1.0\r\nK: v\r\n\r\n"), TEXT("hello"), &error));
  OK(martlet_connection_flush(connection, WAIT_MS, &error));
  int32_t fd = -1;
  OK(martlet_queue_descriptor(queue, &fd, &error));
  struct pollfd readable = {.fd = fd, .events = POLLIN};
  CHECK(poll(&readable, 1, WAIT_MS) == 1);
  CHECK(atomic_load(&wakes) == 1 && poll_in_callback == MARTLET_ERR_IN_CALLBACK);
  martlet_queue* pump = NULL;
  OK(martlet_queue_new(NONE, &pump, &error));
  CHECK(martlet_queue_notify_ready(queue, queue, 8, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  OK(martlet_queue_notify_ready(queue, pump, 9, &error)); /* At once: a message waits. */
  martlet_batch* ready = poll_kind(pump, MARTLET_KIND_READY);
  CHECK(ready != NULL && descriptor_at(ready, 0)->cookie == 9);
  martlet_batch_release(ready);
  martlet_queue_free(pump);
  int64_t count = 0, bytes = 0;
  OK(martlet_subscription_pending(subscription, &count, &bytes, &error));
  CHECK(count == 1 && bytes > 0);

  martlet_batch* batch = NULL;
  OK(martlet_queue_poll(queue, 10, WAIT_MS, &batch, &error));
  const martlet_descriptor* d = descriptor_at(batch, 0);
  CHECK(d != NULL && d->kind == MARTLET_KIND_MESSAGE && d->cookie == 42 && d->sid > 0);
  CHECK(d->flags == (MARTLET_FLAG_HEADERS | MARTLET_FLAG_REPLY) && d->received_ns > 0);
  CHECK(holds(batch, d->subject_offset, d->subject_bytes, "a.b"));
  CHECK(holds(batch, d->reply_offset, d->reply_bytes, "r"));
  CHECK(holds(batch, d->headers_offset, d->headers_bytes, "NATS/1.0\r\nK: v\r\n\r\n"));
  CHECK(holds(batch, d->data_offset, d->data_bytes, "hello"));
  martlet_batch_info info = {.info_bytes = 8};
  CHECK(martlet_batch_info_get(batch, &info, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  info = (martlet_batch_info){.info_bytes = sizeof(info), .reserved = 1};
  CHECK(martlet_batch_info_get(batch, &info, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  OK(martlet_batch_retain(batch, &error));
  martlet_batch_release(batch);
  CHECK(martlet_batch_block(batch, &bytes) != NULL && bytes > 0); /* One reference is left. */
  martlet_batch_release(batch);
  CHECK(poll(&readable, 1, 0) == 0); /* Empty: not readable. */
  CHECK(martlet_queue_poll(queue, 10, 0, &batch, NULL) == MARTLET_AGAIN);
  CHECK(martlet_queue_poll(queue, 0, 0, &batch, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  CHECK(martlet_queue_poll(queue, 1, -2, &batch, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  CHECK(martlet_queue_poll(queue, 1, 0, NULL, NULL) == MARTLET_ERR_INVALID_ARGUMENT);

  OK(martlet_queue_set_wake(queue, NULL, NULL, NULL, &error));
  CHECK(atomic_load(&frees) == 1);

  test_poll_into(connection, queue);
  int64_t dropped = -1, delivered = -1;
  OK(martlet_subscription_dropped(subscription, &dropped, &delivered, &error));
  CHECK(dropped == 0 && delivered == 3);
  OK(martlet_subscription_unsubscribe(subscription, &error));
  CHECK(martlet_subscription_unsubscribe(subscription, NULL) == MARTLET_ERR_CLOSED);
  martlet_subscription_free(subscription);
  OK(martlet_queue_close(queue, &error));
  while (martlet_queue_poll(queue, 10, 0, &batch, NULL) == MARTLET_OK) martlet_batch_release(batch);
  CHECK(martlet_queue_poll(queue, 10, WAIT_MS, &batch, NULL) == MARTLET_DONE);
  martlet_connection_free(connection);
  martlet_queue_free(queue);
}

static void test_subscription_ends(martlet_server* server) {
  martlet_queue* queue = NULL;
  martlet_subscription *limited = NULL, *drained = NULL;
  OK(martlet_queue_new(NONE, &queue, &error));
  martlet_connection* connection = connect_to(server, "{}", NULL);
  CHECK(martlet_subscription_new(connection, TEXT("a..b"), NONE, NONE, queue, 0, &limited, NULL) ==
        MARTLET_ERR_SUBJECT);
  CHECK(martlet_subscription_new(connection, TEXT("a"), NONE, TEXT("{\"x\":1}"), queue, 0, &limited,
                                 NULL) == MARTLET_ERR_OPTIONS);
  OK(martlet_subscription_new(connection, TEXT("l"), TEXT("g"), NONE, queue, 1, &limited, &error));
  CHECK(martlet_subscription_auto_unsubscribe(limited, 0, NULL) == MARTLET_ERR_INVALID_ARGUMENT);
  OK(martlet_subscription_auto_unsubscribe(limited, 1, &error));
  OK(martlet_connection_publish(connection, TEXT("l"), NONE, NONE, NONE, &error));
  martlet_batch* end = poll_kind(queue, MARTLET_KIND_SUBSCRIPTION_END);
  CHECK(end != NULL && descriptor_at(end, 0)->cookie == 1 &&
        descriptor_at(end, 0)->status == MARTLET_OK);
  martlet_batch_release(end);
  OK(martlet_subscription_new(connection, TEXT("d"), NONE, NONE, queue, 2, &drained, &error));
  OK(martlet_subscription_drain(drained, &error));
  end = poll_kind(queue, MARTLET_KIND_SUBSCRIPTION_END);
  CHECK(end != NULL && descriptor_at(end, 0)->cookie == 2);
  martlet_batch_release(end);
  martlet_connection_free(connection); /* Before its subscriptions: allowed. */
  martlet_subscription_free(limited);
  martlet_subscription_free(drained);
  martlet_queue_free(queue);
}

/* --- the connection --- */

typedef struct {
  martlet_connection* connection;
  martlet_queue* queue;
} responder;

static void* respond(void* argument) {
  responder* self = (responder*)argument;
  martlet_batch* batch = NULL;
  while (martlet_queue_poll(self->queue, 1, -1, &batch, NULL) == MARTLET_OK) {
    const martlet_descriptor* d = descriptor_at(batch, 0);
    const char* block = (const char*)martlet_batch_block(batch, NULL);
    if (d->kind == MARTLET_KIND_MESSAGE) {
      martlet_connection_publish(self->connection, block + d->reply_offset, d->reply_bytes, NONE,
                                 NONE, block + d->data_offset, d->data_bytes, NULL);
    }
    martlet_batch_release(batch);
  }
  return NULL;
}

static void test_requests(martlet_server* server) {
  responder service = {0};
  martlet_subscription* subscription = NULL;
  martlet_queue* queue = NULL;
  pthread_t thread;
  OK(martlet_queue_new(NONE, &service.queue, &error));
  OK(martlet_queue_new(NONE, &queue, &error));
  service.connection = connect_to(server, "{\"name\": \"service\"}", NULL);
  martlet_connection* connection = connect_to(server, "{}", NULL);
  OK(martlet_subscription_new(service.connection, TEXT("echo"), NONE, NONE, service.queue, 0,
                              &subscription, &error));
  OK(martlet_connection_flush(service.connection, WAIT_MS, &error));
  CHECK(pthread_create(&thread, NULL, respond, &service) == 0);

  martlet_batch* reply = NULL;
  OK(martlet_connection_request(connection, TEXT("echo"), NONE, TEXT("ping"), WAIT_MS, &reply,
                                &error));
  const martlet_descriptor* d = descriptor_at(reply, 0);
  CHECK(d != NULL && d->kind == MARTLET_KIND_REPLY &&
        holds(reply, d->data_offset, d->data_bytes, "ping"));
  martlet_batch_release(reply);
  CHECK(martlet_connection_request(connection, TEXT("nobody"), NONE, NONE, WAIT_MS, &reply, NULL) ==
        MARTLET_ERR_NO_RESPONDERS);
  OK(martlet_connection_request_start(connection, TEXT("echo"), NONE, TEXT("pong"), WAIT_MS, queue,
                                      9, &error));
  reply = poll_kind(queue, MARTLET_KIND_REPLY);
  d = descriptor_at(reply, 0);
  CHECK(d != NULL && d->cookie == 9 && holds(reply, d->data_offset, d->data_bytes, "pong"));
  martlet_batch_release(reply);
  OK(martlet_connection_request_many_start(connection, TEXT("echo"), NONE, TEXT("many"), 1, WAIT_MS,
                                           queue, 10, &error));
  reply = poll_kind(queue, MARTLET_KIND_REPLY);
  CHECK(reply != NULL && descriptor_at(reply, 0)->cookie == 10);
  martlet_batch_release(reply);

  martlet_text* inbox = NULL;
  OK(martlet_connection_new_inbox(connection, &inbox, &error));
  CHECK(strncmp(martlet_text_get(inbox, NULL), "_INBOX.", 7) == 0);
  martlet_text_free(inbox);

  martlet_queue_close(service.queue, NULL);
  pthread_join(thread, NULL);
  martlet_subscription_free(subscription);
  martlet_connection_free(service.connection);
  martlet_connection_free(connection);
  martlet_queue_free(service.queue);
  martlet_queue_free(queue);
}

static void test_refused(martlet_connection* connection) {
  static char large[1048577];
  CHECK(martlet_connection_publish(connection, TEXT("a"), NONE, NONE, large, sizeof(large), NULL) ==
        MARTLET_ERR_MAX_PAYLOAD);
  CHECK(martlet_connection_publish(connection, TEXT("a b"), NONE, NONE, NONE, NULL) ==
        MARTLET_ERR_SUBJECT);
  CHECK(martlet_connection_publish(connection, NONE, NONE, NONE, NONE, NULL) ==
        MARTLET_ERR_SUBJECT);
  CHECK(martlet_connection_publish(connection, TEXT("a"), NONE, TEXT("nonsense"), NONE, NULL) < 0);
  CHECK(martlet_connection_publish(connection, "a", -5, NONE, NONE, NONE, NULL) ==
        MARTLET_ERR_INVALID_ARGUMENT);
  int32_t fd = -1;
  CHECK(martlet_connection_descriptor(connection, &fd, NULL) == MARTLET_ERR_STATE);
  CHECK(martlet_connection_process(connection, NULL) == MARTLET_ERR_STATE);
  CHECK(martlet_connection_next_timeout(connection, &fd, NULL) == MARTLET_ERR_STATE);
}

static void test_connection_life(martlet_server* server) {
  martlet_queue* events = NULL;
  martlet_text* url = NULL;
  martlet_connection* connection = NULL;
  int32_t state = -1;
  OK(martlet_queue_new(NONE, &events, &error));
  OK(martlet_server_url(server, &url, &error));
  int64_t url_bytes = 0;
  const char* address = martlet_text_get(url, &url_bytes);
  OK(martlet_connection_new(address, url_bytes, events, 3, &connection, &error));
  OK(martlet_connection_state(connection, &state, &error));
  CHECK(state == MARTLET_STATE_NEW);
  OK(martlet_connection_start(connection, &error));
  CHECK(martlet_connection_start(connection, NULL) == MARTLET_ERR_STATE);
  CHECK(martlet_connection_connect(connection, 0, NULL) == MARTLET_ERR_STATE);
  martlet_batch* event = poll_kind(events, MARTLET_KIND_CONNECTED);
  CHECK(event != NULL && descriptor_at(event, 0)->cookie == 3);
  martlet_batch_release(event);
  OK(martlet_connection_state(connection, &state, &error));
  CHECK(state == MARTLET_STATE_CONNECTED);

  int64_t number = 0;
  OK(martlet_connection_max_payload(connection, &number, &error));
  CHECK(number == 1048576);
  OK(martlet_connection_rtt(connection, WAIT_MS, &number, &error));
  CHECK(number > 0);
  martlet_text* json = NULL;
  OK(martlet_connection_statistics(connection, &json, &error));
  CHECK(strstr(martlet_text_get(json, NULL), "\"connected_url\"") != NULL);
  martlet_text_free(json);
  OK(martlet_connection_wait_capacity(connection, 1, WAIT_MS, &error));
  OK(martlet_connection_notify_capacity(connection, 1, events, 11, &error));
  event = poll_kind(events, MARTLET_KIND_CAPACITY);
  CHECK(event != NULL && descriptor_at(event, 0)->cookie == 11);
  martlet_batch_release(event);
  OK(martlet_connection_flush_start(connection, WAIT_MS, events, 12, &error));
  event = poll_kind(events, MARTLET_KIND_FLUSHED);
  CHECK(event != NULL && descriptor_at(event, 0)->cookie == 12 &&
        descriptor_at(event, 0)->status == MARTLET_OK);
  martlet_batch_release(event);

  test_refused(connection);

  OK(martlet_connection_drain_start(connection, WAIT_MS, &error));
  event = poll_kind(events, MARTLET_KIND_CLOSED);
  CHECK(event != NULL && descriptor_at(event, 0)->status == MARTLET_OK);
  martlet_batch_release(event);
  CHECK(martlet_connection_publish(connection, TEXT("a"), NONE, NONE, NONE, NULL) ==
        MARTLET_ERR_CLOSED);
  martlet_connection_free(connection);

  connection = connect_to(server, "{\"run\": \"caller\"}", NULL);
  OK(martlet_connection_drain(connection, WAIT_MS, &error));
  OK(martlet_connection_close(connection, &error));
  OK(martlet_connection_close(connection, &error));
  martlet_connection_free(connection);
  martlet_text_free(url);
  martlet_queue_free(events);
}

static void test_lent_loop(martlet_server* server) {
  martlet_queue* queue = NULL;
  martlet_connection* connection = NULL;
  martlet_batch* batch = NULL;
  int32_t fd = -1, timeout_ms = -2;
  OK(martlet_queue_new(NONE, &queue, &error));
  OK(martlet_connection_new_in_process(server, TEXT("{\"run\": \"lent\"}"), queue, 1, &connection,
                                       &error));
  OK(martlet_connection_descriptor(connection, &fd, &error));
  OK(martlet_connection_start(connection, &error));
  martlet_status status = MARTLET_AGAIN;
  for (int i = 0; i < 1000 && status == MARTLET_AGAIN; ++i) {
    OK(martlet_connection_process(connection, &error));
    OK(martlet_connection_next_timeout(connection, &timeout_ms, &error));
    status = martlet_queue_poll(queue, 1, 0, &batch, NULL);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (status == MARTLET_AGAIN)
      poll(&readable, 1, timeout_ms < 0 || timeout_ms > 100 ? 100 : timeout_ms);
  }
  CHECK(status == MARTLET_OK && descriptor_at(batch, 0)->kind == MARTLET_KIND_CONNECTED);
  martlet_batch_release(batch);
  OK(martlet_connection_close(connection, &error));
  martlet_connection_free(connection);
  martlet_queue_free(queue);
}

/* --- mistakes --- */

static void test_wrong_handles(martlet_server* server) {
  martlet_queue* queue = NULL;
  martlet_batch* batch = NULL;
  int32_t number = 0;
  OK(martlet_queue_new(NONE, &queue, &error));
  /* A handle of another kind, and none. */
  CHECK(martlet_queue_poll((martlet_queue*)(void*)server, 1, 0, &batch, NULL) ==
        MARTLET_ERR_INVALID_HANDLE);
  CHECK(martlet_server_client_port((martlet_server*)(void*)queue, &number, NULL) ==
        MARTLET_ERR_INVALID_HANDLE);
  CHECK(martlet_queue_poll(NULL, 1, 0, &batch, NULL) == MARTLET_ERR_INVALID_HANDLE);
  CHECK(martlet_server_start(NULL, NULL) == MARTLET_ERR_INVALID_HANDLE);
  CHECK(martlet_connection_publish(NULL, TEXT("a"), NONE, NONE, NONE, NULL) ==
        MARTLET_ERR_INVALID_HANDLE);
  CHECK(martlet_connection_state((martlet_connection*)(void*)queue, &number, NULL) ==
        MARTLET_ERR_INVALID_HANDLE);
  CHECK(martlet_subscription_drain((martlet_subscription*)(void*)queue, NULL) ==
        MARTLET_ERR_INVALID_HANDLE);
  CHECK(martlet_batch_descriptors(NULL) == NULL && martlet_batch_block(NULL, NULL) == NULL);
  CHECK(martlet_batch_retain(NULL, NULL) == MARTLET_ERR_INVALID_HANDLE);
  martlet_queue_free(queue);
}

static void test_fork(martlet_server* server) {
  martlet_queue* queue = NULL;
  OK(martlet_queue_new(NONE, &queue, &error));
  martlet_connection* connection = connect_to(server, "{}", NULL);
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    martlet_batch* batch = NULL;
    const int inert = martlet_server_stop(server, NULL) == MARTLET_ERR_FORKED &&
                      martlet_queue_poll(queue, 1, 0, &batch, NULL) == MARTLET_ERR_FORKED &&
                      martlet_connection_publish(connection, TEXT("a"), NONE, NONE, NONE, NULL) ==
                          MARTLET_ERR_FORKED;
    /* Nor does the parent's queue go with what is the child's own. */
    martlet_server* own = NULL;
    martlet_connection* own_connection = NULL;
    martlet_subscription* subscription = NULL;
    const int foreign =
        martlet_server_new(NONE, &own, NULL) == MARTLET_OK &&
        martlet_server_set_log(own, queue, 0, MARTLET_LOG_INFO, NULL) == MARTLET_ERR_FORKED &&
        martlet_connection_new_in_process(own, NONE, NULL, 0, &own_connection, NULL) ==
            MARTLET_OK &&
        martlet_subscription_new(own_connection, TEXT("a"), NONE, NONE, queue, 0, &subscription,
                                 NULL) == MARTLET_ERR_FORKED;
    martlet_connection_free(own_connection);
    martlet_connection_free(connection);
    martlet_queue_free(queue);
    martlet_server_free(server);
    /* What the child makes itself works. */
    const int works = martlet_server_start(own, NULL) == MARTLET_OK;
    martlet_server_free(own);
    _exit(inert && foreign && works ? 0 : 1);
  }
  int child_status = -1;
  CHECK(waitpid(child, &child_status, 0) == child && WIFEXITED(child_status) &&
        WEXITSTATUS(child_status) == 0);
  OK(martlet_connection_flush(connection, WAIT_MS, &error)); /* The parent goes on. */
  martlet_connection_free(connection);
  martlet_queue_free(queue);
}

int main(void) {
  test_basics();
  test_wrong_options();
  test_server();
  martlet_server* server = NULL;
  OK(martlet_server_new(NONE, &server, &error));
  OK(martlet_server_start(server, &error));
  test_messages(server);
  test_subscription_ends(server);
  test_requests(server);
  test_connection_life(server);
  test_lent_loop(server);
  test_wrong_handles(server);
  test_fork(server);
  martlet_server_free(server);
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
