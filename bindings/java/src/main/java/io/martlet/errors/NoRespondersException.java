// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_NO_RESPONDERS. A request that nobody listens to. Since 0.1.0. */
public final class NoRespondersException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public NoRespondersException(String message) {
        super(Abi.ERR_NO_RESPONDERS, message);
    }
}
