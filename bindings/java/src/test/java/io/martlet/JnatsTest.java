// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static io.martlet.Place.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.nats.client.impl.Headers;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Goal: programs that use the official client need not know that the broker is inside another one.
 * Method: that client, as it is published, talks to an embedded broker and to our connections.
 */
class JnatsTest {
    private static io.nats.client.Connection jnats(Server server) throws Exception {
        return io.nats.client.Nats.connect(new io.nats.client.Options.Builder()
                        .server(server.getUrl())
                        .connectionTimeout(Duration.ofSeconds(5))
                        .build());
    }

    @Test
    void theOfficialClientAsksAnEmbeddedQuoteService() throws Exception {
        try (Server server = Server.start(); Connection service = Nats.connect(server);
                io.nats.client.Connection asker = jnats(server)) {
            service.createDispatcher(message
                           -> message.respond(("quote of " + message.getSubject()).getBytes()))
                    .subscribe("quote.*", "quotes");
            service.flush(SOON);
            assertEquals("quote of quote.ABC",
                    new String(asker.request("quote.ABC", null, Duration.ofSeconds(5)).getData()));
        }
    }

    @Test
    void messagesPassBothWays() throws Exception {
        try (Server server = Server.start(); Connection ours = Nats.connect(server);
                io.nats.client.Connection theirs = jnats(server)) {
            io.nats.client.Subscription received = theirs.subscribe("to.jnats");
            theirs.flush(Duration.ofSeconds(5));
            ours.publish("to.jnats", new io.martlet.Headers().add("Kind", "greeting"),
                    "hello".getBytes());
            io.nats.client.Message message = received.nextMessage(Duration.ofSeconds(5));
            assertNotNull(message);
            assertEquals("hello", new String(message.getData()));
            assertEquals("greeting", message.getHeaders().getFirst("Kind"));
            Subscription back = ours.subscribe("to.ours");
            ours.flush(SOON);
            theirs.publish("to.ours", new Headers().add("Kind", "answer"), "welcome".getBytes());
            Message answer = back.nextMessage(SOON);
            assertNotNull(answer);
            assertEquals("welcome", answer.getText());
            assertNotNull(answer.getHeaders());
            assertEquals("answer", answer.getHeaders().getFirst("Kind"));
        }
    }

    @Test
    void theOfficialClientSubscribesAndDrains() throws Exception {
        try (Server server = Server.start(); Connection ours = Nats.connect(server)) {
            io.nats.client.Connection theirs = jnats(server);
            AtomicInteger count = new AtomicInteger();
            theirs.createDispatcher(message -> count.incrementAndGet()).subscribe("many", "group");
            theirs.flush(Duration.ofSeconds(5));
            for (int at = 0; at < 10_000; at++) {
                ours.publish("many", new byte[16]);
            }
            ours.flush(SOON);
            theirs.drain(Duration.ofSeconds(10)).get();
            assertEquals(10_000, count.get());
        }
    }
}
