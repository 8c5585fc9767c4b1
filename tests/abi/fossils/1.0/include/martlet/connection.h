/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns a client's connection to a broker, over TCP or inside the process. It reconnects by itself
 * and then restores its subscriptions. What it has to tell comes through completion queues.
 * Lifecycle: new, connect (or start and wait for the event CONNECTED), then publish and the rest
 * from any thread, then drain or close, then free. In a child after fork the copy is inert: every
 * call but free answers ERR_FORKED.
 *
 * Three ways to run, by the option "run":
 *   "thread"  (default) a thread of its own keeps it alive, also when nobody waits;
 *   "caller"  no thread: whoever waits (poll, request, flush, connect ...) reads the socket.
 *             Nothing moves in between, so somebody must wait at least once per ping interval of
 *             the server;
 *   "lent"    no thread: the program waits on descriptor() in a loop of its own, and calls
 *             process().
 * While the name of a host is looked up, each of them has one thread more. */
#ifndef MARTLET_CONNECTION_H
#define MARTLET_CONNECTION_H

#include "martlet/queue.h"
#include "martlet/server.h"
#include "martlet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct martlet_connection martlet_connection;

/* The states of a connection. */
#define MARTLET_STATE_NEW 0        /* Made, not connected yet. */
#define MARTLET_STATE_CONNECTING 1 /* The first connect is under way. */
#define MARTLET_STATE_CONNECTED 2
#define MARTLET_STATE_RECONNECTING 3 /* Lost; publishes go into the reconnect buffer. */
#define MARTLET_STATE_DRAINING 4
#define MARTLET_STATE_CLOSED 5

/* Makes a connection that is not connected yet.
 * options     borrowed for the call: a URL or several joined by commas, or, if it begins with a
 *             brace, a JSON object (capi/records/connection_options.toml).
 * events      borrowed for the call, may be freed at any time, may be NULL: the queue that gets
 *             CONNECTED, DISCONNECTED, RECONNECTED, ERROR, CLOSED and so on, each with `cookie`.
 * out_connection owned by caller; end with martlet_connection_free.
 * Returns     OK, ERR_OPTIONS (the text names the key).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_new(const char *options, int64_t options_bytes,
                                                  martlet_queue *events, int64_t cookie,
                                                  martlet_connection **out_connection,
                                                  martlet_error **out_error);

/* The same to a broker in this process, without a socket. The broker may stop or be freed before
 * the connection: that is a lost connection, and it reconnects if the same broker is started again.
 * server      borrowed for the call.
 * options     borrowed for the call: as above, without addresses; empty for the defaults.
 * events      borrowed for the call: as above.
 * out_connection owned by caller; end with martlet_connection_free.
 * Returns     OK, ERR_OPTIONS.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_new_in_process(
    martlet_server *server, const char *options, int64_t options_bytes, martlet_queue *events,
    int64_t cookie, martlet_connection **out_connection, martlet_error **out_error);

/* Connects, and waits until it is done.
 * timeout_ms  -1 for the option connect_timeout_ms of each server.
 * Returns     OK, ERR_NO_SERVERS, ERR_AUTHORIZATION, ERR_UNSUPPORTED (the server wants what this
 *             library cannot), ERR_TIMEOUT, ERR_STATE (called before), ERR_CLOSED.
 * Threads     one at a time; blocks; not in a callback.                             Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_connect(martlet_connection *self, int32_t timeout_ms,
                                                      martlet_error **out_error);

/* Begins to connect, and does not wait: the events queue tells CONNECTED, or CLOSED with the
 * reason.
 * Returns     OK, ERR_STATE (called before), ERR_CLOSED.
 * Threads     one at a time.                                                        Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_start(martlet_connection *self,
                                                    martlet_error **out_error);

/* The state at this moment.
 * out_state   borrowed for the call: MARTLET_STATE_...
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_state(const martlet_connection *self,
                                                    int32_t *out_state, martlet_error **out_error);

/* Publishes a message: it is copied into the outgoing buffer and written soon.
 * subject     borrowed for the call, as reply (may be empty), headers (empty, or a block as on the
 *             wire: from "NATS/1.0" to its empty line) and data.
 * Returns     OK, AGAIN (the outgoing buffer is at its bound: see wait_capacity and
 *             notify_capacity), ERR_SUBJECT, ERR_MAX_PAYLOAD, ERR_CLOSED, ERR_DRAINING,
 *             ERR_DISCONNECTED (and the reconnect buffer is full or off), ERR_UNSUPPORTED (headers
 *             to a server without them), ERR_INVALID_ARGUMENT (a header block that is none).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_publish(martlet_connection *self, const char *subject,
                                                      int64_t subject_bytes, const char *reply,
                                                      int64_t reply_bytes, const void *headers,
                                                      int64_t headers_bytes, const void *data,
                                                      int64_t data_bytes,
                                                      martlet_error **out_error);

/* Waits until the outgoing buffer has room for a message of this size.
 * timeout_ms  -1 waits without limit.
 * Returns     OK, AGAIN (not in time), ERR_CLOSED.
 * Threads     any thread; blocks; not in a callback.                                Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_wait_capacity(martlet_connection *self,
                                                            int64_t message_bytes,
                                                            int32_t timeout_ms,
                                                            martlet_error **out_error);

/* Asks to be told, once, when the outgoing buffer has room: a CAPACITY descriptor, at once if there
 * is room now. Its status is ERR_CLOSED when the connection ended first.
 * queue       borrowed for the call; may be freed at any time: nobody is told then.
 * Returns     OK, ERR_CLOSED, ERR_LIMIT (65,536 calls wait for room already), ERR_INVALID_ARGUMENT
 *             (the queue: see martlet_subscription_new).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_notify_capacity(martlet_connection *self,
                                                              int64_t message_bytes,
                                                              martlet_queue *queue, int64_t cookie,
                                                              martlet_error **out_error);

/* Sends everything and waits for the server's answer: what was published before has then been
 * processed by it.
 * timeout_ms  -1 waits without limit.
 * Returns     OK, ERR_TIMEOUT, ERR_CLOSED, ERR_DISCONNECTED, ERR_LIMIT (requests_max flushes are
 *             under way).
 * Threads     any thread; blocks; not in a callback.                                Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_flush(martlet_connection *self, int32_t timeout_ms,
                                                    martlet_error **out_error);

/* The same without waiting: a FLUSHED descriptor tells the end; its status is one of the above.
 * queue       borrowed for the call; may be freed at any time: nobody is told then.
 * Returns     OK, ERR_CLOSED, ERR_DISCONNECTED, ERR_LIMIT (requests_max flushes are under way),
 *             ERR_INVALID_ARGUMENT (the queue: see martlet_subscription_new).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_flush_start(martlet_connection *self,
                                                          int32_t timeout_ms, martlet_queue *queue,
                                                          int64_t cookie,
                                                          martlet_error **out_error);

/* Sends a request and waits for its first answer.
 * subject     borrowed for the call, as headers and data.
 * timeout_ms  -1 waits without limit.
 * out_batch   owned by caller: a batch of one REPLY; end with martlet_batch_release.
 * Returns     OK, ERR_TIMEOUT, ERR_NO_RESPONDERS, ERR_DISCONNECTED (the connection on which it was
 *             sent was lost), ERR_LIMIT (requests_max requests are under way), and what publish
 *             answers, except AGAIN.
 * Threads     any thread; blocks; not in a callback.                                Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_request(martlet_connection *self, const char *subject,
                                                      int64_t subject_bytes, const void *headers,
                                                      int64_t headers_bytes, const void *data,
                                                      int64_t data_bytes, int32_t timeout_ms,
                                                      martlet_batch **out_batch,
                                                      martlet_error **out_error);

/* Sends a request and does not wait: one REPLY descriptor follows, whose status is OK, ERR_TIMEOUT,
 * ERR_NO_RESPONDERS, ERR_CLOSED or ERR_DISCONNECTED (the connection on which it was sent was lost;
 * one that still waits in the reconnect buffer goes on waiting).
 * subject     borrowed for the call, as headers and data.
 * queue       borrowed for the call; may be freed at any time: nobody is told then.
 * Returns     OK, ERR_LIMIT (requests_max requests are under way), ERR_INVALID_ARGUMENT (the queue:
 *             see martlet_subscription_new), and what publish answers.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_request_start(
    martlet_connection *self, const char *subject, int64_t subject_bytes, const void *headers,
    int64_t headers_bytes, const void *data, int64_t data_bytes, int32_t timeout_ms,
    martlet_queue *queue, int64_t cookie, martlet_error **out_error);

/* As martlet_connection_request_start, for many answers: up to replies_max REPLY descriptors, all
 * but the last with MARTLET_FLAG_MORE_FOLLOWS; when the time ends it, the last has status
 * ERR_TIMEOUT.
 * replies_max 0 for no limit.
 * Returns     as martlet_connection_request_start.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_request_many_start(
    martlet_connection *self, const char *subject, int64_t subject_bytes, const void *headers,
    int64_t headers_bytes, const void *data, int64_t data_bytes, int64_t replies_max,
    int32_t timeout_ms, martlet_queue *queue, int64_t cookie, martlet_error **out_error);

/* A subject that nobody else uses, for replies to come to.
 * out_subject owned by caller; end with martlet_text_free.
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_new_inbox(martlet_connection *self,
                                                        martlet_text **out_subject,
                                                        martlet_error **out_error);

/* Drains: no new message comes, those that came are still handed out, what was published is sent;
 * then it closes. Waits for the end. What the queues still hold stays there to be polled.
 * timeout_ms  -1 for the option drain_timeout_ms.
 * Returns     OK, ERR_TIMEOUT (closed nevertheless), ERR_CLOSED, ERR_DISCONNECTED.
 * Threads     any thread; blocks; not in a callback.                                Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_drain(martlet_connection *self, int32_t timeout_ms,
                                                    martlet_error **out_error);

/* The same without waiting: the events queue tells CLOSED at its end. That comes when the queues
 * have been polled empty too (until then publishing stays possible), or when the time is over.
 * Returns     OK, ERR_CLOSED, ERR_DISCONNECTED.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_drain_start(martlet_connection *self,
                                                          int32_t timeout_ms,
                                                          martlet_error **out_error);

/* Closes at once. Requests and flushes under way end with ERR_CLOSED. May be called twice, and in a
 * callback.
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_close(martlet_connection *self,
                                                    martlet_error **out_error);

/* Closes and ends a connection, with its thread if it has one. NULL is allowed. Its subscriptions
 * may be freed before or after it.
 * self        consumed; nobody may be in a call on it.
 * Threads     one at a time; blocks shortly. In a callback it closes and returns: the rest is done
 *             when the callback and the call that it came from are over.            Since 0.1.0. */
MARTLET_API void martlet_connection_free(martlet_connection *self);

/* The largest message, payload and headers together, that the server takes. 0 before the first
 * connect.
 * out_bytes   borrowed for the call.
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_max_payload(const martlet_connection *self,
                                                          int64_t *out_bytes,
                                                          martlet_error **out_error);

/* Measures the way to the server and back with one PING.
 * timeout_ms  -1 waits without limit.
 * out_rtt_ns  borrowed for the call.
 * Returns     as martlet_connection_flush.
 * Threads     any thread; blocks; not in a callback.                                Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_rtt(martlet_connection *self, int32_t timeout_ms,
                                                  int64_t *out_rtt_ns, martlet_error **out_error);

/* What the connection counts and knows, as a JSON object: in_msgs, out_msgs, in_bytes, out_bytes,
 * reconnects, pending_bytes, subscriptions, connected_url, server_id, server_name, server_version,
 * client_id.
 * out_json    owned by caller; end with martlet_text_free.
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_statistics(const martlet_connection *self,
                                                         martlet_text **out_json,
                                                         martlet_error **out_error);

/* For "run": "lent". A descriptor that is readable when process() has something to do because
 * something came. Timers that are due do not make it readable: who waits on it waits no longer than
 * martlet_connection_next_timeout() says, asked after each process().
 * out_fd      borrowed from parent: do not close it.
 * Returns     OK, ERR_STATE (another way to run), ERR_UNSUPPORTED.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_descriptor(martlet_connection *self, int32_t *out_fd,
                                                         martlet_error **out_error);

/* For "run": "lent". Does what is to be done now, without waiting.
 * Returns     OK, DONE (closed: do not call again), ERR_STATE (another way to run).
 * Threads     one at a time; not in a callback.                                     Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_process(martlet_connection *self,
                                                      martlet_error **out_error);

/* For "run": "lent". How long process() may be left out if the descriptor stays unreadable.
 * out_timeout_ms borrowed for the call; -1: without limit.
 * Returns     OK, ERR_STATE (another way to run).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_connection_next_timeout(martlet_connection *self,
                                                           int32_t *out_timeout_ms,
                                                           martlet_error **out_error);

#ifdef __cplusplus
}
#endif

#endif
