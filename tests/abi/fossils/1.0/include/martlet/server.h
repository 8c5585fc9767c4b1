/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns a broker inside this process. It installs no signal handler and prints nothing; after stop
 * no thread and no descriptor of it is left. Any number may live at once. Lifecycle: new, start,
 * stop, and start again; free at any time (it stops first). In a child after fork the copy is
 * inert: every call but free answers ERR_FORKED, free gives back memory only, and the parent goes
 * on serving. */
#ifndef MARTLET_SERVER_H
#define MARTLET_SERVER_H

#include "martlet/queue.h"
#include "martlet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct martlet_server martlet_server;

/* Makes a broker that does not run yet.
 * options     borrowed for the call: a JSON object (capi/records/server_options.toml) if it begins
 *             with a brace, else NATS configuration text; empty for the defaults (any free port on
 *             the loopback address).
 * out_server  owned by caller; end with martlet_server_free.
 * Returns     OK, ERR_OPTIONS (the text names the key).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_server_new(const char *options, int64_t options_bytes,
                                              martlet_server **out_server,
                                              martlet_error **out_error);

/* Sends the log lines of the broker into a queue, as MARTLET_KIND_LOG_LINE. Without it a broker is
 * silent. A line that finds the queue at its bound is dropped.
 * queue       borrowed for the call; may be freed at any time. NULL ends it.
 * level_max   MARTLET_LOG_...: lines above it are not made.
 * Returns     OK, ERR_STATE (the server runs).
 * Threads     one at a time.                                                        Since 0.1.0. */
MARTLET_API martlet_status martlet_server_set_log(martlet_server *self, martlet_queue *queue,
                                                  int64_t cookie, int32_t level_max,
                                                  martlet_error **out_error);

/* Starts the broker: when it returns OK, clients can connect.
 * Returns     OK, ERR_STATE (runs already), ERR_ADDRESS_IN_USE, ERR_IO, ERR_OPTIONS.
 * Threads     one at a time; blocks; not in a callback.                             Since 0.1.0. */
MARTLET_API martlet_status martlet_server_start(martlet_server *self, martlet_error **out_error);

/* Stops the broker: closes every connection, also those inside the process, and joins its threads.
 * Does nothing if it does not run.
 * Returns     OK, ERR_IN_CALLBACK (called on one of the broker's own threads).
 * Threads     one at a time; blocks; not in a callback.                             Since 0.1.0. */
MARTLET_API martlet_status martlet_server_stop(martlet_server *self, martlet_error **out_error);

/* Stops and ends a broker. NULL is allowed.
 * self        consumed.
 * Threads     one at a time; blocks. In a callback it returns at once: the broker ends when the
 *             callback and the call that it came from are over.                     Since 0.1.0. */
MARTLET_API void martlet_server_free(martlet_server *self);

/* The port that clients connect to; 0 if the broker listens on none (in-process only).
 * out_port    borrowed for the call.
 * Returns     OK, ERR_STATE (does not run).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_server_client_port(const martlet_server *self, int32_t *out_port,
                                                      martlet_error **out_error);

/* The port of the monitoring pages; 0 if there are none.
 * out_port    borrowed for the call.
 * Returns     OK, ERR_STATE (does not run).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_server_monitoring_port(const martlet_server *self,
                                                          int32_t *out_port,
                                                          martlet_error **out_error);

/* The URL that clients on this machine connect to, such as "nats://127.0.0.1:4222".
 * out_url     owned by caller; end with martlet_text_free. Empty if the broker listens on no port.
 * Returns     OK, ERR_STATE (does not run).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_server_url(const martlet_server *self, martlet_text **out_url,
                                              martlet_error **out_error);

/* What the broker counts, as a JSON object with the names of /varz: connections, subscriptions,
 * in_msgs, out_msgs, in_bytes, out_bytes, slow_consumers, and more as it grows.
 * out_json    owned by caller; end with martlet_text_free.
 * Returns     OK, ERR_STATE (does not run).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_server_statistics(const martlet_server *self,
                                                     martlet_text **out_json,
                                                     martlet_error **out_error);

#ifdef __cplusplus
}
#endif

#endif
