// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_ADDRESS_IN_USE. A port is taken. Since 0.1.0. */
public final class AddressInUseException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public AddressInUseException(String message) {
        super(Abi.ERR_ADDRESS_IN_USE, message);
    }
}
