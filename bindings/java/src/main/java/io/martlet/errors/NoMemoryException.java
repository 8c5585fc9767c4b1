// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns the status ERR_NO_MEMORY. An allocation failed, or {@code max_memory} is reached. Since
 * 0.1.0.
 */
public final class NoMemoryException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public NoMemoryException(String message) {
        super(Abi.ERR_NO_MEMORY, message);
    }
}
