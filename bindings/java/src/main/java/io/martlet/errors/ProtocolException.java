// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_PROTOCOL. The other side spoke something that is not the protocol. Since
 * 0.1.0.
 */
public final class ProtocolException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public ProtocolException(String message) {
        super(Abi.ERR_PROTOCOL, message);
    }
}
