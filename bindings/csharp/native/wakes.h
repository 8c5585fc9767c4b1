/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns the list on which a connection's pump thread waits: the numbers of the queues that have
 * stopped being empty. The library's threads only note a number there; none of them ever enters
 * the .NET runtime, so that a collection never stops the connection, nor a callback the end of the
 * process. Lifecycle: new, watch any queues, close, free; a watched queue may live longer. */
#ifndef MARTLET_CSHARP_WAKES_H
#define MARTLET_CSHARP_WAKES_H

#include "martlet/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct martlet_wakes martlet_wakes;

/* Makes a list. NULL when memory is out. Any thread. */
martlet_wakes *martlet_wakes_new(void);

/* Notes `id` each time when `queue` stops being empty: martlet_queue_set_wake. */
martlet_status martlet_wakes_watch(martlet_wakes *self, martlet_queue *queue, int64_t id);

/* Notes `id` now. Any thread. */
void martlet_wakes_note(martlet_wakes *self, int64_t id);

/* Waits until something is noted, and takes at most ids_max of it, in its order. The count; -1 when
 * the list is closed and nothing is left. One thread at a time. */
int32_t martlet_wakes_wait(martlet_wakes *self, int64_t *ids, int32_t ids_max);

/* Nobody waits any longer. Any thread. */
void martlet_wakes_close(martlet_wakes *self);

/* Closes and ends it. NULL is allowed. */
void martlet_wakes_free(martlet_wakes *self);

#ifdef __cplusplus
}
#endif

#endif
