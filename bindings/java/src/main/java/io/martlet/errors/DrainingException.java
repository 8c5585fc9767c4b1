// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_DRAINING. The connection or subscription drains: nothing new is taken. Since
 * 0.1.0.
 */
public final class DrainingException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public DrainingException(String message) {
        super(Abi.ERR_DRAINING, message);
    }
}
