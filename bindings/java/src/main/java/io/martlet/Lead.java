// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.raw.BatchReader;
import io.martlet.raw.Handle;
import io.martlet.raw.Raw;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Owns which of a connection's threads wait inside the library. Of those, one reads the socket, and
 * has what is his own at once; the others are woken by it, and what is published goes out in its
 * turns. So the connection's own thread makes room: while nobody expects anything of it, it sleeps
 * beside, on a queue that no socket moves, until the library says that the connection's queue has
 * something. The library's own thread reads the socket while nobody waits.
 */
final class Lead {
    /** Each end of a turn wakes all who wait inside: more of them sleep on a condition in Java. */
    private static final int CALLERS_MAX = 4;
    private static final int NOTICES_AT_ONCE = 16;
    private static final int NOTICES_BYTES = 4096;
    private static final long NO_COOKIE = 0;
    /** So long the connection's thread stays for the next of futures that follow one another. */
    private static final int LINGER_MS = 10;

    private final Handle queue; // The connection's.
    private final Handle aside;
    private final AtomicInteger others = new AtomicInteger();
    private final AtomicInteger callers = new AtomicInteger(); // Of the others, but dispatchers.
    /** What the connection's thread has to hand over yet: futures, and asked-for words. */
    private final AtomicInteger expected = new AtomicInteger();
    private boolean lingers = true; // Only the connection's thread: it has just handed over.
    // Each is taken back by who sends the connection's thread to the other place.
    private final AtomicBoolean isPumpInside = new AtomicBoolean();
    private final AtomicBoolean isPumpBeside = new AtomicBoolean();

    Lead(Handle queue) {
        this.queue = queue;
        long[] made = new long[1];
        Raw.martlet_queue_new(null, made);
        aside = new Handle(made[0], Raw::martlet_queue_free);
    }

    // --- the connection's thread ---

    /** Waits for what the connection's queue gets: as {@link BatchReader#poll}. */
    int pollAsPump(BatchReader reader, long address, int descriptorsMax) {
        while (true) {
            isPumpInside.set(true);
            boolean isExpected = expected.get() > 0;
            if (isExpected || (lingers && others.get() == 0)) {
                int count = reader.poll(address, descriptorsMax, isExpected ? -1 : LINGER_MS);
                isPumpInside.set(false);
                lingers = count > 0;
                if (count != 0) {
                    return count;
                }
                continue;
            }
            isPumpInside.set(false);
            isPumpBeside.set(true);
            if (expected.get() <= 0) {
                sleepBeside(address);
            }
            isPumpBeside.set(false);
            int count = reader.poll(address, descriptorsMax, 0);
            if (count != 0) {
                return count;
            }
        }
    }

    private void sleepBeside(long address) {
        long beside = aside.acquire();
        BatchReader notices = BatchReader.take(NOTICES_BYTES);
        try {
            Raw.martlet_queue_notify_ready(address, beside, NO_COOKIE);
            notices.poll(beside, NOTICES_AT_ONCE, -1);
        } finally {
            notices.giveBack();
            aside.release();
        }
    }

    /** The connection's thread has ended. */
    void close() {
        aside.close();
    }

    // --- what it has to hand over ---

    /** The connection's thread will have something to hand over: {@link #met} follows. */
    void expect() {
        expected.incrementAndGet();
        if (isPumpBeside.get() && isPumpBeside.compareAndSet(true, false)) {
            nudge(aside, isPumpBeside, expected);
        }
    }

    /** Where that fails, for want of memory, all is as before. */
    private static void nudge(Handle queue, AtomicBoolean place, AtomicInteger counted) {
        try {
            Nudge.send(queue);
        } catch (RuntimeException failure) {
            place.set(true);
            counted.decrementAndGet();
            throw failure;
        }
    }

    void met() {
        expected.decrementAndGet();
    }

    // --- the others ---

    /** A thread will wait inside for something of its own: {@link #leave} has to follow. */
    void enter() {
        others.incrementAndGet();
        if (isPumpInside.get() && expected.get() <= 0
                && isPumpInside.compareAndSet(true, false)) {
            nudge(queue, isPumpInside, others);
        }
    }

    void leave() {
        others.decrementAndGet();
    }

    /**
     * The same for one of the program's threads. False when it cannot: virtual threads wait in Java
     * only, and so do those who would be too many.
     */
    boolean tryEnterAsCaller() {
        if (Blocking.isVirtual()) {
            return false;
        }
        if (callers.incrementAndGet() > CALLERS_MAX) {
            callers.decrementAndGet();
            return false;
        }
        try {
            enter();
        } catch (RuntimeException failure) {
            callers.decrementAndGet();
            throw failure;
        }
        return true;
    }

    void leaveAsCaller() {
        leave();
        callers.decrementAndGet();
    }
}
