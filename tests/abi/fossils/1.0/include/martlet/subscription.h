/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns a subscription: messages of one subject (or pattern) of one connection, into one completion
 * queue.
 * Lifecycle: new; then its messages come; unsubscribe, drain, its maximum or the end of the
 * connection stops them, and a SUBSCRIPTION_END descriptor is the last that it sends. Free at any
 * time: it unsubscribes first. */
#ifndef MARTLET_SUBSCRIPTION_H
#define MARTLET_SUBSCRIPTION_H

#include "martlet/connection.h"
#include "martlet/queue.h"
#include "martlet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct martlet_subscription martlet_subscription;

/* Subscribes. The server learns of it soon; after a flush every message published anywhere comes.
 * connection  borrowed for the call.
 * subject     borrowed for the call, as group (empty: none; else the queue group) and options (a
 *             JSON object, capi/records/subscription_options.toml; empty for the defaults).
 * queue       borrowed for the call: gets MESSAGE descriptors with `cookie`; may be freed at any
 *             time.
 * out_subscription owned by caller; end with martlet_subscription_free.
 * Returns     OK, ERR_SUBJECT (also one that is too long, with its group), ERR_INVALID_ARGUMENT (a
 *             group with blanks in it; for "run": "caller" a queue that another connection drives
 *             already: the two need one events queue), ERR_OPTIONS, ERR_CLOSED, ERR_DRAINING.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_subscription_new(
    martlet_connection *connection, const char *subject, int64_t subject_bytes, const char *group,
    int64_t group_bytes, const char *options, int64_t options_bytes, martlet_queue *queue,
    int64_t cookie, martlet_subscription **out_subscription, martlet_error **out_error);

/* Ends it now: no message comes after this returns, except those that are in the queue already.
 * Returns     OK, ERR_CLOSED (ended before).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_subscription_unsubscribe(martlet_subscription *self,
                                                            martlet_error **out_error);

/* Ends it by itself after so many messages, counted from its beginning.
 * messages_max 1 or more.
 * Returns     OK, ERR_CLOSED.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_subscription_auto_unsubscribe(martlet_subscription *self,
                                                                 int64_t messages_max,
                                                                 martlet_error **out_error);

/* Ends it in order: what the server sent before it learned of the end still comes, then
 * SUBSCRIPTION_END.
 * Returns     OK, ERR_CLOSED.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_subscription_drain(martlet_subscription *self,
                                                      martlet_error **out_error);

/* What waits in the queue for this subscription.
 * out_messages borrowed for the call, as out_bytes (may be NULL).
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_subscription_pending(const martlet_subscription *self,
                                                        int64_t *out_messages, int64_t *out_bytes,
                                                        martlet_error **out_error);

/* How many messages its policy has dropped, and how many came in all.
 * out_dropped borrowed for the call, as out_delivered (may be NULL).
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_subscription_dropped(const martlet_subscription *self,
                                                        int64_t *out_dropped,
                                                        int64_t *out_delivered,
                                                        martlet_error **out_error);

/* Unsubscribes and ends it. NULL is allowed. Its messages in the queue stay.
 * self        consumed; nobody may be in a call on it.
 * Threads     one at a time.                                                        Since 0.1.0. */
MARTLET_API void martlet_subscription_free(martlet_subscription *self);

#ifdef __cplusplus
}
#endif

#endif
