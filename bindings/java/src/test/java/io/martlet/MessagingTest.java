// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static io.martlet.Place.SOON;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.martlet.Place.Broker;
import io.martlet.errors.BadSubjectException;
import io.martlet.errors.ClosedException;
import io.martlet.errors.DrainingException;
import io.martlet.errors.MaxPayloadException;
import io.martlet.errors.NoRespondersException;
import io.martlet.errors.TimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Goal: a connection does with messages what NATS does. Method: the same tests over TCP to our
 * broker, inside the process, and over TCP to nats-server.
 */
class MessagingTest {
    private static final byte[] HELLO = "hello".getBytes();

    private static Message next(Subscription subscription) throws InterruptedException {
        Message message = subscription.nextMessage(SOON);
        assertNotNull(message, "a message in time");
        return message;
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void messagesComeInOrderWithWhatTheyCarry(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            Subscription subscription = connection.subscribe("greet.*");
            connection.publish(
                    "greet.joe", "back", new Headers().add("A", "1", "2").put("B", "ü"), HELLO);
            connection.publish("greet.jane", null);
            Message first = next(subscription);
            assertEquals("greet.joe", first.getSubject());
            assertEquals("back", first.getReplyTo());
            assertArrayEquals(HELLO, first.getData());
            Headers headers = first.getHeaders();
            assertNotNull(headers);
            assertEquals(List.of("1", "2"), headers.get("A"));
            assertEquals("ü", headers.getFirst("B"));
            assertNull(headers.getFirst("a"), "names keep their case");
            assertSame(subscription, first.getSubscription());
            assertSame(connection, first.getConnection());
            assertNotNull(first.getReceivedTime());
            Message second = next(subscription);
            assertEquals("greet.jane", second.getSubject());
            assertNull(second.getReplyTo());
            assertNull(second.getHeaders());
            assertEquals(0, second.getData().length);
            assertNull(subscription.nextMessage(Duration.ZERO));
            assertNull(subscription.nextMessage(Duration.ofMillis(20)));
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void largeMessagesPassAndTooLargeOnesAreRefused(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            Subscription asked = connection.subscribe("big");
            CompletableFuture<Message> handled = new CompletableFuture<>();
            connection.createDispatcher(handled::complete).subscribe("big");
            byte[] large = new byte[(int) connection.getMaxPayload()];
            new Random(7).nextBytes(large);
            connection.publish("big", large);
            connection.publish("big", HELLO);
            assertArrayEquals(large, next(asked).getData());
            assertArrayEquals(HELLO, next(asked).getData());
            assertArrayEquals(large, handled.get(10, TimeUnit.SECONDS).getData());
            assertThrows(MaxPayloadException.class,
                    () -> connection.publish("big", new byte[large.length + 1]));
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void aQueueGroupSharesMessages(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            AtomicInteger first = new AtomicInteger();
            AtomicInteger second = new AtomicInteger();
            connection.createDispatcher(message -> first.incrementAndGet())
                    .subscribe("work", "group");
            connection.createDispatcher(message -> second.incrementAndGet())
                    .subscribe("work", "group");
            connection.flush(SOON);
            for (int at = 0; at < 200; at++) {
                connection.publish("work", HELLO);
            }
            Place.await("all of them", SOON, () -> first.get() + second.get() == 200);
            assertTrue(first.get() > 0 && second.get() > 0, first + " and " + second);
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void requestsAreAnsweredInBothForms(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect();
                Connection asker = broker.connect()) {
            connection.createDispatcher(message -> message.respond(
                    ("re: " + message.getText()).getBytes())).subscribe("ask");
            connection.createDispatcher(message -> message.respond(
                    new Headers().add("Kind", "answer"), message.getData())).subscribe("headers");
            connection.flush(SOON);
            assertEquals("re: hello", asker.request("ask", HELLO, SOON).getText());
            assertEquals(
                    "re: hello", asker.request("ask", HELLO).get(10, TimeUnit.SECONDS).getText());
            Headers headers = asker.request("headers", HELLO, SOON).getHeaders();
            assertEquals("answer", headers == null ? null : headers.getFirst("Kind"));
            List<CompletableFuture<Message>> many = new ArrayList<>();
            for (int at = 0; at < 500; at++) {
                many.add(asker.request("ask", ("" + at).getBytes()));
            }
            for (int at = 0; at < 500; at++) {
                assertEquals("re: " + at, many.get(at).get(10, TimeUnit.SECONDS).getText());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void aRequestThatNobodyAnswersSaysWhy(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            NoRespondersException nobody = assertThrows(
                    NoRespondersException.class, () -> connection.request("nobody", HELLO, SOON));
            assertEquals("nobody listens to \"nobody\"", nobody.getMessage());
            ExecutionException failed = assertThrows(ExecutionException.class,
                    () -> connection.request("nobody", HELLO).get(10, TimeUnit.SECONDS));
            assertTrue(failed.getCause() instanceof NoRespondersException, failed.toString());
            Subscription silent = connection.subscribe("silent");
            TimeoutException late = assertThrows(TimeoutException.class,
                    () -> connection.request("silent", HELLO, Duration.ofMillis(50)));
            assertEquals("no answer to \"silent\" in 50 ms", late.getMessage());
            assertNotNull(next(silent).getReplyTo());
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void aRequestMayHaveManyAnswers(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            Dispatcher dispatcher = connection.createDispatcher(message -> message.respond(HELLO));
            dispatcher.subscribe("who");
            dispatcher.subscribe("who");
            dispatcher.subscribe("who");
            assertEquals(3,
                    connection.requestMany("who", null, 3, SOON).get(10, TimeUnit.SECONDS).size());
            assertEquals(3, connection.requestMany("who", null, 0, Duration.ofMillis(300))
                    .get(10, TimeUnit.SECONDS).size());
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void aSubscriptionEndsByItself(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            Subscription three = connection.subscribe("count", null,
                    SubscribeOptions.builder().maxMessages(3).build());
            AtomicInteger handled = new AtomicInteger();
            Dispatcher dispatcher =
                    connection.createDispatcher(message -> handled.incrementAndGet());
            Subscription two = dispatcher.subscribe("count", message -> handled.incrementAndGet());
            two.unsubscribe(2);
            for (int at = 0; at < 10; at++) {
                connection.publish("count", HELLO);
            }
            connection.flush(SOON);
            for (int at = 0; at < 3; at++) {
                next(three);
            }
            assertThrows(ClosedException.class, () -> three.nextMessage(SOON));
            assertFalse(three.isActive());
            assertEquals(3, three.getDeliveredCount());
            Place.await("its end", SOON, () -> !two.isActive());
            assertEquals(2, handled.get());
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void unsubscribedIsOver(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            Subscription subscription = connection.subscribe("over");
            connection.publish("over", HELLO);
            connection.flush(SOON);
            assertEquals(1, subscription.getPendingMessageCount());
            assertTrue(subscription.getPendingByteCount() > 0);
            subscription.unsubscribe();
            assertFalse(subscription.isActive());
            connection.publish("over", HELLO);
            connection.flush(SOON);
            next(subscription); // What had come can still be read.
            assertThrows(ClosedException.class, () -> subscription.nextMessage(SOON));
            assertThrows(ClosedException.class, subscription::unsubscribe);
            assertEquals(1, subscription.getDeliveredCount());
            CountDownLatch waits = new CountDownLatch(1);
            Subscription other = connection.subscribe("other");
            CompletableFuture<Throwable> waiter = new CompletableFuture<>();
            Blocking.start("waiter", () -> {
                waits.countDown();
                waiter.complete(assertThrows(ClosedException.class, () -> other.nextMessage(SOON)));
            });
            assertTrue(waits.await(10, TimeUnit.SECONDS));
            Thread.sleep(50);
            other.unsubscribe();
            assertNotNull(waiter.get(10, TimeUnit.SECONDS));
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void drainHandsOverWhatCameAndCloses(Place place) throws Exception {
        try (Broker broker = place.open(); Connection watcher = broker.connect()) {
            Subscription answers = watcher.subscribe("answers");
            watcher.flush(SOON);
            Connection connection = broker.connect();
            connection.createDispatcher(message -> {
                Thread.sleep(1);
                connection.publish("answers", message.getData());
            }).subscribe("in");
            Subscription asked = connection.subscribe("in");
            for (int at = 0; at < 100; at++) {
                connection.publish("in", ("" + at).getBytes());
            }
            connection.flush(SOON);
            CompletableFuture<Boolean> drained = connection.drain(SOON);
            assertThrows(DrainingException.class, () -> connection.subscribe("late"));
            for (int at = 0; at < 100; at++) {
                assertEquals("" + at, next(asked).getText());
            }
            assertTrue(drained.get(10, TimeUnit.SECONDS));
            assertEquals(Connection.Status.CLOSED, connection.getStatus());
            for (int at = 0; at < 100; at++) {
                assertEquals("" + at, next(answers).getText());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void aDrainThatTakesTooLongSaysSoAndClosesNevertheless(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            Subscription unread = connection.subscribe("in");
            connection.publish("in", HELLO);
            connection.flush(SOON);
            assertFalse(connection.drain(Duration.ofMillis(200)).get(10, TimeUnit.SECONDS));
            assertEquals(Connection.Status.CLOSED, connection.getStatus());
            assertEquals("hello", next(unread).getText());
            assertThrows(ClosedException.class, () -> unread.nextMessage(SOON));
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void subscriptionsAndDispatchersDrainAlone(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            List<String> handled = Collections.synchronizedList(new ArrayList<>());
            Dispatcher dispatcher = connection.createDispatcher(message -> {
                Thread.sleep(2);
                handled.add(message.getText());
            });
            dispatcher.subscribe("d");
            Subscription asked = connection.subscribe("d");
            for (int at = 0; at < 20; at++) {
                connection.publish("d", ("" + at).getBytes());
            }
            connection.flush(SOON);
            assertTrue(dispatcher.drain(SOON).get(10, TimeUnit.SECONDS));
            assertEquals(20, handled.size());
            CompletableFuture<Boolean> drained = asked.drain(SOON);
            for (int at = 0; at < 20; at++) {
                assertEquals("" + at, next(asked).getText());
            }
            assertTrue(drained.get(10, TimeUnit.SECONDS));
            assertThrows(ClosedException.class, () -> asked.nextMessage(SOON));
            assertEquals(Connection.Status.CONNECTED, connection.getStatus());
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void handlersMayWaitForTheirOwnConnection(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            connection.createDispatcher(message -> message.respond("pong".getBytes()))
                    .subscribe("ping");
            CompletableFuture<String> got = new CompletableFuture<>();
            connection.createDispatcher(message -> {
                String answer = connection.request("ping", null, SOON).getText();
                connection.flush(SOON);
                got.complete(answer);
            }).subscribe("go");
            connection.publish("go", null);
            assertEquals("pong", got.get(10, TimeUnit.SECONDS));
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void aCancelledWaitHarmsNobody(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            Subscription asked = connection.subscribe("ask");
            CompletableFuture<Message> cancelled = connection.request("ask", HELLO);
            CompletableFuture<Message> kept = connection.request("ask", HELLO);
            assertTrue(cancelled.cancel(true));
            next(asked).respond("late".getBytes());
            next(asked).respond("answer".getBytes());
            assertEquals("answer", kept.get(10, TimeUnit.SECONDS).getText());
            assertThrows(CancellationException.class, cancelled::join);
            CompletableFuture<Boolean> flushed = connection.flushAsync(SOON);
            flushed.cancel(true);
            connection.flush(SOON);
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void anInterruptedWaitEnds(Place place) throws Exception {
        try (Broker broker = place.open(); Connection connection = broker.connect()) {
            Subscription subscription = connection.subscribe("never");
            Thread current = Thread.currentThread();
            Blocking.start("interrupter", () -> {
                try {
                    Thread.sleep(100);
                } catch (InterruptedException impossible) {
                    return;
                }
                current.interrupt();
            });
            assertThrows(InterruptedException.class, () -> subscription.nextMessage(SOON));
            Blocking.start("interrupter", () -> {
                try {
                    Thread.sleep(100);
                } catch (InterruptedException impossible) {
                    return;
                }
                current.interrupt();
            });
            assertThrows(
                    InterruptedException.class, () -> connection.request("never", HELLO, SOON));
            connection.flush(SOON);
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void aConnectionTellsOfItself(Place place) throws Exception {
        try (Broker broker = place.open();
                Connection connection = broker.connect(Options.builder().connectionName("me"))) {
            assertEquals(Connection.Status.CONNECTED, connection.getStatus());
            connection.publish("a", HELLO);
            connection.flush(SOON);
            Statistics statistics = connection.getStatistics();
            assertEquals(1, statistics.getOutMsgs());
            assertEquals(5, statistics.getOutBytes());
            assertTrue(connection.getMaxPayload() > 1000);
            assertTrue(connection.createInbox().startsWith("_INBOX."));
            assertTrue(connection.getClientId() > 0);
            assertTrue(connection.RTT().toNanos() > 0);
            assertEquals(place == Place.IN_PROCESS ? "in process" : broker.url(),
                    connection.getConnectedUrl());
            connection.close();
            assertEquals(Connection.Status.CLOSED, connection.getStatus());
            assertThrows(ClosedException.class, () -> connection.publish("a", HELLO));
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void withoutEchoOwnMessagesDoNotComeBack(Place place) throws Exception {
        try (Broker broker = place.open();
                Connection connection = broker.connect(Options.builder().noEcho());
                Connection other = broker.connect()) {
            Subscription subscription = connection.subscribe("e");
            connection.publish("e", "own".getBytes());
            connection.flush(SOON);
            other.publish("e", "other".getBytes());
            assertEquals("other", next(subscription).getText());
            assertThrows(
                    BadSubjectException.class, () -> next(subscription, other).respond(HELLO));
        }
    }

    private static Message next(Subscription subscription, Connection other)
            throws InterruptedException {
        other.publish("e", HELLO);
        return next(subscription);
    }
}
