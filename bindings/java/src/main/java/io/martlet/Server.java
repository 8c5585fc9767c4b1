// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.ClosedException;
import io.martlet.errors.InvalidArgumentException;
import io.martlet.errors.StateException;
import io.martlet.raw.Abi;
import io.martlet.raw.Handle;
import io.martlet.raw.NativeLibrary;
import io.martlet.raw.Raw;
import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Owns a NATS broker inside this program. It listens on a free port of the loopback address, or on
 * none, prints nothing and installs no handler of signals; after {@link #stop} no thread and no
 * descriptor of it is left. Any number may live at once. Any thread. Since 0.1.0.
 *
 * <pre>{@code
 * try (Server server = Server.start();
 *         Connection connection = Nats.connect(server)) { ... }
 * }</pre>
 */
public final class Server implements AutoCloseable {
    private final Handle handle;
    private final @Nullable ServerLog log;
    private final Cleaner.Cleanable cleanable;

    private Server(Builder builder) {
        NativeLibrary.load();
        long[] made = new long[1];
        Raw.martlet_server_new(builder.toText(), made);
        handle = new Handle(made[0], Raw::martlet_server_free);
        try {
            log = builder.log == null ? null
                                      : ServerLog.begin(handle, builder.log, builder.logLevel);
        } catch (RuntimeException failure) {
            handle.close();
            throw failure;
        }
        cleanable = Reclaimer.register(this, new End(handle, log));
    }

    /** What is left to do when nobody holds a broker any more, or it is closed. */
    private record End(Handle handle, @Nullable ServerLog log) implements Runnable {
        @Override
        public void run() {
            handle.close();
            if (log != null) {
                log.close();
            }
        }
    }

    /**
     * Starts a broker on a free port of the loopback address.
     *
     * @return a running broker
     */
    public static Server start() {
        return builder().start();
    }

    /**
     * Begins with the defaults.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts it again after {@link #stop}.
     *
     * @throws io.martlet.errors.StateException if it runs
     * @throws io.martlet.errors.AddressInUseException if its port is taken
     */
    public void restart() {
        Blocking.run(() -> call(server -> Raw.martlet_server_start(server)));
    }

    /** Stops it: every connection is closed. Does nothing if it does not run. */
    public void stop() {
        Blocking.run(() -> call(server -> Raw.martlet_server_stop(server)));
    }

    /** Stops it and gives everything back. May be called twice. */
    @Override
    public void close() {
        Blocking.run(() -> {
            cleanable.clean();
            return null;
        });
        if (log != null) {
            log.awaitEnd(Duration.ofSeconds(5));
        }
    }

    /**
     * The port that clients connect to.
     *
     * @return the port; 0 if there is none
     */
    public int getPort() {
        int[] port = new int[1];
        call(server -> Raw.martlet_server_client_port(server, port));
        return port[0];
    }

    /**
     * The port of the monitoring pages.
     *
     * @return the port; 0 if there is none
     */
    public int getMonitoringPort() {
        int[] port = new int[1];
        call(server -> Raw.martlet_server_monitoring_port(server, port));
        return port[0];
    }

    /**
     * What clients of this machine connect to.
     *
     * @return such as nats://127.0.0.1:4222; empty if it listens on no port
     */
    public String getUrl() {
        long[] text = new long[1];
        call(server -> Raw.martlet_server_url(server, text));
        return Texts.take(text[0]);
    }

    @Override
    public String toString() {
        try {
            String url = getUrl();
            return "Server[" + (url.isEmpty() ? "no port" : url) + "]";
        } catch (StateException | ClosedException stopped) {
            return "Server[stopped]";
        }
    }

    /**
     * What the broker counts.
     *
     * @return the numbers of this moment
     */
    public ServerStatistics getStatistics() {
        long[] text = new long[1];
        call(server -> Raw.martlet_server_statistics(server, text));
        return new ServerStatistics(Json.object(Texts.take(text[0])));
    }

    /** Runs a call with the handle. */
    <T> T call(LongFunction<T> body) {
        long server = handle.acquire();
        try {
            if (server == 0) {
                throw new ClosedException("the server is closed");
            }
            return body.apply(server);
        } finally {
            handle.release();
        }
    }

    /** Owns the options of a broker. What is not set has the library's default. */
    public static final class Builder {
        private final Map<String, Object> values = new LinkedHashMap<>();
        private @Nullable String configuration;
        private @Nullable BiConsumer<System.Logger.Level, String> log;
        private int logLevel;

        private Builder() {}

        /**
         * Sets the address to listen on.
         *
         * @param host 127.0.0.1 by default; 0.0.0.0 is every address
         * @return this
         */
        public Builder host(String host) {
            putText("host", host, "host");
            return this;
        }

        /**
         * Sets the port to listen on.
         *
         * @param port 0: any free one, as by default
         * @return this
         */
        public Builder port(int port) {
            values.put("port", port);
            return this;
        }

        /**
         * Opens no port at all: only this process connects.
         *
         * @return this
         */
        public Builder inProcessOnly() {
            values.put("listen", false);
            return this;
        }

        /**
         * Names the broker in its INFO.
         *
         * @param name a name without spaces
         * @return this
         */
        public Builder name(String name) {
            putText("server_name", name, "name");
            return this;
        }

        /**
         * Lets in who brings these, and nobody else.
         *
         * @param user the user
         * @param password its password, plain or bcrypt
         * @return this
         */
        public Builder userInfo(String user, String password) {
            putText("user", user, "user");
            putText("password", password, "password");
            return this;
        }

        /**
         * Lets in who brings this token, and nobody else.
         *
         * @param token the token, plain or bcrypt
         * @return this
         */
        public Builder token(String token) {
            putText("token", token, "token");
            return this;
        }

        /**
         * Serves the monitoring pages.
         *
         * @param port 0: any free port
         * @return this
         */
        public Builder monitoringPort(int port) {
            values.put("http_port", port);
            return this;
        }

        /**
         * Sets the address that the monitoring pages are served on.
         *
         * @param host a name or an address; the host of clients by default
         * @return this
         */
        public Builder monitoringHost(String host) {
            putText("http_host", host, "monitoringHost");
            return this;
        }

        /**
         * Sets the bytes of the largest message.
         *
         * @param count 1 MiB by default
         * @return this
         */
        public Builder maxPayload(int count) {
            values.put("max_payload", count);
            return this;
        }

        /**
         * Sets how many bytes a line of the protocol may have.
         *
         * @param count 4,096 by default
         * @return this
         */
        public Builder maxControlLine(int count) {
            values.put("max_control_line", count);
            return this;
        }

        /**
         * Sets how many clients may be connected.
         *
         * @param count 65,536 by default
         * @return this
         */
        public Builder maxConnections(int count) {
            values.put("max_connections", count);
            return this;
        }

        /**
         * Sets how many bytes may wait for one client.
         *
         * @param count 64 MiB by default
         * @return this
         */
        public Builder maxPending(long count) {
            values.put("max_pending", count);
            return this;
        }

        /**
         * Sets how many bytes clients can make the broker hold.
         *
         * @param count 0: no ceiling
         * @return this
         */
        public Builder maxMemory(long count) {
            values.put("max_memory", count);
            return this;
        }

        /**
         * Sets how many subscriptions a client may have.
         *
         * @param count 0: no limit
         * @return this
         */
        public Builder maxSubscriptions(int count) {
            values.put("max_subscriptions", count);
            return this;
        }

        /**
         * Sets how many event loops there are, each with a thread.
         *
         * @param count 0: one
         * @return this
         */
        public Builder loops(int count) {
            values.put("loops", count);
            return this;
        }

        /**
         * Sets the time between pings to a client.
         *
         * @param time 2 minutes by default
         * @return this
         */
        public Builder pingInterval(Duration time) {
            values.put("ping_interval_ms", Texts.optionMilliseconds(time, "pingInterval"));
            return this;
        }

        /**
         * Sets how many pings may be unanswered before a client is closed.
         *
         * @param count 2 by default
         * @return this
         */
        public Builder maxPingsOut(int count) {
            values.put("ping_max", count);
            return this;
        }

        /**
         * Sets how long a loop that has nothing to do looks again before it sleeps: latency for the
         * price of a core.
         *
         * @param time zero, the default: not at all
         * @return this
         */
        public Builder spin(Duration time) {
            values.put("spin_us", Texts.optionMicroseconds(time, "spin"));
            return this;
        }

        /**
         * Sets how long a client may leave what is sent to it unread.
         *
         * @param time 10 seconds by default
         * @return this
         */
        public Builder writeDeadline(Duration time) {
            values.put("write_deadline_ms", Texts.optionMilliseconds(time, "writeDeadline"));
            return this;
        }

        /**
         * Sets an option by its name in the reference of options.
         *
         * @param name the name, such as max_control_line
         * @param value a number, a truth or a text
         * @return this
         */
        public Builder option(String name, Object value) {
            Texts.encode(name, "name");
            Objects.requireNonNull(value, name);
            if (value instanceof String text) {
                Texts.encode(text, name);
            }
            values.put(name, value);
            return this;
        }

        /**
         * Takes NATS configuration text instead of what else is set here, but for the log.
         *
         * @param text such as {@code port: 4222, max_payload: 64KB}
         * @return this
         */
        public Builder configuration(String text) {
            Texts.encode(text, "configuration");
            configuration = text;
            return this;
        }

        /**
         * Sends log lines to a logger. Without this the broker is silent.
         *
         * @param logger gets each line at the level that it has
         * @param mostDetailed lines of more detail are not made
         * @return this
         */
        public Builder log(System.Logger logger, System.Logger.Level mostDetailed) {
            Objects.requireNonNull(logger, "logger");
            return log((level, line) -> logger.log(level, line), mostDetailed);
        }

        /**
         * Sends log lines to a consumer, on a thread of their own.
         *
         * @param consumer gets the level and the line
         * @param mostDetailed lines of more detail are not made
         * @return this
         */
        public Builder log(BiConsumer<System.Logger.Level, String> consumer,
                System.Logger.Level mostDetailed) {
            log = Objects.requireNonNull(consumer, "consumer");
            logLevel = ServerLog.levelOf(Objects.requireNonNull(mostDetailed, "mostDetailed"));
            values.put("debug", logLevel >= Abi.LOG_DEBUG);
            values.put("trace", logLevel >= Abi.LOG_TRACE);
            return this;
        }

        /**
         * Makes the broker and starts it: clients can connect when this returns.
         *
         * @return a running broker
         * @throws io.martlet.errors.OptionsException if an option is wrong: the text names it
         * @throws io.martlet.errors.AddressInUseException if the port is taken
         * @throws io.martlet.errors.NativeLibraryException if the native library cannot be loaded
         */
        public Server start() {
            Server server = new Server(this);
            try {
                server.restart();
            } catch (RuntimeException failure) {
                server.close();
                throw failure;
            }
            return server;
        }

        private void putText(String key, String text, String name) {
            Texts.encode(text, name);
            values.put(key, text);
        }

        private byte[] toText() {
            if (configuration == null) {
                return Texts.encode(Json.write(values), "options");
            }
            if (configuration.stripLeading().startsWith("{")) {
                throw new InvalidArgumentException("configuration: that is a JSON object, not NATS"
                        + " configuration text");
            }
            return Texts.encode(configuration, "configuration");
        }
    }
}
