// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_OPTIONS. An option is unknown or has a wrong value: the text names it. Since
 * 0.1.0.
 */
public final class OptionsException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public OptionsException(String message) {
        super(Abi.ERR_OPTIONS, message);
    }
}
