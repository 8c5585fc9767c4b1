// SPDX-License-Identifier: Apache-2.0

/**
 * Owns the C ABI as Java sees it: {@code Raw} is what SWIG makes of the headers, {@link
 * io.martlet.raw.Abi} its numbers and layouts, and beside them stands what makes handles and
 * batches safe to use. Not exported: programs use {@code io.martlet}.
 */
@NullMarked
package io.martlet.raw;

import org.jspecify.annotations.NullMarked;
