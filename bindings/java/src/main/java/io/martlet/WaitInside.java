// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.raw.Handle;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.util.function.IntSupplier;

/**
 * Owns one wait inside the library that an interrupt of the waiting thread ends: the JDK tells who
 * is closed by it, as it does for its own channels. One wait for each.
 */
final class WaitInside extends AbstractInterruptibleChannel {
    private final Handle queue;

    WaitInside(Handle queue) {
        this.queue = queue;
    }

    /**
     * Polls: the answer of an interrupted wait is what came until then.
     */
    int poll(IntSupplier poll) {
        begin();
        try {
            return poll.getAsInt();
        } finally {
            leave();
        }
    }

    private void leave() {
        try {
            end(true);
        } catch (AsynchronousCloseException interrupted) {
            // The thread's own mark tells.
        }
    }

    /** On the thread that interrupts. */
    @Override
    protected void implCloseChannel() {
        Nudge.send(queue);
    }
}
