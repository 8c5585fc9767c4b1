// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Owns the options of a connection. What is not set has the library's default. Values are checked
 * when the connection is made: an {@link io.martlet.errors.OptionsException} then names the one
 * that is wrong. Immutable. Since 0.1.0.
 */
public final class Options {
    private final Map<String, Object> values;
    private final Duration requestTimeout;
    private final @Nullable ConnectionListener connectionListener;
    private final @Nullable ErrorListener errorListener;

    private Options(Builder builder) {
        values = new LinkedHashMap<>(builder.values);
        requestTimeout = builder.requestTimeout;
        connectionListener = builder.connectionListener;
        errorListener = builder.errorListener;
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
     * How long a request waits that names no time.
     *
     * @return the time
     */
    public Duration getRequestTimeout() {
        return requestTimeout;
    }

    /**
     * Who hears of the connection's fate.
     *
     * @return the listener, or null
     */
    public @Nullable ConnectionListener getConnectionListener() {
        return connectionListener;
    }

    /**
     * Who hears of failures.
     *
     * @return the listener, or null
     */
    public @Nullable ErrorListener getErrorListener() {
        return errorListener;
    }

    boolean hasServers() {
        return values.containsKey("servers");
    }

    /** How long a drain may take that names no time. */
    Duration drainTimeout() {
        Object set = values.get("drain_timeout_ms");
        return set instanceof Number number ? Duration.ofMillis(number.longValue())
                : Duration.ofSeconds(30);
    }

    /** As the library takes it. */
    byte[] toJson() {
        return Texts.encode(Json.write(values), "options");
    }

    /** Owns the making of {@link Options}. */
    public static final class Builder {
        private final Map<String, Object> values = new LinkedHashMap<>();
        private Duration requestTimeout = Duration.ofSeconds(10);
        private @Nullable ConnectionListener connectionListener;
        private @Nullable ErrorListener errorListener;

        private Builder() {}

        /**
         * Sets the server to connect to.
         *
         * @param url such as nats://host:4222; several are joined by commas
         * @return this
         */
        public Builder server(String url) {
            servers(new String[] {url});
            return this;
        }

        /**
         * Sets the servers to connect to. Without any it is nats://127.0.0.1:4222.
         *
         * @param urls one or more; they are tried in a random order
         * @return this
         */
        public Builder servers(String[] urls) {
            List<String> list = new ArrayList<>();
            for (String url : Objects.requireNonNull(urls, "urls")) {
                Texts.encode(url, "url");
                list.addAll(List.of(url.split(",")));
            }
            values.put("servers", list);
            return this;
        }

        /**
         * Names the connection in the server's monitoring.
         *
         * @param text the name
         * @return this
         */
        public Builder connectionName(String text) {
            putText("name", text, "connectionName");
            return this;
        }

        /**
         * Sets who we are. It beats what a URL says.
         *
         * @param user the user
         * @param password its password
         * @return this
         */
        public Builder userInfo(String user, String password) {
            putText("user", user, "user");
            putText("password", password, "password");
            return this;
        }

        /**
         * Sets the token that the server wants. It beats what a URL says.
         *
         * @param text the token
         * @return this
         */
        public Builder token(String text) {
            putText("token", text, "token");
            return this;
        }

        /**
         * Sets the time for one attempt to connect.
         *
         * @param time 2 seconds by default
         * @return this
         */
        public Builder connectionTimeout(Duration time) {
            values.put("connect_timeout_ms", Texts.optionMilliseconds(time, "connectionTimeout"));
            return this;
        }

        /**
         * Sets how often each server is tried in a row after a loss.
         *
         * @param count -1: without limit; 60 by default
         * @return this
         */
        public Builder maxReconnects(int count) {
            values.put("reconnect_attempts_max", count);
            return this;
        }

        /**
         * Lets a connection that is lost be closed.
         *
         * @return this
         */
        public Builder noReconnect() {
            values.put("reconnect", false);
            return this;
        }

        /**
         * Lets the first connect go on as a reconnect would.
         *
         * @return this
         */
        public Builder retryOnFailedConnect() {
            values.put("retry_on_first_connect", true);
            return this;
        }

        /**
         * Sets the wait before each further round through the servers.
         *
         * @param time 2 seconds by default
         * @return this
         */
        public Builder reconnectWait(Duration time) {
            values.put("reconnect_wait_ms", Texts.optionMilliseconds(time, "reconnectWait"));
            return this;
        }

        /**
         * Sets what is added to that wait, at most.
         *
         * @param time 100 ms by default
         * @return this
         */
        public Builder reconnectJitter(Duration time) {
            values.put("reconnect_jitter_ms", Texts.optionMilliseconds(time, "reconnectJitter"));
            return this;
        }

        /**
         * Sets how many bytes may be published while the connection is lost.
         *
         * @param count 0: none; 8 MiB by default
         * @return this
         */
        public Builder reconnectBufferSize(long count) {
            values.put("reconnect_buffer_bytes_max", count);
            return this;
        }

        /**
         * Sets how many published bytes may wait to be written; publish waits at it.
         *
         * @param count 16 MiB by default
         * @return this
         */
        public Builder pendingBytesMax(long count) {
            values.put("pending_bytes_max", count);
            return this;
        }

        /**
         * Sets the time between pings to the server.
         *
         * @param time 0: none; 2 minutes by default
         * @return this
         */
        public Builder pingInterval(Duration time) {
            values.put("ping_interval_ms", Texts.optionMilliseconds(time, "pingInterval"));
            return this;
        }

        /**
         * Sets how many pings may be unanswered before the connection is stale.
         *
         * @param count 2 by default
         * @return this
         */
        public Builder maxPingsOut(int count) {
            values.put("pings_out_max", count);
            return this;
        }

        /**
         * Sets how long a drain may take that names no time.
         *
         * @param time 30 seconds by default
         * @return this
         */
        public Builder drainTimeout(Duration time) {
            values.put("drain_timeout_ms", Texts.optionMilliseconds(time, "drainTimeout"));
            return this;
        }

        /**
         * Sets how many requests may be under way.
         *
         * @param count 65,536 by default
         * @return this
         */
        public Builder maxRequests(int count) {
            values.put("requests_max", count);
            return this;
        }

        /**
         * Sets how the subjects begin that replies come to.
         *
         * @param prefix _INBOX by default; no wildcards
         * @return this
         */
        public Builder inboxPrefix(String prefix) {
            putText("inbox_prefix", prefix, "inboxPrefix");
            return this;
        }

        /**
         * Lets the servers be tried in their order.
         *
         * @return this
         */
        public Builder noRandomize() {
            values.put("randomize_servers", false);
            return this;
        }

        /**
         * Lets the list of servers never grow.
         *
         * @return this
         */
        public Builder ignoreDiscoveredServers() {
            values.put("ignore_discovered_servers", true);
            return this;
        }

        /**
         * What this connection publishes does not come back to it.
         *
         * @return this
         */
        public Builder noEcho() {
            values.put("echo", false);
            return this;
        }

        /**
         * Asks the server to answer +OK.
         *
         * @return this
         */
        public Builder verbose() {
            values.put("verbose", true);
            return this;
        }

        /**
         * Asks the server to check more.
         *
         * @return this
         */
        public Builder pedantic() {
            values.put("pedantic", true);
            return this;
        }

        /**
         * Sets an option by its name in the reference of options.
         *
         * @param name the name, such as spin_us
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
         * Sets how long a request waits that names no time.
         *
         * @param time 10 seconds by default
         * @return this
         */
        public Builder requestTimeout(Duration time) {
            Texts.optionMilliseconds(time, "requestTimeout");
            requestTimeout = time;
            return this;
        }

        /**
         * Sets who hears of the connection's fate.
         *
         * @param listener is called on a thread that is there for this alone
         * @return this
         */
        public Builder connectionListener(ConnectionListener listener) {
            connectionListener = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /**
         * Sets who hears of failures. Without one they are logged to System.Logger io.martlet.
         *
         * @param listener is called on a thread that is there for this alone
         * @return this
         */
        public Builder errorListener(ErrorListener listener) {
            errorListener = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /**
         * Makes the options.
         *
         * @return what was set
         */
        public Options build() {
            return new Options(this);
        }

        private void putText(String key, String text, String name) {
            Texts.encode(text, name);
            values.put(key, text);
        }
    }
}
