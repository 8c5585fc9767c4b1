// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Goal: ten million messages leave the memory of the process as two million have left it. Method:
 * from one connection to another inside the process, the publisher never more than a few batches
 * ahead, so that no queue is longer at one time than at another; memory is read from /proc. One
 * thread publishes all of them: glibc gives a new thread an arena that others have left, and each
 * of the sixteen arenas of two cores takes some 3 MB before it has what it needs.
 */
class LongStreamTest {
    private static final int MESSAGES = 10_000_000;
    private static final int WARM_MESSAGES = 2_000_000;
    private static final int BATCH = 1_000;
    private static final int BATCHES_AHEAD_MAX = 8;
    private static final byte[] BODY = new byte[128];

    private static void stream(
            Connection publisher, Connection reader, Executor publishing, int count)
            throws Exception {
        Semaphore batches = new Semaphore(BATCHES_AHEAD_MAX);
        try (Subscription subscription = reader.subscribe("long")) {
            reader.flush(Place.SOON);
            CompletableFuture<Void> published = CompletableFuture.runAsync(() -> {
                for (int at = 0; at < count; at++) {
                    if (at % BATCH == 0) {
                        batches.acquireUninterruptibly();
                    }
                    publisher.publish("long", BODY);
                }
            }, publishing);
            long bytes = 0;
            for (int at = 0; at < count; at++) {
                bytes += subscription.nextMessage(Duration.ofSeconds(60)).getData().length;
                if (at % BATCH == 0) {
                    batches.release();
                }
            }
            published.get(60, TimeUnit.SECONDS);
            assertEquals((long) count * BODY.length, bytes);
        }
    }

    @Test
    void tenMillionMessagesLeaveTheMemoryFlat() throws Exception {
        ExecutorService publishing = Executors.newSingleThreadExecutor();
        try (Server server = Server.builder().inProcessOnly().start();
                Connection publisher = Nats.connect(server);
                Connection reader = Nats.connect(server)) {
            stream(publisher, reader, publishing, WARM_MESSAGES);
            Usage.assertFlatMemory(
                    2, () -> stream(publisher, reader, publishing, MESSAGES / 2));
        } finally {
            publishing.shutdown();
        }
    }
}
