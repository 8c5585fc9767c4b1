// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static io.martlet.Place.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Goal: whatever is begun ends, and leaves nothing. Method: threads, descriptors and memory of this
 * process are counted in /proc before and after many lives; what is dropped is left to the
 * collector.
 */
class LifecycleTest {
    private static final Duration COLLECTED = Duration.ofSeconds(5);

    /** Half as many come before anything is counted: threads end late, code is compiled. */
    private static void assertFlat(int lives, Usage.Life life) throws Exception {
        Usage.live(lives / 2, life);
        System.gc();
        Thread.sleep(300);
        int threads = Usage.threads();
        int descriptors = Usage.descriptors();
        Usage.assertFlatMemory(lives, life);
        Place.await("no thread is left", SOON, () -> Usage.threads() <= threads);
        Place.await("no descriptor is left", SOON, () -> Usage.descriptors() <= descriptors);
    }

    @Test
    void aThousandConnectsLeaveNothing() throws Exception {
        try (Server server = Server.start()) {
            assertFlat(1000, () -> {
                try (Connection connection = Nats.connect(server.getUrl())) {
                    connection.publish("a", null);
                }
            });
            assertFlat(1000, () -> {
                try (Connection connection = Nats.connect(server)) {
                    Subscription subscription = connection.subscribe("b");
                    connection.createDispatcher(message -> { }).subscribe("b");
                    connection.publish("b", null);
                    assertNotNull(subscription.nextMessage(SOON));
                }
            });
            Place.await("nobody is connected", SOON,
                    () -> server.getStatistics().getConnections() == 0);
        }
    }

    @Test
    void manyServersLeaveNothing() throws Exception {
        AtomicInteger lines = new AtomicInteger();
        assertFlat(1000, () -> {
            try (Server server = Server.builder()
                            .log((level, line) -> lines.incrementAndGet(), System.Logger.Level.INFO)
                            .start();
                    Connection connection = Nats.connect(server)) {
                connection.publish("a", null);
            }
        });
        assertTrue(lines.get() > 1000);
    }

    @Test
    void aThousandSubscriptionsAddNoThread() throws Exception {
        try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
            Dispatcher dispatcher = connection.createDispatcher();
            AtomicInteger handled = new AtomicInteger();
            dispatcher.subscribe("s.0", message -> handled.incrementAndGet());
            connection.flush(SOON);
            int threads = Usage.threads();
            List<Subscription> asked = new ArrayList<>();
            for (int at = 1; at <= 1000; at++) {
                dispatcher.subscribe("s." + at, message -> handled.incrementAndGet());
                asked.add(connection.subscribe("s." + at));
            }
            for (int at = 1; at <= 1000; at++) {
                connection.publish("s." + at, null);
            }
            for (Subscription subscription : asked) {
                assertNotNull(subscription.nextMessage(SOON));
            }
            Place.await("the handlers", SOON, () -> handled.get() == 1000);
            assertTrue(Usage.threads() <= threads, threads + " threads, then " + Usage.threads());
        }
    }

    @Test
    void whatIsDroppedIsCollectedAndTheBrokerSeesItGo() throws Exception {
        try (Server server = Server.start()) {
            for (int at = 0; at < 20; at++) {
                connectAndDrop(server);
            }
            assertTrue(server.getStatistics().getConnections() > 0);
            Place.await("nobody is connected", COLLECTED, () -> {
                System.gc();
                return server.getStatistics().getConnections() == 0;
            });
        }
    }

    private static void connectAndDrop(Server server) throws Exception {
        Connection tcp = Nats.connect(server.getUrl());
        Connection inside = Nats.connect(server, Options.builder()
                .connectionListener((connection, type) -> { }).build());
        inside.subscribe("a");
        inside.createDispatcher(message -> { });
        Dispatcher ended = tcp.createDispatcher(message -> tcp.publish("b", null));
        ended.subscribe("a");
        ended.unsubscribe("a");
        tcp.publish("a", null);
    }

    @Test
    void aSubscriptionThatIsDroppedUnsubscribes() throws Exception {
        try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
            for (int at = 0; at < 100; at++) {
                connection.subscribe("dropped");
            }
            connection.flush(SOON);
            assertTrue(server.getStatistics().getSubscriptions() > 0);
            Place.await("nothing is subscribed", COLLECTED, () -> {
                System.gc();
                connection.flush(SOON);
                return server.getStatistics().getSubscriptions() == 0;
            });
        }
    }

    @Test
    void aServerThatIsDroppedEnds() throws Exception {
        List<WeakReference<Server>> dropped = new ArrayList<>();
        int threads = Usage.threads();
        for (int at = 0; at < 10; at++) {
            dropped.add(new WeakReference<>(Server.start()));
        }
        Place.await("its threads end", COLLECTED, () -> {
            System.gc();
            return Usage.threads() <= threads
                    && dropped.stream().allMatch(each -> each.get() == null);
        });
    }

    @Test
    void aConnectionWithCallbacksStaysThoughNobodyHoldsIt() throws Exception {
        try (Server server = Server.start(); Connection publisher = Nats.connect(server)) {
            AtomicInteger handled = new AtomicInteger();
            subscribeAndDrop(server, handled);
            for (int at = 0; at < 5; at++) {
                System.gc();
                Thread.sleep(50);
            }
            publisher.publish("kept", null);
            Place.await("it is handled", SOON, () -> handled.get() == 1);
            publisher.publish("end", null);
            Place.await("it is collected then", COLLECTED, () -> {
                System.gc();
                return server.getStatistics().getConnections() == 1;
            });
        }
    }

    private static void subscribeAndDrop(Server server, AtomicInteger handled) throws Exception {
        Connection connection = Nats.connect(server);
        Dispatcher dispatcher = connection.createDispatcher();
        dispatcher.subscribe("kept", message -> handled.incrementAndGet());
        dispatcher.subscribe("end", message -> {
            dispatcher.unsubscribe("kept");
            dispatcher.unsubscribe("end");
        });
        connection.flush(SOON);
    }

    @Test
    void everythingMayBeEndedInsideACallback() throws Exception {
        try (Server server = Server.start()) {
            CompletableFuture<Boolean> closed = new CompletableFuture<>();
            Connection first = Nats.connect(server);
            first.createDispatcher(message -> {
                first.close();
                closed.complete(true);
            }).subscribe("close");
            first.publish("close", null);
            assertTrue(closed.get(10, TimeUnit.SECONDS));
            Place.await("it is closed", SOON, () -> first.getStatus() == Connection.Status.CLOSED);

            AtomicInteger handled = new AtomicInteger();
            Connection second = Nats.connect(server);
            second.createDispatcher(message -> {
                handled.incrementAndGet();
                message.getSubscription().unsubscribe();
            }).subscribe("once");
            CompletableFuture<Boolean> drained = new CompletableFuture<>();
            second.createDispatcher(message -> second.drain(SOON).thenAccept(drained::complete))
                    .subscribe("drain");
            for (int at = 0; at < 10; at++) {
                second.publish("once", null);
            }
            second.flush(SOON);
            second.publish("drain", null);
            assertTrue(drained.get(10, TimeUnit.SECONDS));
            assertEquals(1, handled.get());

            Connection third = Nats.connect(server, Options.builder().noReconnect().build());
            CompletableFuture<Boolean> stopped = new CompletableFuture<>();
            third.createDispatcher(message -> {
                server.close();
                stopped.complete(true);
            }).subscribe("stop");
            third.publish("stop", null);
            assertTrue(stopped.get(10, TimeUnit.SECONDS));
            Place.await("it is closed", SOON, () -> third.getStatus() == Connection.Status.CLOSED);
        }
    }

    /** A drain holds its connection: it is not collected before the last byte was sent. */
    @Test
    void aDrainOfADroppedConnectionGoesOnToItsEnd() throws Exception {
        try (Server server = Server.start(); Connection watcher = Nats.connect(server)) {
            Subscription sent = watcher.subscribe("sent");
            watcher.flush(SOON);
            for (int round = 0; round < 20; round++) {
                CompletableFuture<Boolean> drained = publishAndDrain(server.getUrl());
                System.gc();
                assertTrue(drained.get(10, TimeUnit.SECONDS));
                for (int at = 0; at < 1000; at++) {
                    assertNotNull(sent.nextMessage(SOON));
                }
            }
        }
    }

    private static CompletableFuture<Boolean> publishAndDrain(String url) throws Exception {
        Connection connection = Nats.connect(url);
        for (int at = 0; at < 1000; at++) {
            connection.publish("sent", new byte[1000]);
        }
        return connection.drain(SOON);
    }

    /** Its first message comes while subscribe has not returned yet. */
    @Test
    void aHandlerMayEndItsSubscriptionAtOnce() throws Exception {
        try (Server server = Server.start(); Connection connection = Nats.connect(server);
                Connection publisher = Nats.connect(server)) {
            AtomicInteger handled = new AtomicInteger();
            Thread load = Blocking.start("load", () -> {
                try {
                    while (true) {
                        publisher.publish("flood", null);
                    }
                } catch (io.martlet.errors.ClosedException ended) {
                    assertNotNull(ended);
                }
            });
            Dispatcher dispatcher = connection.createDispatcher();
            for (int at = 0; at < 300; at++) {
                dispatcher.subscribe("flood", message -> {
                    handled.incrementAndGet();
                    message.getSubscription().unsubscribe();
                });
            }
            Place.await("each was called once", SOON, () -> handled.get() == 300);
            publisher.close();
            load.join(10_000);
            Place.await("none is left", SOON, () -> {
                connection.flush(SOON);
                return server.getStatistics().getSubscriptions() == 0;
            });
            assertEquals(300, handled.get());
            assertEquals(0, connection.getStatistics().getSubscriptions());
        }
    }

    @Test
    void closingRacesWithEverything() throws Exception {
        try (Server server = Server.start()) {
            for (int at = 0; at < 50; at++) {
                Connection connection = Nats.connect(server);
                Subscription subscription = connection.subscribe("race");
                connection.createDispatcher(message -> connection.publish("other", null))
                        .subscribe("race");
                List<Thread> users = new ArrayList<>();
                for (int user = 0; user < 4; user++) {
                    users.add(Blocking.start(
                            "user", () -> useUntilItIsClosed(connection, subscription)));
                }
                Thread.sleep(5);
                connection.close();
                for (Thread user : users) {
                    user.join(10_000);
                    assertTrue(!user.isAlive(), "a user of a closed connection ends");
                }
            }
        }
    }

    private static void useUntilItIsClosed(Connection connection, Subscription subscription) {
        try {
            while (true) {
                connection.publish("race", new byte[100]);
                connection.request("race", null);
                subscription.nextMessage(Duration.ofMillis(1));
                connection.getStatistics();
                subscription.getPendingMessageCount();
            }
        } catch (io.martlet.errors.ClosedException expected) {
            assertNotNull(expected.getMessage());
        } catch (InterruptedException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Test
    void aMillionMessagesLeaveMemoryFlat() throws Exception {
        try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
            AtomicInteger handled = new AtomicInteger();
            connection.createDispatcher().subscribe("m", null, message -> handled.incrementAndGet(),
                    SubscribeOptions.builder().fullPolicy(FullPolicy.BLOCK_READER).build());
            AtomicInteger sent = new AtomicInteger();
            byte[] body = new byte[128];
            assertFlat(10, () -> {
                for (int at = 0; at < 100_000; at++) {
                    connection.publish("m", body);
                }
                connection.flush(SOON);
                sent.addAndGet(100_000);
            });
            Place.await("all of them", SOON, () -> handled.get() == sent.get());
            assertTrue(sent.get() >= 1_000_000);
            assertEquals(0, server.getStatistics().getSlowConsumers());
        }
    }

    @Test
    void childProcessesInheritNothing() throws Exception {
        try (Server server = Server.start();
                Connection connection = Nats.connect(server.getUrl())) {
            connection.createDispatcher(message -> { }).subscribe("load");
            Thread load = Blocking.start("load", () -> {
                try {
                    while (true) {
                        connection.publish("load", new byte[128]);
                    }
                } catch (io.martlet.errors.ClosedException ended) {
                    assertNotNull(ended);
                }
            });
            for (int at = 0; at < 200; at++) {
                Process child = new ProcessBuilder("sh", "-c", "ls -l /proc/$$/fd").start();
                assertTrue(child.waitFor(60, TimeUnit.SECONDS), "a child hangs");
                assertEquals(0, child.exitValue());
                String listed = new String(child.getInputStream().readAllBytes());
                assertNull(listed.lines().filter(line -> line.contains("socket:")
                        || line.contains("event")).findFirst().orElse(null), listed);
            }
            connection.close();
            load.join(10_000);
        }
    }
}
