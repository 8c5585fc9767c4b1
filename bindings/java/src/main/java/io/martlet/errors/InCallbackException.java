// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_IN_CALLBACK. A call that would wait for itself: made on the thread that has
 * to do what it waits for. Since 0.1.0.
 */
public final class InCallbackException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public InCallbackException(String message) {
        super(Abi.ERR_IN_CALLBACK, message);
    }
}
