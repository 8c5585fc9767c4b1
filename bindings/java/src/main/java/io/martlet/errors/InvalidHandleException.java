// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_INVALID_HANDLE. An object that is not alive. Since 0.1.0. */
public final class InvalidHandleException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public InvalidHandleException(String message) {
        super(Abi.ERR_INVALID_HANDLE, message);
    }
}
