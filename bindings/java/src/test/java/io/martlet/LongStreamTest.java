// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Goal: ten million messages leave the memory of the process as two million have left it. Method:
 * from one connection to another inside the process, with the reader's bound in force, so that what
 * waits is the same throughout; memory is read from /proc before and after.
 */
class LongStreamTest {
    private static final int MESSAGES = 10_000_000;
    private static final int WARM_MESSAGES = 2_000_000;
    private static final int PENDING_MAX = 65_536;
    private static final byte[] BODY = new byte[128];
    /** The heap grows as the collector likes; what leaks here would be above a gigabyte. */
    private static final long GROWTH_BYTES_MAX = 100L << 20;

    private static void stream(Connection publisher, Connection reader, int count)
            throws Exception {
        SubscribeOptions bounded = SubscribeOptions.builder()
                .pendingLimits(PENDING_MAX, 0).fullPolicy(FullPolicy.BLOCK_READER).build();
        try (Subscription subscription = reader.subscribe("long", null, bounded)) {
            reader.flush(Place.SOON);
            CompletableFuture<Void> publishing = CompletableFuture.runAsync(() -> {
                for (int at = 0; at < count; at++) {
                    publisher.publish("long", BODY);
                }
            });
            long bytes = 0;
            for (int at = 0; at < count; at++) {
                bytes += subscription.nextMessage(Duration.ofSeconds(60)).getData().length;
            }
            publishing.get(60, TimeUnit.SECONDS);
            assertEquals((long) count * BODY.length, bytes);
        }
    }

    @Test
    void tenMillionMessagesLeaveTheMemoryFlat() throws Exception {
        try (Server server = Server.builder().inProcessOnly().start();
                Connection publisher = Nats.connect(server);
                Connection reader = Nats.connect(server)) {
            stream(publisher, reader, WARM_MESSAGES);
            long before = Usage.residentBytes();
            stream(publisher, reader, MESSAGES);
            long grown = Usage.residentBytes() - before;
            assertTrue(grown < GROWTH_BYTES_MAX, "grown by " + grown + " bytes");
        }
    }
}
