// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Owns a measurement, no test: our client and the official one beside each other on one server, in
 * rounds that take turns. Arguments: the server's URL, the payload's bytes, the number of rounds.
 */
final class Benchmark {
    private static final int MESSAGES = 500_000;
    private static final int REQUESTS = 20_000;
    private static final Duration LONG = Duration.ofSeconds(60);

    private static final SubscribeOptions UNBOUNDED =
            SubscribeOptions.builder().pendingLimits(0, 0).build();

    private final String url;
    private final byte[] body;

    private Benchmark(String url, int bytes) {
        this.url = url;
        body = new byte[bytes];
    }

    public static void main(String[] arguments) throws Exception {
        Benchmark benchmark = new Benchmark(arguments[0], Integer.parseInt(arguments[1]));
        int rounds = Integer.parseInt(arguments[2]);
        String[] names = {"publish", "callback", "nextMessage", "request p50"};
        double[][] ours = new double[names.length][rounds];
        double[][] theirs = new double[names.length][rounds];
        for (int round = -1; round < rounds; round++) { // The first only warms up.
            for (int row = 0; row < names.length; row++) {
                double our = benchmark.ours(row);
                double their = benchmark.theirs(row);
                if (round >= 0) {
                    ours[row][round] = our;
                    theirs[row][round] = their;
                }
            }
        }
        System.out.printf("%-12s %14s %14s %7s%n", "", "martlet", "jnats", "ratio");
        for (int row = 0; row < names.length; row++) {
            double our = median(ours[row]);
            double their = median(theirs[row]);
            System.out.printf(Locale.ROOT, "%-12s %14.1f %14.1f %7.2f%n", names[row], our, their,
                    our / their);
        }
        System.out.println(
                "messages a second; p50 in microseconds; medians of " + rounds + " rounds");
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static double rate(long begun) {
        return MESSAGES * 1e9 / (System.nanoTime() - begun);
    }

    // --- ours ---

    private double ours(int row) throws Exception {
        try (Connection connection = Nats.connect(url); Connection other = Nats.connect(url)) {
            return switch (row) {
                case 0 -> publish(connection);
                case 1 -> callback(connection, other);
                case 2 -> nextMessage(connection, other);
                default -> request(connection, other);
            };
        }
    }

    private double publish(Connection connection) throws Exception {
        long begun = System.nanoTime();
        for (int at = 0; at < MESSAGES; at++) {
            connection.publish("bench.java", body);
        }
        connection.flush(LONG);
        return rate(begun);
    }

    private double callback(Connection connection, Connection publisher) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        AtomicLong bytes = new AtomicLong();
        int[] count = new int[1];
        connection.createDispatcher().subscribe("bench.java", null, message -> {
            bytes.addAndGet(message.getData().length);
            if (++count[0] == MESSAGES) {
                done.countDown();
            }
        }, UNBOUNDED);
        connection.flush(LONG);
        long begun = System.nanoTime();
        Blocking.start("publisher", () -> {
            for (int at = 0; at < MESSAGES; at++) {
                publisher.publish("bench.java", body);
            }
        });
        check(done.await(60, TimeUnit.SECONDS));
        return rate(begun);
    }

    private double nextMessage(Connection connection, Connection publisher) throws Exception {
        Subscription subscription = connection.subscribe("bench.java", null, UNBOUNDED);
        connection.flush(LONG);
        long begun = System.nanoTime();
        Blocking.start("publisher", () -> {
            for (int at = 0; at < MESSAGES; at++) {
                publisher.publish("bench.java", body);
            }
        });
        for (int at = 0; at < MESSAGES; at++) {
            check(subscription.nextMessage(LONG) != null);
        }
        return rate(begun);
    }

    private double request(Connection connection, Connection service) throws Exception {
        service.createDispatcher(message -> message.respond(message.getData()))
                .subscribe("bench.ask");
        service.flush(LONG);
        double[] taken = new double[REQUESTS];
        for (int at = 0; at < REQUESTS; at++) {
            long begun = System.nanoTime();
            connection.request("bench.ask", body, LONG);
            taken[at] = (System.nanoTime() - begun) / 1e3;
        }
        return median(taken);
    }

    private static void check(boolean holds) {
        if (!holds) {
            throw new IllegalStateException("a message did not come");
        }
    }

    // --- the official client ---

    private io.nats.client.Connection jnats() throws Exception {
        return io.nats.client.Nats.connect(
                new io.nats.client.Options.Builder().server(url).build());
    }

    private double theirs(int row) throws Exception {
        try (io.nats.client.Connection connection = jnats();
                io.nats.client.Connection other = jnats()) {
            return switch (row) {
                case 0 -> publish(connection);
                case 1 -> callback(connection, other);
                case 2 -> nextMessage(connection, other);
                default -> request(connection, other);
            };
        }
    }

    private double publish(io.nats.client.Connection connection) throws Exception {
        long begun = System.nanoTime();
        for (int at = 0; at < MESSAGES; at++) {
            connection.publish("bench.java", body);
        }
        connection.flush(LONG);
        return rate(begun);
    }

    private double callback(io.nats.client.Connection connection,
            io.nats.client.Connection publisher) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        AtomicLong bytes = new AtomicLong();
        int[] count = new int[1];
        connection.createDispatcher(message -> {
            bytes.addAndGet(message.getData().length);
            if (++count[0] == MESSAGES) {
                done.countDown();
            }
        }).subscribe("bench.java").setPendingLimits(-1, -1);
        connection.flush(LONG);
        long begun = System.nanoTime();
        Blocking.start("publisher", () -> {
            for (int at = 0; at < MESSAGES; at++) {
                publisher.publish("bench.java", body);
            }
        });
        check(done.await(60, TimeUnit.SECONDS));
        return rate(begun);
    }

    private double nextMessage(io.nats.client.Connection connection,
            io.nats.client.Connection publisher) throws Exception {
        io.nats.client.Subscription subscription = connection.subscribe("bench.java");
        subscription.setPendingLimits(-1, -1);
        connection.flush(LONG);
        long begun = System.nanoTime();
        Blocking.start("publisher", () -> {
            for (int at = 0; at < MESSAGES; at++) {
                publisher.publish("bench.java", body);
            }
        });
        for (int at = 0; at < MESSAGES; at++) {
            check(subscription.nextMessage(LONG) != null);
        }
        return rate(begun);
    }

    private double request(io.nats.client.Connection connection, io.nats.client.Connection service)
            throws Exception {
        service.createDispatcher(
                       message -> service.publish(message.getReplyTo(), message.getData()))
                .subscribe("bench.ask");
        service.flush(LONG);
        double[] taken = new double[REQUESTS];
        for (int at = 0; at < REQUESTS; at++) {
            long begun = System.nanoTime();
            connection.request("bench.ask", body, LONG);
            taken[at] = (System.nanoTime() - begun) / 1e3;
        }
        return median(taken);
    }
}
