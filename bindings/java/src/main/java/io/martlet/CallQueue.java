// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.raw.Abi;
import io.martlet.raw.BatchReader;
import io.martlet.raw.Handle;
import io.martlet.raw.Raw;
import java.util.concurrent.CompletableFuture;

/**
 * Owns a queue for the completion of one call at a time, whose caller waits for it inside the
 * library: no other thread hands it over. One thread at a time.
 */
final class CallQueue {
    private static final int BUFFER_BYTES = 16 * 1024;
    private static final int DESCRIPTORS_AT_ONCE = 16;

    private final Handle queue;
    private final BatchReader reader = BatchReader.take(BUFFER_BYTES);

    CallQueue() {
        long[] made = new long[1];
        Raw.martlet_queue_new(SubscriptionCore.UNBOUNDED, made);
        queue = new Handle(made[0], Raw::martlet_queue_free);
    }

    /** Begins a call and waits until it is done; an interrupt ends the wait, not the call. */
    <T, W extends CompletableFuture<T> & Waiting> void await(
            W waiter, long cookie, ConnectionCore.StartCall call) throws InterruptedException {
        long address = queue.acquire();
        try {
            call.start(address, cookie);
            while (!waiter.isDone()) {
                int count = new WaitInside(queue).poll(() -> reader.poll(
                        address, DESCRIPTORS_AT_ONCE, -1));
                for (int index = 0; index < count; index++) {
                    take(waiter, cookie, index);
                }
                if (!waiter.isDone() && Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
        } finally {
            queue.release();
        }
    }

    private void take(Waiting waiter, long cookie, int index) {
        if (reader.cookie(index) == cookie && reader.kind(index) != Abi.KIND_READY) {
            waiter.complete(reader, index);
        }
    }

    void close() {
        reader.giveBack();
        queue.close();
    }
}
