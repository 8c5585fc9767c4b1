// SPDX-License-Identifier: Apache-2.0

/** Owns help for tests: each gets a broker of its own. */
@NullMarked
package io.martlet.testing;

import org.jspecify.annotations.NullMarked;
