// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_STALE_CONNECTION. The other side did not answer pings. Since 0.1.0. */
public final class StaleConnectionException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public StaleConnectionException(String message) {
        super(Abi.ERR_STALE_CONNECTION, message);
    }
}
