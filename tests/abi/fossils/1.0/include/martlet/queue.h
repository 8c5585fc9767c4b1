/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns the completion queue: the one way in which messages, replies, completions, events and log
 * lines come back. It serves any number of subscriptions, connections and servers; each descriptor
 * carries the cookie that was given with the call it answers. It has a bound in messages and in
 * bytes; what happens at the bound is the policy of the subscription (completions are always taken:
 * each was asked for once). One consumer at a time.
 * Lifecycle: new, then everything else in any order; close ends it for its users; free when nobody
 * uses it any more. Queue and what feeds it may be freed in any order. */
#ifndef MARTLET_QUEUE_H
#define MARTLET_QUEUE_H

#include "martlet/batch.h"
#include "martlet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct martlet_queue martlet_queue;

/* Called when the queue was empty and is no more: once, until a poll has emptied it. It runs on a
 * thread of the library (or on the one that drives the connection), must not wait and must not
 * poll; it may publish. It may close, and free: what it frees ends when it has returned. */
typedef void (*martlet_wake_fn)(void *user_data);

/* Makes a queue.
 * options     borrowed for the call: a JSON object (capi/records/queue_options.toml); empty for the
 *             defaults.
 * out_queue   owned by caller; end with martlet_queue_free.
 * Returns     OK, ERR_OPTIONS.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_queue_new(const char *options, int64_t options_bytes,
                                             martlet_queue **out_queue, martlet_error **out_error);

/* Waits until something is in the queue, then hands over everything gathered so far, up to
 * messages_max.
 * messages_max 1 or more.
 * timeout_ms  0 does not wait, -1 waits without limit.
 * out_batch   owned by caller; end with martlet_batch_release.
 * Returns     OK, AGAIN (nothing in time), DONE (closed and drained).
 * Threads     one at a time; blocks; not in a callback.                             Since 0.1.0. */
MARTLET_API martlet_status martlet_queue_poll(martlet_queue *self, int32_t messages_max,
                                              int32_t timeout_ms, martlet_batch **out_batch,
                                              martlet_error **out_error);

/* As martlet_queue_poll, into the caller's own buffer, which no later call touches.
 * buffer      borrowed for the call; aligned to 8 bytes.
 * out_info    in and out, borrowed for the call: the shape of what was written.
 * Returns     OK, AGAIN, DONE, ERR_BUFFER_TOO_SMALL (block_bytes tells the size that the first
 *             message needs; nothing is lost).
 * Threads     one at a time; blocks; not in a callback.                             Since 0.1.0. */
MARTLET_API martlet_status martlet_queue_poll_into(martlet_queue *self, void *buffer,
                                                   int64_t buffer_bytes, int32_t messages_max,
                                                   int32_t timeout_ms, martlet_batch_info *out_info,
                                                   martlet_error **out_error);

/* Sets what is called when the queue stops being empty; fn NULL ends it. If something is in the
 * queue already, it is called at once, by this call. An earlier callback is not running any more
 * when this returns.
 * user_data   consumed, also by a call with fn NULL; user_data_free may be NULL.
 * Returns     OK.
 * Threads     one at a time; not in a callback.                                     Since 0.1.0. */
MARTLET_API martlet_status martlet_queue_set_wake(martlet_queue *self, martlet_wake_fn fn,
                                                  void *user_data,
                                                  martlet_user_data_free_fn user_data_free,
                                                  martlet_error **out_error);

/* A descriptor of the system that is readable while the queue is not empty or is closed; made by
 * the first call. Only to be waited on: a poll that empties the queue makes it unreadable again.
 * out_fd      borrowed from parent: do not close it.
 * Returns     OK, ERR_UNSUPPORTED (a platform without such descriptors), ERR_IO.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_queue_descriptor(martlet_queue *self, int32_t *out_fd,
                                                    martlet_error **out_error);

/* Asks to be told, once, when something is in this queue or it is closed: a READY descriptor in
 * another queue, at once if it is so now. Who waits for many queues polls one. A later call takes
 * the place of one that has not been answered.
 * target      borrowed for the call, another queue than self; may be freed at any time: nobody is
 *             told then.
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_queue_notify_ready(martlet_queue *self, martlet_queue *target,
                                                      int64_t cookie, martlet_error **out_error);

/* Takes nothing more: who waits in poll gets what is left, then DONE. May be called twice.
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_queue_close(martlet_queue *self, martlet_error **out_error);

/* Closes and ends a queue. NULL is allowed. Batches stay valid.
 * self        consumed; nobody may be in a call on it.
 * Threads     one at a time. In a callback it returns at once: it ends when the callback and the
 *             call that it came from are over.                                      Since 0.1.0. */
MARTLET_API void martlet_queue_free(martlet_queue *self);

#ifdef __cplusplus
}
#endif

#endif
