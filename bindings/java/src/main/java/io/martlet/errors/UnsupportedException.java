// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_UNSUPPORTED. Known, but not available here. Since 0.1.0. */
public final class UnsupportedException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public UnsupportedException(String message) {
        super(Abi.ERR_UNSUPPORTED, message);
    }
}
