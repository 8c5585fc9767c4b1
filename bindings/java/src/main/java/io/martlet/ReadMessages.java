// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.raw.Abi;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Owns messages that were read together until they are taken, each once, by any number of threads
 * and without a lock. Filled by one thread before others see it.
 */
final class ReadMessages {
    private final @Nullable Message[] messages;
    private final AtomicInteger taken = new AtomicInteger();
    private int count;

    ReadMessages(int countMax) {
        messages = new Message[countMax];
    }

    void add(Message message) {
        messages[count++] = message;
    }

    /** The next; null when none is left. */
    @Nullable Message take() {
        if (isEmpty()) {
            return null;
        }
        int index = taken.getAndIncrement();
        if (index >= count) {
            return null; // Another thread took the last one.
        }
        Message message = messages[index];
        messages[index] = null; // It is the taker's alone.
        return message;
    }

    boolean isEmpty() {
        return taken.get() >= count;
    }

    /** Lets go of what is left. */
    void clear() {
        while (take() != null) {
            // Nobody wants it.
        }
    }

    /** How many are left, and their bytes as the library counts them. */
    long[] pending() {
        long[] found = new long[2];
        for (int at = taken.get(); at < count; at++) {
            Message message = messages[at];
            if (message != null) {
                found[0]++;
                found[1] += Abi.DESCRIPTOR_BYTES + message.getSubject().length()
                        + message.getData().length;
            }
        }
        return found;
    }
}
