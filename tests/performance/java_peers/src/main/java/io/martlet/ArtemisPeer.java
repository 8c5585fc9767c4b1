// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientConsumer;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientProducer;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ClientSessionFactory;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressFullMessagePolicy;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;

/** ActiveMQ Artemis in this process: nothing on a disk, its core client over the in-VM transport. */
public final class ArtemisPeer implements BenchmarkPeer {
    private static final String URL = "vm://0";
    private static final long ADDRESS_BYTES_MAX = 64L << 20;

    private final EmbeddedActiveMQ broker = new EmbeddedActiveMQ();

    @Override
    public String name() {
        return "artemis";
    }

    @Override
    public void start() throws Exception {
        Configuration configuration = new ConfigurationImpl().setPersistenceEnabled(false)
                .setSecurityEnabled(false).addAcceptorConfiguration("in-vm", URL);
        configuration.addAddressSetting("#", new AddressSettings()
                .setMaxSizeBytes(ADDRESS_BYTES_MAX)
                .setAddressFullMessagePolicy(AddressFullMessagePolicy.BLOCK));
        broker.setConfiguration(configuration).start();
    }

    @Override
    public BenchmarkClient connect() throws Exception {
        return new Client();
    }

    /** A session belongs to one thread: one sends, each subscription has its own. */
    private static final class Client implements BenchmarkClient {
        private final ServerLocator locator = ActiveMQClient.createServerLocator(URL);
        private final ClientSessionFactory factory = locator.createSessionFactory();
        private final ClientSession sending = factory.createSession(true, true, 0);
        private final Map<String, ClientProducer> producers = new HashMap<>();
        private ClientConsumer replies;
        private SimpleString replySubject;

        Client() throws Exception {
            sending.start();
        }

        private ClientProducer producer(String subject) throws Exception {
            ClientProducer producer = producers.get(subject);
            if (producer == null) {
                producer = sending.createProducer(subject);
                producers.put(subject, producer);
            }
            return producer;
        }

        private static ClientMessage message(ClientSession session, byte[] body) {
            ClientMessage message = session.createMessage(false);
            message.getBodyBuffer().writeBytes(body);
            return message;
        }

        private static byte[] body(ClientMessage message) {
            byte[] body = new byte[message.getBodyBuffer().readableBytes()];
            message.getBodyBuffer().readBytes(body);
            return body;
        }

        private static ClientConsumer consumer(ClientSession session, SimpleString queue,
                SimpleString subject) throws Exception {
            session.createQueue(QueueConfiguration.of(queue).setAddress(subject)
                    .setRoutingType(RoutingType.MULTICAST).setDurable(false).setTemporary(true));
            return session.createConsumer(queue);
        }

        private static SimpleString unique() {
            return SimpleString.of(UUID.randomUUID().toString());
        }

        @Override
        public void publish(String subject, byte[] body) throws Exception {
            producer(subject).send(message(sending, body));
        }

        @Override
        public void flush() throws Exception {
            sending.addressQuery(SimpleString.of("flush")); // Is answered after what was sent.
        }

        @Override
        public void onEach(String subject, Consumer<byte[]> handler) throws Exception {
            ClientSession session = factory.createSession(true, true, 0);
            consumer(session, unique(), SimpleString.of(subject)).setMessageHandler(message -> {
                handler.accept(body(message));
                acknowledge(message);
            });
            session.start();
        }

        private static void acknowledge(ClientMessage message) {
            try {
                message.acknowledge();
            } catch (Exception failure) {
                throw new IllegalStateException(failure);
            }
        }

        @Override
        public Asked ask(String subject) throws Exception {
            ClientSession session = factory.createSession(true, true, 0);
            ClientConsumer consumer = consumer(session, unique(), SimpleString.of(subject));
            session.start();
            return () -> {
                ClientMessage message = consumer.receive(LONG.toMillis());
                acknowledge(message);
                return body(message);
            };
        }

        @Override
        public void answer(String subject) throws Exception {
            ClientSession session = factory.createSession(true, true, 0);
            ClientProducer producer = session.createProducer();
            consumer(session, unique(), SimpleString.of(subject)).setMessageHandler(message -> {
                try {
                    producer.send(message.getReplyTo(), message(session, body(message)));
                } catch (Exception failure) {
                    throw new IllegalStateException(failure);
                }
                acknowledge(message);
            });
            session.start();
        }

        @Override
        public byte[] request(String subject, byte[] body) throws Exception {
            if (replies == null) {
                replySubject = unique();
                replies = consumer(sending, replySubject, replySubject);
            }
            ClientMessage message = message(sending, body);
            message.setReplyTo(replySubject);
            producer(subject).send(message);
            ClientMessage reply = replies.receive(LONG.toMillis());
            acknowledge(reply);
            return body(reply);
        }

        @Override
        public void close() throws Exception {
            factory.close();
            locator.close();
        }
    }
}
