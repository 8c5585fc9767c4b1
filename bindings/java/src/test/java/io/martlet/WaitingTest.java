// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static io.martlet.Place.SOON;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.martlet.Place.Broker;
import io.martlet.errors.ClosedException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Goal: whoever waits gets what is his, however many wait beside him and in whatever way; an
 * interrupt and a close end each wait and lose nothing. Method: threads that wait inside the
 * library, more of them than have room there, and futures beside them, on one connection.
 */
class WaitingTest {
    /** More than wait inside the library at once. */
    private static final int MANY = 12;

    /** What may throw. */
    @FunctionalInterface
    private interface Body {
        void run() throws Exception;
    }

    private static CompletableFuture<Boolean> started(Body body) {
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        Blocking.start("waiter", () -> {
            try {
                body.run();
                done.complete(true);
            } catch (Throwable failure) {
                done.completeExceptionally(failure);
            }
        });
        return done;
    }

    private static void assertDone(List<CompletableFuture<Boolean>> all) throws Exception {
        for (CompletableFuture<Boolean> each : all) {
            assertTrue(each.get(20, TimeUnit.SECONDS));
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Message next(Subscription subscription) throws InterruptedException {
        Message message = subscription.nextMessage(SOON);
        assertNotNull(message, "a message in time");
        return message;
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void severalThreadsAskOneSubscription(Place place) throws Exception {
        int messages = 6000;
        try (Broker broker = place.open(); Connection connection = broker.connect();
                Connection publisher = broker.connect()) {
            Subscription subscription = connection.subscribe("shared");
            connection.flush(SOON);
            Queue<Integer> got = new ConcurrentLinkedQueue<>();
            List<CompletableFuture<Boolean>> readers = new ArrayList<>();
            for (int reader = 0; reader < MANY; reader++) {
                readers.add(started(() -> {
                    int last = -1;
                    for (int at = 0; at < messages / MANY; at++) {
                        int number = Integer.parseInt(next(subscription).getText());
                        assertTrue(number > last, number + " after " + last);
                        last = number;
                        got.add(number);
                    }
                }));
            }
            for (int at = 0; at < messages; at++) {
                publisher.publish("shared", bytes("" + at));
                if (at % 500 == 0) {
                    publisher.flush(SOON);
                }
            }
            assertDone(readers);
            assertEquals(messages, got.stream().distinct().count());
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void anInterruptLosesNoMessage(Place place) throws Exception {
        int messages = 2000;
        try (Broker broker = place.open(); Connection connection = broker.connect();
                Connection publisher = broker.connect()) {
            Subscription subscription = connection.subscribe("often");
            connection.flush(SOON);
            Thread current = Thread.currentThread();
            AtomicBoolean over = new AtomicBoolean();
            CompletableFuture<Boolean> load = started(() -> {
                for (int at = 0; at < messages; at++) {
                    publisher.publish("often", bytes("" + at));
                    if (at % 20 == 0) {
                        publisher.flush(SOON);
                        current.interrupt();
                    }
                }
                over.set(true);
            });
            int interrupted = 0;
            for (int at = 0; at < messages;) {
                try {
                    assertEquals("" + at, next(subscription).getText());
                    at++;
                } catch (InterruptedException expected) {
                    interrupted++;
                }
            }
            Place.await("the load", SOON, over::get);
            Thread.interrupted();
            assertTrue(load.get(10, TimeUnit.SECONDS));
            assertTrue(interrupted > 0);
        }
    }

    /** Its answer comes to nobody. */
    @ParameterizedTest
    @EnumSource(Place.class)
    void anInterruptedRequestDisturbsNoLaterOne(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            Subscription asked = connection.subscribe("ask");
            for (int round = 0; round < 20; round++) {
                String text = "" + round;
                Thread.currentThread().interrupt();
                assertThrows(InterruptedException.class,
                        () -> connection.request("ask", bytes("interrupted"), SOON));
                CompletableFuture<Boolean> service = started(() -> {
                    next(asked).respond(bytes("late"));
                    Message second = next(asked);
                    second.respond(second.getData());
                });
                assertEquals(text, connection.request("ask", bytes(text), SOON).getText());
                assertTrue(service.get(10, TimeUnit.SECONDS));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void moreWaitThanHaveRoomInside(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect();
                Connection other = broker.connect()) {
            Subscription asked = other.subscribe("ask");
            other.flush(SOON);
            List<CompletableFuture<Boolean>> waits = new ArrayList<>();
            for (int at = 0; at < MANY; at++) {
                String text = "" + at;
                Subscription subscription = connection.subscribe("s." + at);
                waits.add(started(() -> assertEquals(text, next(subscription).getText())));
                waits.add(started(() -> assertEquals(
                        text, connection.request("ask", bytes(text), SOON).getText())));
            }
            List<Message> requests = new ArrayList<>();
            for (int at = 0; at < MANY; at++) {
                requests.add(next(asked));
            }
            connection.flush(SOON);
            for (int at = MANY - 1; at >= 0; at--) {
                other.publish("s." + at, bytes("" + at));
                requests.get(at).respond(requests.get(at).getData());
            }
            assertDone(waits);
        }
    }

    /** Both forms in turn: who reads the socket changes each time. */
    @ParameterizedTest
    @EnumSource(Place.class)
    void futuresAreCompletedWhileOthersWait(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect();
                Connection service = broker.connect()) {
            service.createDispatcher(message -> message.respond(message.getData()))
                    .subscribe("echo");
            service.flush(SOON);
            Subscription end = connection.subscribe("end");
            connection.createDispatcher(message -> { }).subscribe("never");
            List<CompletableFuture<Boolean>> waits = List.of(started(() -> next(end)));
            for (int at = 0; at < 300; at++) {
                byte[] text = bytes("" + at);
                assertEquals("" + at, connection.request("echo", text)
                        .get(10, TimeUnit.SECONDS).getText());
                if (at % 3 == 0) {
                    assertEquals("" + at, connection.request("echo", text, SOON).getText());
                    assertTrue(connection.flushAsync(SOON).get(10, TimeUnit.SECONDS));
                }
            }
            connection.publish("end", null);
            assertDone(waits);
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void closingEndsEveryWait(Place place) throws Exception {
        for (int round = 0; round < 10; round++) {
            try (Broker broker = place.open(); Connection connection = broker.connect()) {
                List<CompletableFuture<Boolean>> waits = new ArrayList<>();
                Subscription silent = connection.subscribe("silent");
                for (int at = 0; at < MANY / 2; at++) {
                    Subscription subscription = connection.subscribe("s." + at);
                    waits.add(started(() -> assertThrows(
                            ClosedException.class, () -> subscription.nextMessage(SOON))));
                    waits.add(started(() -> assertThrows(ClosedException.class,
                            () -> connection.request("silent", null, SOON))));
                }
                for (int at = 0; at < MANY / 2; at++) {
                    next(silent);
                }
                connection.close();
                assertDone(waits);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void closingASubscriptionEndsItsWait(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            for (int round = 0; round < 50; round++) {
                Subscription subscription = connection.subscribe("s");
                CompletableFuture<Boolean> wait = started(() -> assertThrows(
                        ClosedException.class, () -> subscription.nextMessage(SOON)));
                if (round % 2 == 0) {
                    Thread.sleep(1);
                }
                subscription.close();
                assertDone(List.of(wait));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void whoWaitsGetsLargeMessages(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect();
                Connection service = broker.connect()) {
            service.createDispatcher(message -> message.respond(message.getData()))
                    .subscribe("echo");
            service.flush(SOON);
            Subscription subscription = connection.subscribe("large");
            connection.flush(SOON);
            for (int size : new int[] {0, 1, 9_000, 20_000, 40_000, 300_000, 1_000_000, 10}) {
                byte[] data = new byte[size];
                Arrays.fill(data, (byte) size);
                assertArrayEquals(data, connection.request("echo", data, SOON).getData());
                CompletableFuture<Boolean> wait = started(
                        () -> assertArrayEquals(data, next(subscription).getData()));
                service.publish("large", data);
                assertDone(List.of(wait));
            }
        }
    }

    /** Whoever takes it, the drain learns of it. */
    @ParameterizedTest
    @EnumSource(Place.class)
    void aDrainEndsWithTheLastMessage(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            for (int round = 0; round < 300; round++) {
                Subscription subscription = connection.subscribe("d");
                for (int at = 0; at < 5; at++) {
                    connection.publish("d", null);
                }
                connection.flush(SOON);
                next(subscription); // The others are read with it.
                CompletableFuture<Boolean> reader = started(() -> {
                    for (int at = 0; at < 4; at++) {
                        next(subscription);
                    }
                });
                assertTrue(subscription.drain(SOON).get(20, TimeUnit.SECONDS));
                assertDone(List.of(reader));
                assertThrows(ClosedException.class, () -> subscription.nextMessage(SOON));
            }
        }
    }

    /** One of them has the connection's block of memory at a time. */
    @ParameterizedTest
    @EnumSource(Place.class)
    void severalThreadsPublishAtOnce(Place place) throws Exception {
        int messages = 2000;
        try (Broker broker = place.open(); Connection connection = broker.connect();
                Connection publisher = broker.connect()) {
            List<Subscription> subscriptions = new ArrayList<>();
            List<CompletableFuture<Boolean>> publishers = new ArrayList<>();
            for (int at = 0; at < 4; at++) {
                subscriptions.add(connection.subscribe("p." + at));
            }
            connection.flush(SOON);
            for (int at = 0; at < 4; at++) {
                String subject = "p." + at;
                publishers.add(started(() -> {
                    for (int number = 0; number < messages; number++) {
                        publisher.publish(subject, "reply." + number,
                                number % 3 == 0 ? new Headers().add("Number", "" + number) : null,
                                bytes(subject + " " + number + " ".repeat(number % 7 * 1500)));
                    }
                }));
            }
            assertDone(publishers);
            for (int at = 0; at < 4; at++) {
                for (int number = 0; number < messages; number++) {
                    Message message = next(subscriptions.get(at));
                    assertEquals("p." + at, message.getSubject());
                    assertEquals("reply." + number, message.getReplyTo());
                    assertEquals("p." + at + " " + number + " ".repeat(number % 7 * 1500),
                            message.getText());
                    Headers headers = message.getHeaders();
                    assertEquals(number % 3 == 0 ? "" + number : null,
                            headers == null ? null : headers.getFirst("Number"));
                }
            }
            assertEquals(null, connection.subscribe("nothing").nextMessage(Duration.ZERO));
        }
    }
}
