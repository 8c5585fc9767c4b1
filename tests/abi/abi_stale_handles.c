/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a handle that was freed is a status, wherever it is given, and freeing it again does
 * nothing. Method: one handle of each kind is freed, then every function that takes that kind gets
 * it. Only a library with the table of live handles (debug and sanitizer builds) can promise this:
 * the suites that have one run this program, and their sanitizer sees whoever looks through a stale
 * pointer. Nothing of the same kind is made after the free: it might get the same address.
 * Prints "N passed, N failed". */
#include "abi_check.h"

#define STALE(call) CHECK((call) == MARTLET_ERR_INVALID_HANDLE)

static void on_wake(void* user_data) { *(int*)user_data += 1; }
static void on_freed(void* user_data) { *(int*)user_data += 100; }

static void test_batch(void) {
  martlet_queue* queue = NULL;
  martlet_queue* events = NULL;
  martlet_batch* stale = NULL;
  int64_t bytes = -1;
  martlet_batch_info info = {.info_bytes = sizeof(info)};
  OK(martlet_queue_new(NONE, &queue, &error));
  OK(martlet_queue_new(NONE, &events, &error));
  OK(martlet_queue_notify_ready(queue, events, 7, &error));
  OK(martlet_queue_close(queue, &error));
  OK(martlet_queue_poll(events, 1, WAIT_MS, &stale, &error));
  OK(martlet_batch_retain(stale, &error));
  martlet_batch_release(stale);
  OK(martlet_batch_info_get(stale, &info, &error)); /* One reference is left. */
  martlet_batch_release(stale);
  STALE(martlet_batch_info_get(stale, &info, NULL));
  STALE(martlet_batch_retain(stale, NULL));
  CHECK(martlet_batch_descriptors(stale) == NULL);
  CHECK(martlet_batch_block(stale, &bytes) == NULL && bytes == 0);
  martlet_batch_release(stale);
  martlet_queue_free(queue);
  martlet_queue_free(events);
}

static void test_queue_itself(martlet_queue* live, martlet_queue* stale) {
  martlet_batch* batch = NULL;
  int64_t buffer[64];
  martlet_batch_info info = {.info_bytes = sizeof(info)};
  int32_t fd = -1;
  int calls = 0;
  martlet_error* error = NULL;
  STALE(martlet_queue_poll(stale, 1, 0, &batch, &error));
  CHECK(martlet_error_status(error) == MARTLET_ERR_INVALID_HANDLE);
  CHECK(strstr(martlet_error_text(error, NULL), "martlet_queue") != NULL);
  martlet_error_free(error);
  STALE(martlet_queue_poll_into(stale, buffer, sizeof(buffer), 1, 0, &info, NULL));
  STALE(martlet_queue_set_wake(stale, on_wake, &calls, on_freed, NULL));
  CHECK(calls == 0); /* A call that fails consumes nothing. */
  STALE(martlet_queue_descriptor(stale, &fd, NULL));
  STALE(martlet_queue_notify_ready(stale, live, 1, NULL));
  STALE(martlet_queue_notify_ready(live, stale, 1, NULL));
  STALE(martlet_queue_close(stale, NULL));
  martlet_queue_free(stale);
  CHECK(batch == NULL && fd == -1);
}

static void test_queue(martlet_server* server) {
  martlet_queue* live = NULL;
  martlet_queue* stale = NULL;
  martlet_connection* none = NULL;
  martlet_subscription* subscription = NULL;
  martlet_server* silent = NULL;
  OK(martlet_server_new(NONE, &silent, &error));
  martlet_connection* connection = connect_to(server, "{}", NULL);
  OK(martlet_queue_new(NONE, &live, &error));
  OK(martlet_queue_new(NONE, &stale, &error));
  martlet_queue_free(stale);
  test_queue_itself(live, stale);
  STALE(martlet_server_set_log(silent, stale, 1, MARTLET_LOG_INFO, NULL));
  STALE(martlet_connection_new(TEXT("127.0.0.1:1"), stale, 1, &none, NULL));
  STALE(martlet_connection_new_in_process(server, NONE, stale, 1, &none, NULL));
  STALE(martlet_connection_notify_capacity(connection, 1, stale, 1, NULL));
  STALE(martlet_connection_flush_start(connection, WAIT_MS, stale, 1, NULL));
  STALE(
      martlet_connection_request_start(connection, TEXT("a"), NONE, NONE, WAIT_MS, stale, 1, NULL));
  STALE(martlet_connection_request_many_start(connection, TEXT("a"), NONE, NONE, 1, WAIT_MS, stale,
                                              1, NULL));
  STALE(martlet_subscription_new(connection, TEXT("a"), NONE, NONE, stale, 1, &subscription, NULL));
  CHECK(none == NULL && subscription == NULL);
  martlet_queue_free(live);
  martlet_connection_free(connection);
  martlet_server_free(silent);
}

static void test_subscription(martlet_server* server) {
  martlet_queue* queue = NULL;
  martlet_subscription* stale = NULL;
  int64_t count = -1, other = -1;
  OK(martlet_queue_new(NONE, &queue, &error));
  martlet_connection* connection = connect_to(server, "{}", NULL);
  OK(martlet_subscription_new(connection, TEXT("a"), NONE, NONE, queue, 1, &stale, &error));
  martlet_subscription_free(stale);
  STALE(martlet_subscription_unsubscribe(stale, NULL));
  STALE(martlet_subscription_auto_unsubscribe(stale, 1, NULL));
  STALE(martlet_subscription_drain(stale, NULL));
  STALE(martlet_subscription_pending(stale, &count, &other, NULL));
  STALE(martlet_subscription_dropped(stale, &count, &other, NULL));
  CHECK(count == -1 && other == -1);
  martlet_subscription_free(stale);
  martlet_connection_free(connection);
  martlet_queue_free(queue);
}

static void test_calls_of_connection(martlet_connection* stale, martlet_queue* queue) {
  martlet_batch* batch = NULL;
  martlet_text* text = NULL;
  martlet_subscription* subscription = NULL;
  STALE(martlet_connection_publish(stale, TEXT("a"), NONE, NONE, NONE, NULL));
  STALE(martlet_connection_wait_capacity(stale, 1, 0, NULL));
  STALE(martlet_connection_notify_capacity(stale, 1, queue, 1, NULL));
  STALE(martlet_connection_flush(stale, WAIT_MS, NULL));
  STALE(martlet_connection_flush_start(stale, WAIT_MS, queue, 1, NULL));
  STALE(martlet_connection_request(stale, TEXT("a"), NONE, NONE, WAIT_MS, &batch, NULL));
  STALE(martlet_connection_request_start(stale, TEXT("a"), NONE, NONE, WAIT_MS, queue, 1, NULL));
  STALE(martlet_connection_request_many_start(stale, TEXT("a"), NONE, NONE, 1, WAIT_MS, queue, 1,
                                              NULL));
  STALE(martlet_connection_new_inbox(stale, &text, NULL));
  STALE(martlet_connection_statistics(stale, &text, NULL));
  STALE(martlet_subscription_new(stale, TEXT("a"), NONE, NONE, queue, 1, &subscription, NULL));
  CHECK(batch == NULL && text == NULL && subscription == NULL);
}

static void test_life_of_connection(martlet_connection* stale) {
  int32_t number = -5;
  int64_t count = -5;
  STALE(martlet_connection_connect(stale, WAIT_MS, NULL));
  STALE(martlet_connection_start(stale, NULL));
  STALE(martlet_connection_state(stale, &number, NULL));
  STALE(martlet_connection_drain(stale, WAIT_MS, NULL));
  STALE(martlet_connection_drain_start(stale, WAIT_MS, NULL));
  STALE(martlet_connection_close(stale, NULL));
  STALE(martlet_connection_max_payload(stale, &count, NULL));
  STALE(martlet_connection_rtt(stale, WAIT_MS, &count, NULL));
  STALE(martlet_connection_descriptor(stale, &number, NULL));
  STALE(martlet_connection_process(stale, NULL));
  STALE(martlet_connection_next_timeout(stale, &number, NULL));
  CHECK(number == -5 && count == -5);
}

static void test_connection(martlet_server* server) {
  martlet_queue* queue = NULL;
  OK(martlet_queue_new(NONE, &queue, &error));
  martlet_connection* stale = connect_to(server, "{}", NULL);
  martlet_connection_free(stale);
  test_calls_of_connection(stale, queue);
  test_life_of_connection(stale);
  martlet_connection_free(stale);
  martlet_queue_free(queue);
}

static void test_server(void) {
  martlet_server* stale = NULL;
  martlet_queue* queue = NULL;
  martlet_connection* connection = NULL;
  martlet_text* text = NULL;
  int32_t port = -1;
  OK(martlet_queue_new(NONE, &queue, &error));
  OK(martlet_server_new(NONE, &stale, &error));
  OK(martlet_server_start(stale, &error));
  martlet_server_free(stale);
  STALE(martlet_server_set_log(stale, queue, 1, MARTLET_LOG_INFO, NULL));
  STALE(martlet_server_start(stale, NULL));
  STALE(martlet_server_stop(stale, NULL));
  STALE(martlet_server_client_port(stale, &port, NULL));
  STALE(martlet_server_monitoring_port(stale, &port, NULL));
  STALE(martlet_server_url(stale, &text, NULL));
  STALE(martlet_server_statistics(stale, &text, NULL));
  STALE(martlet_connection_new_in_process(stale, NONE, NULL, 1, &connection, NULL));
  CHECK(port == -1 && text == NULL && connection == NULL);
  martlet_server_free(stale);
  martlet_queue_free(queue);
}

int main(void) {
  martlet_server* server = NULL;
  OK(martlet_server_new(NONE, &server, &error));
  OK(martlet_server_start(server, &error));
  test_batch();
  test_queue(server);
  test_subscription(server);
  test_connection(server);
  martlet_server_free(server);
  test_server();
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
