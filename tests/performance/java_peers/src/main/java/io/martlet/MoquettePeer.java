// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.moquette.broker.Server;
import io.moquette.broker.config.MemoryConfig;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.eclipse.paho.client.mqttv3.IMqttActionListener;
import org.eclipse.paho.client.mqttv3.IMqttToken;
import org.eclipse.paho.client.mqttv3.MqttAsyncClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/**
 * Moquette in this process, which listens on loopback, and Paho's client. With quality 1: at 0 it
 * drops what a reader is too slow for.
 */
public final class MoquettePeer implements BenchmarkPeer {
    private static final int QUALITY = 1;
    /** What it has on the way to one reader; with more of them some never came (0.17). */
    private static final int IN_FLIGHT_MAX = 10;

    private final Server broker = new Server();
    private int port;

    @Override
    public String name() {
        return "moquette";
    }

    @Override
    public void start() throws Exception {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Properties properties = new Properties();
        properties.putAll(Map.of("host", "127.0.0.1", "port", Integer.toString(port),
                "allow_anonymous", "true", "persistence_enabled", "false",
                "telemetry_enabled", "false"));
        broker.startServer(new MemoryConfig(properties));
    }

    @Override
    public BenchmarkClient connect() throws Exception {
        return new Client("tcp://127.0.0.1:" + port);
    }

    /** Paho refuses a publish above its window: who publishes waits for it here. */
    private static final class Client implements BenchmarkClient, IMqttActionListener {
        private final MqttAsyncClient client;
        private final Semaphore window = new Semaphore(IN_FLIGHT_MAX);
        private final BlockingQueue<byte[]> replies = new ArrayBlockingQueue<>(1);
        private final Map<String, Boolean> known = new ConcurrentHashMap<>();

        Client(String url) throws MqttException {
            String id = UUID.randomUUID().toString();
            client = new MqttAsyncClient(url, id, new MemoryPersistence());
            MqttConnectOptions options = new MqttConnectOptions();
            options.setMaxInflight(2 * IN_FLIGHT_MAX);
            client.connect(options).waitForCompletion();
        }

        private static String topic(String subject) {
            return subject.replace('.', '/');
        }

        @Override
        public void publish(String subject, byte[] body) throws Exception {
            window.acquire();
            client.publish(topic(subject), body, QUALITY, false, null, this);
        }

        @Override
        public void onSuccess(IMqttToken token) {
            window.release();
        }

        @Override
        public void onFailure(IMqttToken token, Throwable failure) {
            failure.printStackTrace();
            window.release();
        }

        @Override
        public void flush() throws Exception {
            window.acquire(IN_FLIGHT_MAX);
            window.release(IN_FLIGHT_MAX);
        }

        @Override
        public void onEach(String subject, Consumer<byte[]> handler) throws Exception {
            client.subscribe(topic(subject), QUALITY,
                    (topic, message) -> handler.accept(message.getPayload())).waitForCompletion();
        }

        @Override
        public Asked ask(String subject) {
            throw new UnsupportedOperationException("no row asks it");
        }

        @Override
        public void answer(String subject) throws Exception {
            // MQTT 3 has no reply subject: who asks listens beside the topic.
            onEach(subject, body -> {
                try {
                    client.publish(topic(subject) + "/reply", body, 0, false);
                } catch (MqttException failure) {
                    failure.printStackTrace();
                }
            });
        }

        @Override
        public byte[] request(String subject, byte[] body) throws Exception {
            if (known.putIfAbsent(subject, true) == null) {
                onEach(subject + ".reply", replies::add);
            }
            client.publish(topic(subject), body, 0, false);
            return replies.poll(LONG.toSeconds(), TimeUnit.SECONDS);
        }

        @Override
        public void close() throws Exception {
            client.disconnect().waitForCompletion();
            client.close();
        }
    }
}
