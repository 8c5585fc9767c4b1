// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static io.martlet.Place.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.martlet.errors.AuthorizationException;
import io.martlet.errors.ClosedException;
import io.martlet.errors.LimitException;
import io.martlet.errors.MartletException;
import io.martlet.errors.NoServersException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: a connection that is lost comes back with its subscriptions, and says what happens to it.
 * Method: brokers that are stopped and started again, over TCP and inside the process.
 */
class ConnectionEventsTest {
    private final List<ConnectionListener.Events> events =
            Collections.synchronizedList(new ArrayList<>());
    private final List<Exception> failures = Collections.synchronizedList(new ArrayList<>());
    private final List<String> slow = Collections.synchronizedList(new ArrayList<>());

    private Options.Builder listening() {
        return Options.builder().reconnectWait(Duration.ofMillis(20)).reconnectJitter(Duration.ZERO)
                .connectionListener((connection, type) -> events.add(type))
                .errorListener(new ErrorListener() {
                    @Override
                    public void exceptionOccurred(Connection connection, Exception exception) {
                        failures.add(exception);
                    }

                    @Override
                    public void slowConsumerDetected(Connection connection, String text) {
                        slow.add(text);
                    }
                });
    }

    private static Connection connect(Server server, boolean inProcess, Options.Builder options)
            throws InterruptedException {
        return inProcess ? Nats.connect(server, options.build())
                : Nats.connect(options.server(server.getUrl()).build());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLostConnectionComesBackWithItsSubscriptions(boolean inProcess) throws Exception {
        int port;
        try (Server first = Server.start()) {
            port = first.getPort();
        }
        try (Server server = Server.builder().port(port).start();
                Connection connection = connect(server, inProcess, listening())) {
            Subscription asked = connection.subscribe("again");
            CompletableFuture<String> handled = new CompletableFuture<>();
            connection.createDispatcher(message -> handled.complete(message.getText()))
                    .subscribe("again");
            connection.flush(SOON);
            server.stop();
            Place.await("the loss", SOON,
                    () -> events.contains(ConnectionListener.Events.DISCONNECTED));
            Place.await("it tries", SOON,
                    () -> connection.getStatus() == Connection.Status.RECONNECTING);
            connection.publish("again", "kept".getBytes());
            server.restart();
            Place.await("it is back", SOON,
                    () -> events.contains(ConnectionListener.Events.RECONNECTED));
            Message message = asked.nextMessage(SOON);
            assertNotNull(message);
            assertEquals("kept", message.getText());
            assertEquals("kept", handled.get(10, TimeUnit.SECONDS));
            assertEquals(1, connection.getStatistics().getReconnects());
            assertEquals(ConnectionListener.Events.CONNECTED, events.get(0));
            connection.close();
            Place.await("the end", SOON, () -> events.contains(ConnectionListener.Events.CLOSED));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void withoutReconnectItIsClosedAndWaitsEnd(boolean inProcess) throws Exception {
        try (Server server = Server.start();
                Connection connection = connect(server, inProcess, listening().noReconnect())) {
            Subscription asked = connection.subscribe("s");
            CompletableFuture<Message> request = connection.request("s", null);
            connection.flush(SOON);
            CompletableFuture<Throwable> waiter = new CompletableFuture<>();
            Blocking.start(
                    "waiter", () -> waiter.complete(assertThrows(ClosedException.class, () -> {
                        while (asked.nextMessage(SOON) != null) {
                            continue;
                        }
                    })));
            server.close();
            ExecutionException failed = assertThrows(ExecutionException.class,
                    () -> request.get(10, TimeUnit.SECONDS));
            assertTrue(failed.getCause() instanceof MartletException, failed.toString());
            assertNotNull(waiter.get(10, TimeUnit.SECONDS));
            Place.await("the end", SOON, () -> events.contains(ConnectionListener.Events.CLOSED));
            assertEquals(Connection.Status.CLOSED, connection.getStatus());
            assertFalse(asked.isActive());
            assertThrows(ClosedException.class, () -> connection.subscribe("late"));
            assertThrows(ClosedException.class, () -> connection.createDispatcher());
            assertThrows(ClosedException.class, () -> connection.request("late", null));
        }
    }

    /** Though nobody has read what waits, and nobody will. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDrainEndsWithItsConnection(boolean inProcess) throws Exception {
        try (Server server = Server.start();
                Connection connection = connect(server, inProcess, listening().noReconnect())) {
            Subscription unread = connection.subscribe("unread");
            Subscription alone = connection.subscribe("alone");
            connection.publish("unread", null);
            connection.flush(SOON);
            CompletableFuture<Boolean> ofSubscription = alone.drain(Duration.ofHours(1));
            CompletableFuture<Boolean> drained = connection.drain(Duration.ofHours(1));
            assertFalse(drained.isDone());
            server.close();
            assertFalse(drained.get(10, TimeUnit.SECONDS));
            assertTrue(ofSubscription.get(10, TimeUnit.SECONDS), "nothing of it was left");
            assertNotNull(unread.nextMessage(SOON));
        }
    }

    @Test
    void whoCannotConnectIsToldWhy() throws Exception {
        int port;
        try (Server gone = Server.start()) {
            port = gone.getPort();
        }
        Options nobody = Options.builder().server("nats://127.0.0.1:" + port).build();
        NoServersException failure =
                assertThrows(NoServersException.class, () -> Nats.connect(nobody));
        assertTrue(String.valueOf(failure.getMessage()).contains("" + port), failure.getMessage());
        ExecutionException failed = assertThrows(ExecutionException.class,
                () -> Nats.connectAsync(nobody).get(10, TimeUnit.SECONDS));
        assertTrue(failed.getCause() instanceof NoServersException, failed.toString());
        try (Server guarded = Server.builder().userInfo("joe", "secret").start()) {
            assertThrows(AuthorizationException.class, () -> Nats.connect(guarded.getUrl()));
            assertThrows(AuthorizationException.class, () -> Nats.connect(Options.builder()
                    .server(guarded.getUrl()).userInfo("joe", "wrong").build()));
            Nats.connect(Options.builder()
                                 .server(guarded.getUrl())
                                 .userInfo("joe", "secret")
                                 .build())
                    .close();
        }
        try (Server guarded = Server.builder().token("t0ken").start()) {
            Nats.connectAsync(Options.builder().server(guarded.getUrl()).token("t0ken").build())
                    .get(10, TimeUnit.SECONDS).close();
        }
    }

    @Test
    void theFirstConnectMayGoOn() throws Exception {
        int port;
        try (Server gone = Server.start()) {
            port = gone.getPort();
        }
        CompletableFuture<Connection> later = Nats.connectAsync(listening().retryOnFailedConnect()
                .server("nats://127.0.0.1:" + port).build());
        Thread.sleep(100);
        try (Server server = Server.builder().port(port).start()) {
            later.get(10, TimeUnit.SECONDS).close();
            assertEquals(0, server.getStatistics().getSubscriptions());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void boundsLoseMessagesByTheirPolicyAndCountThem(boolean inProcess) throws Exception {
        try (Server server = Server.start();
                Connection connection = connect(server, inProcess, listening())) {
            SubscribeOptions.Builder ten = SubscribeOptions.builder().pendingLimits(10, 0);
            Subscription refuses = connection.subscribe("b.>", null, ten.build());
            Subscription newest = connection.subscribe("b.>", null,
                    ten.fullPolicy(FullPolicy.DROP_OLDEST).build());
            Subscription latest = connection.subscribe("b.>", null,
                    ten.fullPolicy(FullPolicy.KEEP_LATEST_OF_EACH_SUBJECT).build());
            for (int at = 0; at < 100; at++) {
                connection.publish("b." + at % 5, ("" + at).getBytes());
            }
            connection.flush(SOON);
            Place.await("they lose", SOON, () -> refuses.getDroppedCount() == 90);
            assertEquals("0", text(refuses));
            assertEquals("90", text(newest));
            assertEquals(90, newest.getDroppedCount());
            assertEquals(100, refuses.getDeliveredCount());
            assertTrue(latest.getPendingMessageCount() <= 10);
            Place.await("somebody hears of it", SOON, () -> !slow.isEmpty());
        }
    }

    @Test
    void aReaderThatIsBlockedLosesNothing() throws Exception {
        try (Server server = Server.start();
                Connection connection = connect(server, true, listening());
                Connection publisher = Nats.connect(server)) {
            Subscription blocks = connection.subscribe("b", null, SubscribeOptions.builder()
                    .pendingLimits(10, 0).fullPolicy(FullPolicy.BLOCK_READER).build());
            connection.flush(SOON);
            for (int at = 0; at < 1000; at++) {
                publisher.publish("b", ("" + at).getBytes());
            }
            publisher.flush(SOON);
            Thread.sleep(100);
            for (int at = 0; at < 1000; at++) {
                assertEquals("" + at, text(blocks));
            }
            assertEquals(0, blocks.getDroppedCount());
        }
    }

    private static String text(Subscription subscription) throws InterruptedException {
        Message message = subscription.nextMessage(SOON);
        assertNotNull(message);
        return message.getText();
    }

    @Test
    void whatAHandlerThrowsIsToldAndTheNextMessageComes() throws Exception {
        try (Server server = Server.start();
                Connection connection = connect(server, true, listening())) {
            List<String> seen = Collections.synchronizedList(new ArrayList<>());
            connection.createDispatcher(message -> {
                seen.add(message.getText());
                if (message.getText().equals("error")) {
                    throw new StackOverflowError("planned");
                }
                throw new java.io.IOException("planned");
            }).subscribe("t");
            Subscription other = connection.subscribe("t");
            connection.publish("t", "error".getBytes());
            connection.publish("t", "exception".getBytes());
            Place.await("both", SOON, () -> failures.size() == 2);
            assertEquals(List.of("error", "exception"), seen);
            assertTrue(failures.get(0).getCause() instanceof StackOverflowError);
            assertTrue(failures.get(1) instanceof java.io.IOException);
            assertEquals("error", text(other));
            assertEquals("exception", text(other));
        }
    }

    @Test
    void anErrorOfTheServerIsTold() throws Exception {
        CompletableFuture<String> told = new CompletableFuture<>();
        CompletableFuture<MartletException> asException = new CompletableFuture<>();
        try (Server server = Server.builder().maxSubscriptions(1).start();
                Connection connection = connect(server, true, Options.builder().errorListener(
                        new ErrorListener() {
                            @Override
                            public void errorOccurred(Connection connection, String error) {
                                told.complete(error);
                            }
                        }));
                Connection other = connect(server, false, Options.builder().errorListener(
                        new ErrorListener() {
                            @Override
                            public void errorOccurred(
                                    Connection connection, MartletException error) {
                                asException.complete(error);
                            }
                        }))) {
            for (Connection each : List.of(connection, other)) {
                each.subscribe("one");
                each.subscribe("two");
            }
            assertTrue(told.get(10, TimeUnit.SECONDS).toLowerCase().contains("subscriptions"));
            MartletException error = asException.get(10, TimeUnit.SECONDS);
            assertEquals(LimitException.class, error.getClass(), error.getMessage());
        }
    }

    @Test
    void aListenerThatThrowsStopsNothing() throws Exception {
        try (Server server = Server.start(); Connection connection = Nats.connect(server,
                Options.builder().connectionListener((who, type) -> {
                    events.add(type);
                    throw new IllegalStateException("planned");
                }).build())) {
            connection.flush(SOON);
            connection.close();
            Place.await("the end", SOON, () -> events.contains(ConnectionListener.Events.CLOSED));
        }
    }
}
