// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_INTERNAL. A case that should not exist: please report it. Since 0.1.0. */
public final class InternalException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public InternalException(String message) {
        super(Abi.ERR_INTERNAL, message);
    }
}
