// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_PERMISSIONS. The server refused a publish or a subscription. Since 0.1.0. */
public final class PermissionsException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public PermissionsException(String message) {
        super(Abi.ERR_PERMISSIONS, message);
    }
}
