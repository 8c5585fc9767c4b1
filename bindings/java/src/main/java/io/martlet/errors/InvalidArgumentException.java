// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_INVALID_ARGUMENT. A value that cannot be: the text names the argument. Since
 * 0.1.0.
 */
public final class InvalidArgumentException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public InvalidArgumentException(String message) {
        super(Abi.ERR_INVALID_ARGUMENT, message);
    }
}
