// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_MAX_PAYLOAD. Payload and headers are above the server's {@code max_payload}.
 * Since 0.1.0.
 */
public final class MaxPayloadException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public MaxPayloadException(String message) {
        super(Abi.ERR_MAX_PAYLOAD, message);
    }
}
