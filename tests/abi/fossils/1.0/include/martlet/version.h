/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns the versions: of the library, and of the ABI that a program was compiled against. Everything
 * in these headers is stable since ABI 1.0: what is there stays as it is, and more is added
 * (docs/abi_stability.md). A break would raise the major number, which is also that of the
 * soname. */
#ifndef MARTLET_VERSION_H
#define MARTLET_VERSION_H

#include "martlet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MARTLET_ABI_MAJOR 1 /* Raised when something that was there changes or goes. */
#define MARTLET_ABI_MINOR 0 /* Raised when something is added. */

/* The ABI of the library that is loaded: major * 1000 + minor. A program compiled against this
 * header can use it when the majors are equal and the library's minor is not below
 * MARTLET_ABI_MINOR.
 * Returns     the number; it cannot fail.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API int32_t martlet_abi_version(void);

/* The release of the library, such as "0.1.0".
 * out_bytes   borrowed for the call, may be NULL: the length.
 * Returns     a static text, also ended by NUL.
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API const char *martlet_version_text(int64_t *out_bytes);

/* What others have made and the library carries inside or has loaded, as a JSON object: the name of
 * each library and its version, such as {"libevent":"2.1.12-stable","OpenSSL":"3.0.22"}. Whether a
 * report of a hole concerns this library is answered here.
 * out_json    owned by caller; end with martlet_text_free.
 * Returns     OK, ERR_INVALID_ARGUMENT (NULL).
 * Threads     any thread.                                                           Since 0.1.0. */
MARTLET_API martlet_status martlet_linked_versions(martlet_text **out_json,
                                                   martlet_error **out_error);

#ifdef __cplusplus
}
#endif

#endif
