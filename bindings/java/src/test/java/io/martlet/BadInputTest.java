// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static io.martlet.Place.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.martlet.errors.BadSubjectException;
import io.martlet.errors.ClosedException;
import io.martlet.errors.InvalidArgumentException;
import io.martlet.errors.OptionsException;
import io.martlet.errors.StateException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: whatever a program gives wrongly is refused by an exception that names it, and everything
 * else goes on. Method: each wrong argument, and after each test a message that still passes.
 */
class BadInputTest {
    private static final String HALF_PAIR = "a\uD800b";

    private Server server;
    private Connection connection;
    private Subscription others;

    @BeforeEach
    void begin() throws Exception {
        server = Server.builder().inProcessOnly().start();
        connection = Nats.connect(server);
        others = connection.subscribe("others");
    }

    @AfterEach
    void othersGoOn() throws Exception {
        connection.publish("others", "still".getBytes());
        Message message = others.nextMessage(SOON);
        assertNotNull(message);
        assertEquals("still", message.getText());
        connection.close();
        server.close();
    }

    private static <T extends Throwable> void named(Class<T> kind, String name, Executable body) {
        T thrown = assertThrows(kind, body);
        assertTrue(String.valueOf(thrown.getMessage()).contains(name), name + " in: " + thrown);
    }

    @Test
    void nullIsNamed() {
        String none = null;
        named(NullPointerException.class, "subject", () -> connection.publish(none, new byte[0]));
        named(NullPointerException.class, "message", () -> connection.publish((Message) null));
        named(NullPointerException.class, "subject", () -> connection.request(none, null));
        named(NullPointerException.class, "timeout",
                () -> connection.request("a", null, (Duration) null));
        named(NullPointerException.class, "subject", () -> connection.subscribe(none));
        named(NullPointerException.class, "queue", () -> connection.subscribe("a", none));
        named(NullPointerException.class, "options", () -> connection.subscribe("a", null, null));
        named(NullPointerException.class, "timeout", () -> others.nextMessage(null));
        named(NullPointerException.class, "timeout", () -> connection.flush(null));
        named(NullPointerException.class, "timeout", () -> connection.drain(null));
        named(NullPointerException.class, "handler", () -> connection.createDispatcher(null));
        named(NullPointerException.class, "handler",
                () -> connection.createDispatcher().subscribe("a", (MessageHandler) null));
        named(NullPointerException.class, "options", () -> Nats.connect((Options) null));
        named(NullPointerException.class, "server", () -> Nats.connect((Server) null));
        named(NullPointerException.class, "url", () -> Nats.connect((String) null));
        named(NullPointerException.class, "name", () -> new Headers().add(null, "x"));
        named(NullPointerException.class, "value", () -> new Headers().add("x", none));
        named(NullPointerException.class, "subject", () -> Message.builder().build());
        named(NullPointerException.class, "policy",
                () -> SubscribeOptions.builder().fullPolicy(null));
        named(NullPointerException.class, "host", () -> Server.builder().host(null));
        named(NullPointerException.class, "listener",
                () -> Options.builder().connectionListener(null));
    }

    @Test
    void negativeAndHugeSizesAreNamed() throws Exception {
        Duration negative = Duration.ofSeconds(-1);
        Duration huge = Duration.ofSeconds(Long.MAX_VALUE);
        named(InvalidArgumentException.class, "timeout", () -> others.nextMessage(negative));
        named(InvalidArgumentException.class, "timeoutMillis", () -> others.nextMessage(-1));
        named(InvalidArgumentException.class, "timeout",
                () -> connection.request("a", null, negative));
        named(InvalidArgumentException.class, "timeout", () -> connection.flush(negative));
        named(InvalidArgumentException.class, "timeout", () -> connection.drain(negative));
        named(InvalidArgumentException.class, "messages_max", () -> others.unsubscribe(-5L));
        named(InvalidArgumentException.class, "replies_max",
                () -> connection.requestMany("a", null, -1, SOON));
        named(OptionsException.class, "messages",
                () -> SubscribeOptions.builder().pendingLimits(-1, 0));
        named(OptionsException.class, "bytes",
                () -> SubscribeOptions.builder().pendingLimits(0, -1));
        named(OptionsException.class, "pingInterval",
                () -> Options.builder().pingInterval(negative));
        named(OptionsException.class, "ping_interval_ms",
                () -> Nats.connect(server, Options.builder().pingInterval(huge).build()));
        named(OptionsException.class, "pings_out_max",
                () -> Nats.connect(server, Options.builder().maxPingsOut(0).build()));
        assertTrue(Nats.connect(server).drain(huge).get(10, TimeUnit.SECONDS));
        connection.flush(huge);
        connection.publish("others", "huge timeouts are long ones".getBytes());
        Message message = others.nextMessage(huge);
        assertNotNull(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "a..b", ".a", "a.", "a\tb", "a\r\nPUB x 0"})
    void wrongSubjectsAreRefused(String subject) {
        assertThrows(BadSubjectException.class, () -> connection.publish(subject, null));
        assertThrows(BadSubjectException.class, () -> connection.subscribe(subject));
        assertThrows(BadSubjectException.class, () -> connection.request(subject, null));
        assertThrows(BadSubjectException.class,
                () -> connection.createDispatcher(message -> { }).subscribe(subject));
    }

    @Test
    void textsThatAreNoTextsAreRefused() throws Exception {
        named(InvalidArgumentException.class, "subject", () -> connection.publish(HALF_PAIR, null));
        named(InvalidArgumentException.class, "replyTo",
                () -> connection.publish("a", HALF_PAIR, new byte[0]));
        named(InvalidArgumentException.class, "value", () -> new Headers().add("a", HALF_PAIR));
        named(InvalidArgumentException.class, "value", () -> new Headers().add("a", "b\r\nc: d"));
        named(InvalidArgumentException.class, "name", () -> new Headers().add("a:b", "c"));
        named(InvalidArgumentException.class, "name", () -> new Headers().add("", "c"));
        named(InvalidArgumentException.class, "name", () -> new Headers().add("ü", "c"));
        named(InvalidArgumentException.class, "connectionName",
                () -> Options.builder().connectionName(HALF_PAIR));
        Subscription nul = connection.subscribe("nul.\0");
        connection.publish("nul.\0", null);
        Message message = nul.nextMessage(SOON);
        assertNotNull(message);
        assertEquals("nul.\0", message.getSubject(), "NATS takes it: nothing ends at it");
        named(InvalidArgumentException.class, "queue group",
                () -> connection.subscribe("a", "b c"));
    }

    @Test
    void bytesThatAreNoTextComeAsTheyAre() throws Exception {
        byte[] broken = {(byte) 0xff, 0, (byte) 0xc3, '\r', '\n'};
        Subscription subscription = connection.subscribe("bytes");
        connection.publish("bytes", broken);
        Message message = subscription.nextMessage(SOON);
        assertNotNull(message);
        assertEquals(List.of(5, (byte) 0xff, (byte) 0), List.of(message.getData().length,
                message.getData()[0], message.getData()[1]));
        assertEquals("\uFFFD\0\uFFFD\r\n", message.getText());
        Headers parsed = Headers.parse("NATS/1.0 503 No one\r\nnocolon\r\nA:1\r\n: x\r\n\r\n"
                .getBytes(StandardCharsets.UTF_8));
        assertEquals(503, parsed.getStatus());
        assertEquals("No one", parsed.getDescription());
        assertEquals("1", parsed.getFirst("A"));
        assertEquals(1, parsed.size());
        named(InvalidArgumentException.class, "cannot be changed", () -> parsed.add("B", "2"));
        assertEquals(0, Headers.parse(new byte[0]).size());
        assertNull(parsed.get("a"));
    }

    @Test
    void unknownAndWrongOptionsAreNamed() {
        named(OptionsException.class, "nam", () -> Nats.connect(server,
                Options.builder().option("nam", "x").build()));
        named(OptionsException.class, "echo", () -> Nats.connect(server,
                Options.builder().option("echo", 3).build()));
        assertThrows(OptionsException.class, () -> Nats.connect("http://127.0.0.1:4222"));
        assertThrows(OptionsException.class, () -> Nats.connect("nats://127.0.0.1:999999"));
        assertThrows(OptionsException.class, () -> Nats.connect(server,
                Options.builder().server("nats://127.0.0.1:4222").build()));
    }

    @Test
    void closedObjectsSaySo() throws Exception {
        Connection gone = Nats.connect(server);
        Subscription subscription = gone.subscribe("s");
        Dispatcher dispatcher = gone.createDispatcher(message -> { });
        gone.close();
        gone.close();
        assertThrows(ClosedException.class, () -> gone.publish("a", null));
        assertThrows(ClosedException.class, () -> gone.request("a", null, SOON));
        assertThrows(ClosedException.class, () -> gone.flush(SOON));
        assertThrows(ClosedException.class, () -> gone.drain(SOON));
        assertThrows(ClosedException.class, () -> gone.subscribe("a"));
        assertThrows(ClosedException.class, gone::getStatistics);
        assertThrows(ClosedException.class, gone::createInbox);
        assertThrows(ClosedException.class, () -> subscription.nextMessage(SOON));
        assertThrows(ClosedException.class, () -> dispatcher.subscribe("a"));
        assertThrows(ClosedException.class, subscription::unsubscribe);
        subscription.close();
        assertEquals(Connection.Status.CLOSED, gone.getStatus());
        Dispatcher ended = connection.createDispatcher(message -> { });
        ended.subscribe("e");
        connection.closeDispatcher(ended);
        connection.closeDispatcher(ended);
        assertThrows(ClosedException.class, () -> ended.subscribe("a"));
    }

    @Test
    void whatDoesNotFitIsSaid() {
        Dispatcher one = connection.createDispatcher();
        Dispatcher two = connection.createDispatcher();
        Subscription subscription = one.subscribe("a", message -> { });
        assertThrows(StateException.class, () -> two.unsubscribe(subscription));
        assertThrows(StateException.class, () -> subscription.nextMessage(SOON));
        assertThrows(StateException.class, () -> one.subscribe("b"));
        assertThrows(BadSubjectException.class,
                () -> Message.builder().subject("a").data("x").build().respond(null));
    }
}
