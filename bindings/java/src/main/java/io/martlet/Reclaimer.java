// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.lang.ref.Cleaner;

/** Owns the one Cleaner: what a program drops without closing is given back by it. */
final class Reclaimer {
    private static final Cleaner CLEANER = Cleaner.create();

    private Reclaimer() {}

    /** Runs the action once: when it is cleaned, or when nobody holds the object any more. */
    static Cleaner.Cleanable register(Object object, Runnable action) {
        return CLEANER.register(object, action);
    }
}
