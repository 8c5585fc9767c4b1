// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_AUTHORIZATION. The server refused the credentials. Since 0.1.0. */
public final class AuthorizationException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public AuthorizationException(String message) {
        super(Abi.ERR_AUTHORIZATION, message);
    }
}
