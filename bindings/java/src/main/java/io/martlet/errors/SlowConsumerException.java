// SPDX-License-Identifier: Apache-2.0
package io.martlet.errors;

import io.martlet.raw.Abi;

/** Owns the status ERR_SLOW_CONSUMER. A subscription fell behind its bound. Since 0.1.0. */
public final class SlowConsumerException extends MartletException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what was refused, and why
     */
    public SlowConsumerException(String message) {
        super(Abi.ERR_SLOW_CONSUMER, message);
    }
}
