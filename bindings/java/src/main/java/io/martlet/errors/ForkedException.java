// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_FORKED. The object belongs to the process that this one was forked from.
 * Since 0.1.0.
 */
public final class ForkedException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public ForkedException(String message) {
        super(Abi.ERR_FORKED, message);
    }
}
