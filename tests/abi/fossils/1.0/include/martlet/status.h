/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns the statuses of the C ABI, and the three small handles that every other header uses: an
 * error in detail, a text that the caller owns, and what calls share (export macro, callback type).
 * Numbers are API for ever, texts are not.
 *
 * How to read the other headers. Each function says:
 *   - for each pointer who owns what it points to: "borrowed for the call" (copied before the call
 *     returns), "borrowed from parent" (valid as long as the object it came from), "owned by
 *     caller", "consumed". `self` is borrowed for the call where nothing else is said, and a
 *     `queue` that is given is let go at the end of the call: it may be freed before what feeds it;
 *   - which statuses it answers, beside those that any function may answer: ERR_INVALID_ARGUMENT (a
 *     null, a negative or absurd size), ERR_INVALID_HANDLE, ERR_NO_MEMORY, ERR_FORKED,
 *     ERR_INTERNAL; and ERR_IN_CALLBACK by those that are tagged "not in a callback";
 *   - a thread tag: "any thread" (also at the same time), "one at a time" (any thread, but not two
 *     at once), and also "blocks", "not in a callback";
 *   - since which version it exists. When a call fails nothing is consumed and no output is
 *     written, except the error. out_error may be NULL; if not, a failing call stores an error
 *     there that the caller frees. A text is a pointer and a length in bytes, UTF-8; nothing relies
 *     on a NUL. A NULL text with length 0 is an empty one. */
#ifndef MARTLET_STATUS_H
#define MARTLET_STATUS_H

#include <stdint.h>

#if defined(SWIG)
#define MARTLET_API
#elif defined(_WIN32)
#define MARTLET_API __declspec(dllimport)
#else
#define MARTLET_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* 0 is success, above 0 a state that is no failure, below 0 an error. */
typedef int32_t martlet_status;

#define MARTLET_OK 0    /* Done. */
#define MARTLET_AGAIN 1 /* Nothing in time, or a buffer is full: try again later. */
#define MARTLET_DONE 2  /* Closed, and nothing is left to read. */

#define MARTLET_ERR_INVALID_ARGUMENT (-1) /* A null, a bad size or value: the text names it. */
#define MARTLET_ERR_INVALID_HANDLE (-2)   /* Not a live handle of this kind. */
#define MARTLET_ERR_NO_MEMORY (-3)        /* An allocation failed, or max_memory is reached. */
#define MARTLET_ERR_OPTIONS (-4)          /* An options text is wrong: the text names the key. */
#define MARTLET_ERR_SUBJECT (-5)          /* A subject that the rules of NATS refuse. */
#define MARTLET_ERR_MAX_PAYLOAD (-6)   /* Payload and headers are above the server's max_payload. */
#define MARTLET_ERR_LIMIT (-7)         /* A bound is reached: the text names it. */
#define MARTLET_ERR_TIMEOUT (-8)       /* The time given has passed. */
#define MARTLET_ERR_CLOSED (-9)        /* The object is closed. */
#define MARTLET_ERR_DRAINING (-10)     /* It drains: nothing new is taken. */
#define MARTLET_ERR_DISCONNECTED (-11) /* No connection at the moment. */
#define MARTLET_ERR_NO_SERVERS (-12)   /* No server of the pool could be reached. */
#define MARTLET_ERR_NO_RESPONDERS (-13)    /* A request that nobody listens to. */
#define MARTLET_ERR_AUTHORIZATION (-14)    /* The server refused the credentials. */
#define MARTLET_ERR_PERMISSIONS (-15)      /* The server refused a publish or a subscription. */
#define MARTLET_ERR_STALE_CONNECTION (-16) /* Pings were not answered. */
#define MARTLET_ERR_PROTOCOL (-17)         /* The peer spoke something that is not the protocol. */
#define MARTLET_ERR_SLOW_CONSUMER (-18)    /* A subscription or connection fell behind its bound. */
#define MARTLET_ERR_ADDRESS_IN_USE (-19)   /* A port is taken. */
#define MARTLET_ERR_IO (-20)               /* The system refused: the text names what. */
#define MARTLET_ERR_UNSUPPORTED (-21)      /* Known, but not available here. */
#define MARTLET_ERR_FORKED (-22)      /* It belongs to the parent process; this copy is inert. */
#define MARTLET_ERR_INTERNAL (-23)    /* A case that should not exist: please report it. */
#define MARTLET_ERR_STATE (-24)       /* Not now: started twice, not started. */
#define MARTLET_ERR_IN_CALLBACK (-25) /* Would wait for itself: not possible inside a callback. */
#define MARTLET_ERR_BUFFER_TOO_SMALL (-26) /* The buffer holds not even the first message. */

/* The name of a status in the form "ERR_TIMEOUT"; "UNKNOWN" for a number that this library does not
 * know.
 * out_bytes   borrowed for the call, may be NULL: the length.
 * Returns     a static text, also ended by NUL.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API const char *martlet_status_name(martlet_status status, int64_t *out_bytes);

/* An error in detail: the status and a sentence that names the thing and the limit. */
typedef struct martlet_error martlet_error;

/* The status of an error.
 * Returns     the status; ERR_INVALID_HANDLE for NULL.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_error_status(const martlet_error *self);

/* The sentence of an error.
 * out_bytes   borrowed for the call, may be NULL: the length.
 * Returns     borrowed from parent, also ended by NUL; an empty text for NULL.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API const char *martlet_error_text(const martlet_error *self, int64_t *out_bytes);

/* Ends an error. NULL is allowed.
 * self        consumed.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API void martlet_error_free(martlet_error *self);

/* A text that the caller owns: a URL, statistics as JSON. It never changes. */
typedef struct martlet_text martlet_text;

/* What a text says.
 * out_bytes   borrowed for the call, may be NULL: the length.
 * Returns     borrowed from parent, also ended by NUL; an empty text for NULL.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API const char *martlet_text_get(const martlet_text *self, int64_t *out_bytes);

/* Ends a text. NULL is allowed.
 * self        consumed.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API void martlet_text_free(martlet_text *self);

/* Frees the user_data of a callback: called exactly once, after the callback's last call. */
typedef void (*martlet_user_data_free_fn)(void *user_data);

#ifdef __cplusplus
}
#endif

#endif
