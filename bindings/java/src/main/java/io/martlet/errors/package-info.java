// SPDX-License-Identifier: Apache-2.0

/** Owns the exceptions of Martlet: one for each status of the C ABI. */
@NullMarked
package io.martlet.errors;

import org.jspecify.annotations.NullMarked;
