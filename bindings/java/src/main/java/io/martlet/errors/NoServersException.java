// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_NO_SERVERS. No server could be reached. Since 0.1.0. */
public final class NoServersException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public NoServersException(String message) {
        super(Abi.ERR_NO_SERVERS, message);
    }
}
