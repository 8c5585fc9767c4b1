// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_CLOSED. The connection, the subscription or the broker is closed. Since
 * 0.1.0.
 */
public final class ClosedException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public ClosedException(String message) {
        super(Abi.ERR_CLOSED, message);
    }
}
