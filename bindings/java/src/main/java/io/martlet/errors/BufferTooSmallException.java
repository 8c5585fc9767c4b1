// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_BUFFER_TOO_SMALL. A buffer holds not even the first message. Since 0.1.0. */
public final class BufferTooSmallException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public BufferTooSmallException(String message) {
        super(Abi.ERR_BUFFER_TOO_SMALL, message);
    }
}
