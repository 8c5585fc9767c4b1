// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_STATE. Not possible in the present state: started twice, not started. Since
 * 0.1.0.
 */
public final class StateException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public StateException(String message) {
        super(Abi.ERR_STATE, message);
    }
}
