// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.time.Duration;
import java.util.function.Consumer;

/**
 * Owns what Benchmark does with a connection, so that our client and the official one run through
 * the same loops. What is subscribed loses nothing at a bound of the client's.
 */
interface BenchmarkClient extends BenchmarkPublisher {
    Duration LONG = Duration.ofSeconds(60);

    void onEach(String subject, Consumer<byte[]> handler) throws Exception;

    Asked ask(String subject) throws Exception;

    void answer(String subject) throws Exception;

    byte[] request(String subject, byte[] body) throws Exception;

    /** A subscription that is asked for one message after the other. */
    @FunctionalInterface
    interface Asked {
        byte[] next() throws Exception;
    }

    /** How a client is made. */
    @FunctionalInterface
    interface Maker {
        BenchmarkClient connect() throws Exception;
    }

    /** Ours, over TCP or inside the process. */
    record Ours(Connection connection) implements BenchmarkClient {
        private static final SubscribeOptions LOSSLESS = SubscribeOptions.builder()
                .pendingLimits(65_536, 0).fullPolicy(FullPolicy.BLOCK_READER).build();

        @Override
        public void publish(String subject, byte[] body) {
            connection.publish(subject, body);
        }

        @Override
        public void flush() throws Exception {
            connection.flush(LONG);
        }

        @Override
        public void onEach(String subject, Consumer<byte[]> handler) {
            connection.createDispatcher().subscribe(
                    subject, null, message -> handler.accept(message.getData()), LOSSLESS);
        }

        @Override
        public Asked ask(String subject) {
            Subscription subscription = connection.subscribe(subject, null, LOSSLESS);
            return () -> subscription.nextMessage(LONG).getData();
        }

        @Override
        public void answer(String subject) {
            connection.createDispatcher(message -> message.respond(message.getData()))
                    .subscribe(subject);
        }

        @Override
        public byte[] request(String subject, byte[] body) throws Exception {
            return connection.request(subject, body, LONG).getData();
        }

        @Override
        public void close() {
            connection.close();
        }
    }

    /** The official client. */
    record Official(io.nats.client.Connection connection) implements BenchmarkClient {
        static Official connect(String url) throws Exception {
            return new Official(io.nats.client.Nats.connect(
                    new io.nats.client.Options.Builder().server(url).build()));
        }

        @Override
        public void publish(String subject, byte[] body) {
            connection.publish(subject, body);
        }

        @Override
        public void flush() throws Exception {
            connection.flush(LONG);
        }

        @Override
        public void onEach(String subject, Consumer<byte[]> handler) {
            io.nats.client.Dispatcher dispatcher =
                    connection.createDispatcher(message -> handler.accept(message.getData()));
            dispatcher.setPendingLimits(-1, -1);
            dispatcher.subscribe(subject);
        }

        @Override
        public Asked ask(String subject) {
            io.nats.client.Subscription subscription = connection.subscribe(subject);
            subscription.setPendingLimits(-1, -1);
            return () -> subscription.nextMessage(LONG).getData();
        }

        @Override
        public void answer(String subject) {
            connection.createDispatcher(message ->
                    connection.publish(message.getReplyTo(), message.getData())).subscribe(subject);
        }

        @Override
        public byte[] request(String subject, byte[] body) throws Exception {
            return connection.request(subject, body, LONG).getData();
        }

        @Override
        public void close() throws Exception {
            connection.close();
        }
    }
}
