/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns the layout in which messages and completions cross the border: a batch is one block of
 * memory, in it an array of descriptors of a fixed stride and the bytes that they speak of. There
 * are no pointers in it. Little endian. Who reads a batch steps by the stride that the batch tells
 * (never by sizeof), and skips kinds that it does not know. */
#ifndef MARTLET_BATCH_H
#define MARTLET_BATCH_H

#include "martlet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a descriptor tells. `cookie` is that of the call which asked for it. */
#define MARTLET_KIND_MESSAGE 1          /* A message of a subscription. */
#define MARTLET_KIND_REPLY 2            /* An answer, or in `status` why there is none. */
#define MARTLET_KIND_FLUSHED 3          /* A flush ended: `status`. */
#define MARTLET_KIND_CAPACITY 4         /* The outgoing buffer has room again. */
#define MARTLET_KIND_SUBSCRIPTION_END 5 /* The last descriptor of a subscription. */
/* A subscription reached its bound and lost messages (told in its queue), or keeps the connection
 * from being read for a second or until it was lost (told in the events queue); data is a
 * sentence. */
#define MARTLET_KIND_SLOW_CONSUMER 6
#define MARTLET_KIND_READY 7         /* Another queue has something to be polled. */
#define MARTLET_KIND_CONNECTED 16    /* The first connect; data is the URL. */
#define MARTLET_KIND_DISCONNECTED 17 /* The connection was lost: `status`; data is a sentence. */
#define MARTLET_KIND_RECONNECTED                                                            \
  18                           /* Connected again, with all subscriptions; data is the URL. \
                                */
#define MARTLET_KIND_CLOSED 19 /* The last of a connection; `status` OK after close, drain. */
#define MARTLET_KIND_ERROR 20  /* The server said -ERR: `status`; data is its sentence. */
#define MARTLET_KIND_DISCOVERED_SERVERS 21 /* The pool grew; data is a JSON array of URLs. */
#define MARTLET_KIND_LAME_DUCK 22          /* The server will stop soon. */
#define MARTLET_KIND_RECONNECTING 23       /* An attempt begins; data is the URL. */
#define MARTLET_KIND_LOG_LINE 32 /* A log line of a server: flags is the level, data the line. */

/* Bits of `flags` for MESSAGE and REPLY. */
#define MARTLET_FLAG_HEADERS 1       /* The message came with a header block (it may be empty). */
#define MARTLET_FLAG_REPLY 2         /* The message has a reply subject. */
#define MARTLET_FLAG_NO_RESPONDERS 4 /* A status message 503 of the server. */
#define MARTLET_FLAG_MORE_FOLLOWS 8  /* More answers to the same request may come. */

/* `flags` of a LOG_LINE. */
#define MARTLET_LOG_FATAL 0
#define MARTLET_LOG_ERROR 1
#define MARTLET_LOG_WARNING 2
#define MARTLET_LOG_INFO 3
#define MARTLET_LOG_DEBUG 4
#define MARTLET_LOG_TRACE 5

/* One message or completion, 64 bytes; grows at its end only. Offsets count from the start of the
 * block. Subject, reply, headers and data follow each other without gaps. */
typedef struct martlet_descriptor {
  int32_t kind;           /* MARTLET_KIND_... */
  int32_t flags;          /* MARTLET_FLAG_..., or the level of a log line. */
  int32_t status;         /* A martlet_status. */
  int32_t sid;            /* The subscription's number in its connection, else 0. */
  int64_t cookie;         /* What the caller gave when it asked. */
  int64_t received_ns;    /* When it was read, ns since 1970; 0 if not taken. */
  int32_t subject_offset; /* The subject. */
  int32_t subject_bytes;
  int32_t reply_offset; /* The reply subject. */
  int32_t reply_bytes;
  int32_t headers_offset; /* The header block as on the wire, from "NATS/1.0" to its empty line. */
  int32_t headers_bytes;
  int32_t data_offset; /* The payload, or the text that the kind speaks of. */
  int32_t data_bytes;
} martlet_descriptor;

/* The shape of a batch. The caller sets info_bytes to sizeof(martlet_batch_info) and the rest to 0
 * before the call; what a younger library adds at the end is then left out. */
typedef struct martlet_batch_info {
  int32_t info_bytes;         /* In: the size that the caller knows. */
  int32_t reserved;           /* In: 0. */
  int32_t count;              /* Descriptors. */
  int32_t stride_bytes;       /* From one descriptor to the next. */
  int64_t descriptors_offset; /* Where in the block the descriptors begin. */
  int64_t block_bytes;        /* The length of the block; of a buffer, how much of it is used. */
} martlet_batch_info;

/* An immutable batch, counted by references; it may be read by any number of threads. */
typedef struct martlet_batch martlet_batch;

/* The shape of a batch.
 * out_info    in and out, borrowed for the call.
 * Returns     OK, ERR_INVALID_ARGUMENT (info_bytes below 32, reserved not 0).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_batch_info_get(const martlet_batch *self,
                                                  martlet_batch_info *out_info,
                                                  martlet_error **out_error);

/* The first descriptor of this batch; the others follow at the stride.
 * Returns     borrowed from parent; NULL if the batch is empty or NULL.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API const martlet_descriptor *martlet_batch_descriptors(const martlet_batch *self);

/* The block that all offsets count from.
 * out_bytes   borrowed for the call, may be NULL: the length.
 * Returns     borrowed from parent; NULL if the batch is empty or NULL.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API const void *martlet_batch_block(const martlet_batch *self, int64_t *out_bytes);

/* One more reference: the batch lives until each is released.
 * Returns     OK.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_batch_retain(martlet_batch *self, martlet_error **out_error);

/* One reference less; the last frees the batch. NULL is allowed.
 * self        consumed.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API void martlet_batch_release(martlet_batch *self);

#ifdef __cplusplus
}
#endif

#endif
