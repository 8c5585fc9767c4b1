// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_SUBJECT. A subject that the rules of NATS refuse. Since 0.1.0. */
public final class BadSubjectException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public BadSubjectException(String message) {
        super(Abi.ERR_SUBJECT, message);
    }
}
