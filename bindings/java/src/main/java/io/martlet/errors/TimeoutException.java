// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_TIMEOUT. The time given has passed. Since 0.1.0. */
public final class TimeoutException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public TimeoutException(String message) {
        super(Abi.ERR_TIMEOUT, message);
    }
}
