// SPDX-License-Identifier: Apache-2.0
package io.martlet.raw;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * Owns one handle of the library: it is freed exactly once, and never while a call uses it. Any
 * number of threads may hold it at a time; after {@link #close} nobody gets it any more, and
 * whoever is the last to let go frees it.
 */
public final class Handle implements Runnable {
    private static final long CLOSED = 1L << 62;

    private final long address;
    private final LongConsumer free;
    /** Those who hold it, and CLOSED. */
    private final AtomicLong holders = new AtomicLong();

    /**
     * Takes over a handle.
     *
     * @param address what the library gave
     * @param free what ends it
     */
    public Handle(long address, LongConsumer free) {
        this.address = address;
        this.free = free;
    }

    /**
     * Holds it for a call: {@link #release} has to follow, whatever the answer.
     *
     * @return the handle, or 0 when it is closed
     */
    public long acquire() {
        return (holders.incrementAndGet() & CLOSED) == 0 ? address : 0;
    }

    /** Lets it go. */
    public void release() {
        if (holders.decrementAndGet() == CLOSED) {
            end();
        }
    }

    /** Gives it back: frees it now, or when the last call is over. May be called twice. */
    public void close() {
        long seen = holders.get();
        while ((seen & CLOSED) == 0) {
            if (holders.compareAndSet(seen, seen | CLOSED)) {
                if (seen == 0) {
                    end();
                }
                return;
            }
            seen = holders.get();
        }
    }

    /** As {@link #close}, for a Cleaner. */
    @Override
    public void run() {
        close();
    }

    /** Once: a late acquire() that fails counts up and down again, and must not end it twice. */
    private void end() {
        if (holders.compareAndSet(CLOSED, CLOSED | CLOSED << 1)) {
            free.accept(address);
        }
    }
}
