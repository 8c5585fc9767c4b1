// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.raw.Handle;
import io.martlet.raw.Raw;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Owns how a thread that waits inside the library is made to return: the queue that it polls gets a
 * READY descriptor, which stands for nothing. It comes from a queue of this class's that is closed,
 * and so has always something to tell. Any thread.
 */
final class Nudge {
    private static final long NOBODY = 0; // No subscription has this cookie.
    private static final long ALWAYS_READY = closedQueue();
    /** The library keeps one asker for each queue: they take turns. */
    private static final ReentrantLock LOCK = new ReentrantLock();

    private Nudge() {}

    private static long closedQueue() {
        long[] made = new long[1];
        Raw.martlet_queue_new(null, made);
        Raw.martlet_queue_close(made[0]);
        return made[0];
    }

    /** Makes a poll of this queue return, if it is not closed: then it does by itself. */
    static void send(Handle queue) {
        long address = queue.acquire();
        LOCK.lock();
        try {
            if (address != 0) {
                Raw.martlet_queue_notify_ready(ALWAYS_READY, address, NOBODY);
            }
        } finally {
            LOCK.unlock();
            queue.release();
        }
    }
}
