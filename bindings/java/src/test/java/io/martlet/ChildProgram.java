// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.MartletException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Owns the program that ProcessTest starts: its first argument says what it does. */
final class ChildProgram {
    private static final Duration SOON = Duration.ofSeconds(10);
    /** Messages a second. */
    static final long LOAD_RATE = 100_000;
    private static final long RATE_WINDOW_MS = 200;
    private static final Duration RATE_WITHIN = Duration.ofSeconds(60);

    private ChildProgram() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "exit" -> {
                load();
                System.exit(3);
            }
            case "return" -> load();
            case "throw" -> {
                load();
                throw new IllegalStateException("planned");
            }
            case "wait" -> {
                load();
                Thread.sleep(60_000);
            }
            case "ask" -> {
                try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
                    Subscription silent = connection.subscribe("silent");
                    load();
                    silent.nextMessage(Duration.ofSeconds(60));
                }
            }
            case "load-library" -> loadLibrary();
            case "virtual" -> virtualThreads();
            case "everything" -> everything();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    /**
     * A broker, and connections that send and get as much as they can; all of them stay open. It
     * returns as soon as one handler got LOAD_RATE a second for a while, and says so, with when that
     * was: what its caller does then ends the program under that load.
     */
    private static void load() throws Exception {
        Server server = Server.start();
        AtomicLong came = new AtomicLong();
        for (int at = 0; at < 2; at++) {
            Connection connection = at == 0 ? Nats.connect(server) : Nats.connect(server.getUrl());
            AtomicLong counted = at == 0 ? came : new AtomicLong();
            connection.createDispatcher(message -> counted.incrementAndGet()).subscribe("load");
            Subscription asked = connection.subscribe("load");
            Blocking.start("asker", () -> {
                try {
                    while (true) {
                        asked.nextMessage(SOON);
                    }
                } catch (InterruptedException impossible) {
                    throw new AssertionError(impossible);
                }
            });
            Blocking.start("publisher", () -> {
                while (true) {
                    connection.publish("load", new byte[128]);
                }
            });
        }
        long rate = 0;
        long end = System.nanoTime() + RATE_WITHIN.toNanos();
        while (rate < LOAD_RATE) {
            if (System.nanoTime() > end) {
                throw new AssertionError("only " + rate + " messages a second");
            }
            long before = came.get();
            long begin = System.nanoTime();
            Thread.sleep(RATE_WINDOW_MS);
            rate = (came.get() - before) * 1_000_000_000L / (System.nanoTime() - begin);
        }
        System.out.println("ending at " + System.nanoTime() + " under " + rate);
    }

    private static void loadLibrary() {
        for (int tries = 0; tries < 2; tries++) {
            try {
                Server.start().close();
                System.out.println("loaded " + Nats.libraryVersion());
            } catch (MartletException failure) {
                System.out.println(failure.getClass().getName() + ": " + failure.getMessage());
            }
        }
    }

    /** More waits than carriers: if one pinned its carrier, the others would stand still. */
    private static void virtualThreads() throws Exception {
        try (Server server = Server.start(); Connection connection = Nats.connect(server);
                Connection publisher = Nats.connect(server.getUrl())) {
            Subscription silent = publisher.subscribe("silent");
            List<Subscription> asked = new ArrayList<>();
            CountDownLatch got = new CountDownLatch(2000);
            for (int at = 0; at < 1000; at++) {
                Subscription subscription = connection.subscribe("v." + at);
                asked.add(subscription);
                virtual(() -> {
                    Message message = subscription.nextMessage(SOON);
                    if (message != null && message.getText().equals("hello")) {
                        got.countDown();
                    }
                });
                virtual(() -> {
                    connection.request("silent", null, SOON);
                    got.countDown();
                });
            }
            CompletableFuture<Boolean> rest = new CompletableFuture<>();
            virtual(() -> {
                connection.flush(SOON);
                for (int at = 0; at < 1000; at++) {
                    publisher.publish("v." + at, "hello".getBytes());
                }
                for (int at = 0; at < 1000; at++) {
                    Message message = silent.nextMessage(SOON);
                    if (message != null) {
                        message.respond(null);
                    }
                }
                Server inside = Server.start();
                Connection other = Nats.connect(inside);
                other.drain(SOON).get();
                inside.close();
                rest.complete(true);
            });
            System.out.println("virtual " + (rest.get(20, TimeUnit.SECONDS)
                    && got.await(20, TimeUnit.SECONDS)) + " " + got.getCount());
        }
    }

    /** As Java 21 has it; the sources are Java 17's. */
    private static void virtual(Body body) throws Exception {
        Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, (Runnable) () -> {
            try {
                body.run();
            } catch (Exception failure) {
                failure.printStackTrace();
            }
        });
    }

    /** What may throw. */
    @FunctionalInterface
    private interface Body {
        void run() throws Exception;
    }

    /** Every native call once at least, failing ones and large messages too. */
    private static void everything() throws Exception {
        try (Server server = Server.builder().monitoringPort(0)
                .log((level, line) -> { }, System.Logger.Level.TRACE).start();
                Connection inside = Nats.connect(server, Options.builder()
                        .errorListener(new ErrorListener() { }).build());
                Connection tcp = Nats.connect(server.getUrl())) {
            Dispatcher dispatcher =
                    tcp.createDispatcher(message -> message.respond(message.getData()));
            dispatcher.subscribe("echo", "group");
            Subscription asked = inside.subscribe("a.>", null, SubscribeOptions.builder()
                    .pendingLimits(5000, 0).build());
            tcp.flush(SOON);
            for (int size : new int[] {0, 100, 5000, 1_000_000}) {
                byte[] back =
                        inside.request("echo", new Headers().add("A", "b"), new byte[size], SOON)
                                .getData();
                check(back.length == size);
                tcp.publish("a." + size, "reply", new Headers().add("Long", "x".repeat(1000)),
                        new byte[size]);
                Message message = asked.nextMessage(SOON);
                check(message != null && message.getData().length == size);
            }
            check(inside.requestMany("echo", null, 1, SOON).get().size() == 1);
            for (int at = 0; at < 20_000; at++) {
                tcp.publish("a." + "t".repeat(at % 300 + 1), new byte[at % 600]);
            }
            tcp.flush(SOON);
            Thread.sleep(100);
            check(asked.getPendingMessageCount() == 5000 && asked.getDroppedCount() > 0);
            for (int at = 0; at < 5000; at++) {
                check(asked.nextMessage(SOON) != null);
            }
            failing(inside);
            check(inside.getStatistics().getInMsgs() > 0 && server.getStatistics().getInMsgs() > 0);
            check(server.getPort() > 0 && server.getMonitoringPort() > 0
                    && inside.getMaxPayload() > 0);
            check(!inside.createInbox().isEmpty() && inside.RTT().toNanos() > 0);
            asked.unsubscribe(1_000_000L);
            dispatcher.drain(SOON).get();
            check(tcp.drain(SOON).get());
        }
        System.gc();
        System.out.println("everything done");
    }

    private static void failing(Connection connection) throws Exception {
        Runnable[] wrong = {
            () -> connection.publish("a b", null), () -> connection.subscribe(""),
            () -> connection.publish("a", new byte[2_000_000]),
            () -> Server.builder().option("prot", 1).start(),
            () -> connection.requestMany("a", null, -1, SOON)};
        for (Runnable each : wrong) {
            try {
                each.run();
            } catch (MartletException expected) {
                continue;
            }
            throw new AssertionError("it was not refused");
        }
        try {
            connection.request("nobody", null, SOON);
            throw new AssertionError("it was answered");
        } catch (io.martlet.errors.NoRespondersException expected) {
            check(expected.getStatus() < 0);
        }
    }

    private static void check(boolean holds) {
        if (!holds) {
            throw new AssertionError("a check of everything");
        }
    }
}
