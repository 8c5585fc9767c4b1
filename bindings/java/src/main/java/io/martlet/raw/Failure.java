// SPDX-License-Identifier: Apache-2.0
package io.martlet.raw;

import io.martlet.errors.MartletException;
import java.nio.charset.StandardCharsets;

/** Owns what the native side throws: the library calls it when a call failed. */
final class Failure {
    private Failure() {}

    /** The exception of a status, with the library's sentence in UTF-8. */
    static RuntimeException of(int status, byte[] text) {
        return MartletException.of(status, new String(text, StandardCharsets.UTF_8));
    }
}
