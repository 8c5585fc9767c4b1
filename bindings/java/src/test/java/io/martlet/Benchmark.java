// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.BenchmarkClient.Maker;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Owns a measurement, no test; it judges nothing.
 *
 * <pre>{@code
 * java -cp ... io.martlet.Benchmark [--server URL] [--rounds 3] [--messages 200000] [--json FILE]
 * }</pre>
 *
 * Over TCP, on one server, beside jnats: publish, callback, nextMessage, request p50, of 128 B; each
 * receives what a bare socket sends. Then the broker inside this program beside what programs have
 * today, a child of theirs and jnats (the nats-server that the variable NATS_SERVER names): rate
 * from one to one, request p50, the time until a broker has begun; the first two also with each
 * other broker that the class path has (BenchmarkPeer). Rows take turns, and there are rounds before
 * the first that only warm up: a run takes 50 ms, and the JVM's last compilation of either client
 * came in the fourth. The medians are printed. Without --server a broker of this program's own
 * serves both clients.
 */
final class Benchmark {
    private static final String SUBJECT = "bench.subject";
    private static final byte[] BODY = new byte[128];
    private static final int WARM_UP_ROUNDS = 4;
    private static final int MESSAGES_MAX = 400_000;
    private static final int REQUESTS = 3_000;
    private static final int REQUESTS_BEFORE = 300;
    private static final int STARTS = 10;
    private static final int PEER_MESSAGES_MAX = 50_000; // They are slower: the round is to end.
    private static final int TRIES_MAX = 100_000;

    private final int messages;
    private final Map<String, Row> rows = new LinkedHashMap<>();

    /** Measures something once: messages a second, or microseconds. */
    @FunctionalInterface
    private interface Row {
        double measure() throws Exception;
    }

    private Benchmark(int messages) {
        if (messages > MESSAGES_MAX) {
            throw new IllegalArgumentException("at most " + MESSAGES_MAX + " messages: more than a"
                    + " server keeps for one who reads slowly");
        }
        this.messages = messages;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> given = new HashMap<>();
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            given.put(arguments[at], arguments[at + 1]);
        }
        int rounds = Integer.parseInt(given.getOrDefault("--rounds", "3"));
        Benchmark benchmark =
                new Benchmark(Integer.parseInt(given.getOrDefault("--messages", "200000")));
        Map<String, Double> medians;
        System.out.printf(Locale.ROOT, "load before: %.1f%n",
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
        try (Server beside = Server.start();
                Server inside = Server.builder().inProcessOnly().start();
                Child child = Child.startIfThere()) {
            benchmark.addTcp(given.getOrDefault("--server", beside.getUrl()));
            benchmark.addInside(inside);
            if (child != null) {
                benchmark.addChild(child.url);
            }
            for (BenchmarkPeer peer : ServiceLoader.load(BenchmarkPeer.class)) {
                benchmark.addPeer(peer);
            }
            medians = benchmark.run(rounds);
        }
        print(medians);
        if (given.containsKey("--json")) {
            Files.writeString(Path.of(given.get("--json")), Json.write(new HashMap<>(medians)));
        }
        System.exit(0); // Other brokers leave threads that would keep the program.
    }

    // --- the rows ---

    private void addTcp(String url) {
        BenchmarkPublisher.Maker bare = () -> BenchmarkClient.BareSocket.connect(URI.create(url));
        Map<String, Maker> clients = new LinkedHashMap<>();
        clients.put("martlet", () -> new BenchmarkClient.Ours(Nats.connect(url)));
        clients.put("jnats", () -> BenchmarkClient.Official.connect(url));
        clients.forEach((name, client) -> {
            rows.put("publish " + name, () -> publish(client));
            rows.put("callback " + name, () -> callback(client, bare));
            rows.put("nextMessage " + name, () -> nextMessage(client, bare));
            rows.put("request " + name, () -> request(client));
        });
    }

    private void addInside(Server inside) {
        Maker client = () -> new BenchmarkClient.Ours(Nats.connect(inside));
        rows.put("in-process martlet", () -> callback(client, client::connect));
        rows.put("in-process request martlet", () -> request(client));
        rows.put("in-process start martlet", () -> startsOf(Server::start));
    }

    private void addChild(String url) {
        Maker client = () -> BenchmarkClient.Official.connect(url);
        rows.put("child nats-server, jnats", () -> callback(client, client::connect));
        rows.put("child request nats-server, jnats", () -> request(client));
        rows.put("child start nats-server", () -> startsOf(Child::startIfThere));
    }

    private void addPeer(BenchmarkPeer peer) throws Exception {
        peer.start();
        Benchmark shorter = new Benchmark(Math.min(messages, PEER_MESSAGES_MAX));
        rows.put("in-process " + peer.name(), () -> shorter.callback(peer::connect, peer::connect));
        rows.put("in-process request " + peer.name(), () -> request(peer::connect));
    }

    private Map<String, Double> run(int rounds) throws Exception {
        Map<String, double[]> found = new LinkedHashMap<>();
        for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
            for (Map.Entry<String, Row> row : rows.entrySet()) {
                double value = row.getValue().measure();
                if (round >= 0) {
                    found.computeIfAbsent(row.getKey(), name -> new double[rounds])[round] = value;
                    System.out.printf(Locale.ROOT, "round %d/%d %s: %.1f%n", round + 1, rounds,
                            row.getKey(), value);
                }
            }
        }
        Map<String, Double> medians = new LinkedHashMap<>();
        found.forEach((name, values) -> medians.put(name, median(values)));
        return medians;
    }

    private static void print(Map<String, Double> medians) {
        System.out.println();
        medians.forEach((name, value) -> {
            boolean isTime = name.contains("request") || name.contains("start");
            System.out.printf(
                    Locale.ROOT, "%-34s %14.1f %s%n", name, value, isTime ? "us" : "msg/s");
        });
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private double rate(long begun) {
        return messages * 1e9 / (System.nanoTime() - begun);
    }

    private static double microseconds(long begun) {
        return (System.nanoTime() - begun) / 1e3;
    }

    private double publish(Maker maker) throws Exception {
        try (BenchmarkClient client = maker.connect()) {
            long begun = System.nanoTime();
            publishAll(client);
            return rate(begun);
        }
    }

    private void publishAll(BenchmarkPublisher publisher) throws Exception {
        for (int at = 0; at < messages; at++) {
            publisher.publish(SUBJECT, BODY);
        }
        publisher.flush();
    }

    /** On a thread of its own; one that fails shows when the messages do not come. */
    private Thread load(BenchmarkPublisher publisher) {
        return Blocking.start("publisher", () -> {
            try {
                publishAll(publisher);
            } catch (Exception failure) {
                failure.printStackTrace();
            }
        });
    }

    private double callback(Maker reading,
            BenchmarkPublisher.Maker publishing) throws Exception {
        try (BenchmarkClient reader = reading.connect();
                BenchmarkPublisher publisher = publishing.connect()) {
            CountDownLatch done = new CountDownLatch(1);
            AtomicInteger count = new AtomicInteger();
            reader.onEach(SUBJECT, body -> {
                if (body.length > 0 && count.incrementAndGet() == messages) {
                    done.countDown();
                }
            });
            reader.flush();
            long begun = System.nanoTime();
            Thread load = load(publisher);
            if (!done.await(BenchmarkClient.LONG.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException("only " + count + " messages came");
            }
            double result = rate(begun);
            load.join();
            return result;
        }
    }

    private double nextMessage(Maker reading,
            BenchmarkPublisher.Maker publishing) throws Exception {
        try (BenchmarkClient reader = reading.connect();
                BenchmarkPublisher publisher = publishing.connect()) {
            BenchmarkClient.Asked asked = reader.ask(SUBJECT);
            reader.flush();
            long begun = System.nanoTime();
            Thread load = load(publisher);
            long bytes = 0;
            for (int at = 0; at < messages; at++) {
                bytes += asked.next().length;
            }
            double result = rate(begun);
            load.join();
            if (bytes != (long) messages * BODY.length) {
                throw new IllegalStateException("other messages came");
            }
            return result;
        }
    }

    private static double request(Maker maker) throws Exception {
        try (BenchmarkClient client = maker.connect(); BenchmarkClient service = maker.connect()) {
            service.answer("bench.ask");
            service.flush();
            double[] taken = new double[REQUESTS];
            for (int at = -REQUESTS_BEFORE; at < REQUESTS; at++) {
                long begun = System.nanoTime();
                client.request("bench.ask", BODY);
                taken[Math.max(at, 0)] = microseconds(begun);
            }
            return median(taken);
        }
    }

    /** How a broker is started that takes clients when this returns. */
    @FunctionalInterface
    private interface Start {
        AutoCloseable start() throws Exception;
    }

    private static double startsOf(Start how) throws Exception {
        double[] taken = new double[STARTS];
        for (int at = 0; at < STARTS; at++) {
            long begun = System.nanoTime();
            try (AutoCloseable broker = how.start()) {
                taken[at] = microseconds(begun);
                if (broker == null) {
                    throw new IllegalStateException("there is no broker");
                }
            }
        }
        return median(taken);
    }

    /** A nats-server of this program's, as programs start one today. */
    private record Child(Process process, String url) implements AutoCloseable {
        /** Null if the variable NATS_SERVER names none. Returns when it has greeted a client. */
        static Child startIfThere() throws Exception {
            String program = System.getenv("NATS_SERVER");
            if (program == null) {
                return null;
            }
            int port;
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = free.getLocalPort();
            }
            Process process = new ProcessBuilder(
                    program, "-a", "127.0.0.1", "-p", Integer.toString(port))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            for (int tries = 0; tries < TRIES_MAX && process.isAlive(); tries++) {
                if (greets(port)) {
                    return new Child(process, "nats://127.0.0.1:" + port);
                }
                Thread.sleep(0, 100_000);
            }
            process.destroyForcibly();
            throw new IOException(program + " did not start");
        }

        private static boolean greets(int port) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                    InputStream in = socket.getInputStream()) {
                return in.read() == 'I';
            } catch (IOException notYet) {
                return false;
            }
        }

        @Override
        public void close() throws Exception {
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }
}
