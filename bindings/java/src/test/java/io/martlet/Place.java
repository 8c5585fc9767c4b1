// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Owns where a test's broker is: the same test runs in each place. */
enum Place {
    /** Ours, over TCP. */
    TCP {
        @Override
        Broker open() {
            Server server = Server.start();
            return new Broker(server.getUrl(), null, server);
        }
    },
    /** Ours, inside the process and without a port. */
    IN_PROCESS {
        @Override
        Broker open() {
            Server server = Server.builder().inProcessOnly().start();
            return new Broker("", server, server);
        }
    },
    /** The real nats-server: the program that the variable NATS_SERVER names. */
    NATS_SERVER {
        @Override
        Broker open() throws Exception {
            NatsServerProcess process = NatsServerProcess.start();
            return new Broker(process.url(), null, process);
        }
    };

    static final Duration SOON = Duration.ofSeconds(10);

    abstract Broker open() throws Exception;

    /** A running broker. */
    record Broker(String url, Server server, AutoCloseable closing) implements AutoCloseable {
        Connection connect() throws InterruptedException {
            return connect(Options.builder());
        }

        Connection connect(Options.Builder options) throws InterruptedException {
            return server == null ? Nats.connect(options.server(url).build())
                    : Nats.connect(server, options.build());
        }

        @Override
        public void close() throws Exception {
            closing.close();
        }
    }

    /** A nats-server of this test's own, on a port that it chose. */
    record NatsServerProcess(Process process, String url, Path folder) implements AutoCloseable {
        static NatsServerProcess start() throws Exception {
            String program = Objects.requireNonNull(System.getenv("NATS_SERVER"),
                    "the variable NATS_SERVER names the nats-server program");
            Path folder = Files.createTempDirectory("nats-server");
            Process process = new ProcessBuilder(program, "-a", "127.0.0.1", "-p", "-1",
                    "--ports_file_dir", folder.toString()).redirectErrorStream(true)
                    .redirectOutput(folder.resolve("log").toFile()).start();
            Path ports =
                    folder.resolve(Path.of(program).getFileName() + "_" + process.pid() + ".ports");
            for (int tries = 0; tries < 500; tries++) {
                String text = Files.exists(ports) ? Files.readString(ports) : "";
                Matcher url = Pattern.compile("nats://[0-9.:]+").matcher(text);
                if (url.find()) {
                    return new NatsServerProcess(process, url.group(), folder);
                }
                Thread.sleep(20);
            }
            process.destroyForcibly();
            throw new IOException(
                    "nats-server did not start: " + Files.readString(folder.resolve("log")));
        }

        @Override
        public void close() throws Exception {
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }

    /** What a server of ours counts, by name. */
    static Map<String, Object> counted(Server server) {
        return server.getStatistics().asMap();
    }

    /** Waits until something holds; fails the test when it does not in time. */
    static void await(String what, Duration time, Condition condition) throws Exception {
        long until = System.nanoTime() + time.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > until) {
                throw new AssertionError("not in " + time + ": " + what);
            }
            Thread.sleep(5);
        }
    }

    /** What is waited for. */
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }
}
