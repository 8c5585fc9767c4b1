// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_DISCONNECTED. There is no connection at the moment, and the reconnect buffer
 * takes nothing. Since 0.1.0.
 */
public final class DisconnectedException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public DisconnectedException(String message) {
        super(Abi.ERR_DISCONNECTED, message);
    }
}
