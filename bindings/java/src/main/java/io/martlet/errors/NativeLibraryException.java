// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/**
 * Owns a native library that could not be loaded: the text names the file, and says what to do.
 * Since 0.1.0.
 */
public final class NativeLibraryException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message which file it is about, and what to do
     * @param cause what the system said
     */
    public NativeLibraryException(String message, Throwable cause) {
        super(Abi.ERR_UNSUPPORTED, message);
        initCause(cause);
    }
}
