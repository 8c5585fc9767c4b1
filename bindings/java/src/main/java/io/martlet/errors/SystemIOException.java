// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_IO. The system refused something: the text names what. Since 0.1.0. */
public final class SystemIOException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public SystemIOException(String message) {
        super(Abi.ERR_IO, message);
    }
}
