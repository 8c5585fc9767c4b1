// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_LIMIT. A bound is reached: the text names it. Since 0.1.0. */
public final class LimitException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public LimitException(String message) {
        super(Abi.ERR_LIMIT, message);
    }
}
