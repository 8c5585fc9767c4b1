// SPDX-License-Identifier: Apache-2.0
import io.martlet.Connection;
import io.martlet.ConnectionListener;
import io.martlet.Dispatcher;
import io.martlet.ErrorListener;
import io.martlet.Nats;
import io.martlet.Options;
import io.martlet.Server;
import io.martlet.errors.BadSubjectException;
import io.martlet.errors.MartletException;
import io.martlet.errors.SystemIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

/** Owns a connection of a scenario, the one dispatcher of it, and what it has told. */
final class ParityClient implements ErrorListener, ConnectionListener {
    /** The options that Java has under names of its own; the others go by the library's. */
    private static final Map<String, BiFunction<Options.Builder, Object, Options.Builder>> NAMED =
            Map.ofEntries(
                    Map.entry("connect_timeout_ms",
                            (to, value) -> to.connectionTimeout(milliseconds(value))),
                    Map.entry("reconnect_wait_ms",
                            (to, value) -> to.reconnectWait(milliseconds(value))),
                    Map.entry("reconnect_jitter_ms",
                            (to, value) -> to.reconnectJitter(milliseconds(value))),
                    Map.entry("reconnect_attempts_max",
                            (to, value) -> to.maxReconnects(((Long) value).intValue())),
                    Map.entry("reconnect_buffer_bytes_max",
                            (to, value) -> to.reconnectBufferSize((Long) value)),
                    Map.entry("ping_interval_ms",
                            (to, value) -> to.pingInterval(milliseconds(value))),
                    Map.entry("pings_out_max",
                            (to, value) -> to.maxPingsOut(((Long) value).intValue())),
                    Map.entry("pending_bytes_max",
                            (to, value) -> to.pendingBytesMax((Long) value)),
                    Map.entry("drain_timeout_ms",
                            (to, value) -> to.drainTimeout(milliseconds(value))),
                    Map.entry("inbox_prefix", (to, value) -> to.inboxPrefix((String) value)),
                    Map.entry("token", (to, value) -> to.token((String) value)),
                    Map.entry("echo", (to, value) -> value.equals(false) ? to.noEcho() : to),
                    Map.entry("reconnect",
                            (to, value) -> value.equals(false) ? to.noReconnect() : to),
                    Map.entry("randomize_servers",
                            (to, value) -> value.equals(false) ? to.noRandomize() : to));

    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    final Connection connection;
    final Dispatcher dispatcher;
    private final List<String> errors = new ArrayList<>(); // GUARDED_BY this

    /** Connects to the server in the process, or, without one, to the URLs. */
    ParityClient(Server server, List<String> urls, Map<String, Object> options)
            throws InterruptedException {
        Options.Builder builder = Options.builder().connectionListener(this).errorListener(this);
        options.forEach((name, value) -> NAMED.getOrDefault(name,
                (to, each) -> to.option(name, each)).apply(builder, value));
        connection = server == null
                ? Nats.connect(builder.servers(urls.toArray(new String[0])).build())
                : Nats.connect(server, builder.build());
        dispatcher = connection.createDispatcher();
    }

    @Override
    public void connectionEvent(Connection connection, Events type) {
        if (type != Events.CONNECTED && type != Events.RECONNECTING) {
            events.add(type.name().toLowerCase(Locale.ROOT));
        }
    }

    @Override
    public void errorOccurred(Connection connection, MartletException error) {
        tell(statusOf(error));
    }

    @Override
    public void exceptionOccurred(Connection connection, Exception exception) {
        tell(statusOf(exception));
    }

    @Override
    public void slowConsumerDetected(Connection connection, String text) {
        tell("ERR_SLOW_CONSUMER");
    }

    private synchronized void tell(String status) {
        errors.add(status);
        notifyAll();
    }

    synchronized String error(String status, long timeoutMs) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        while (!errors.remove(status)) {
            long left = until - System.nanoTime();
            if (left <= 0) {
                return "ERR_TIMEOUT";
            }
            wait(left / 1_000_000 + 1);
        }
        return "OK";
    }

    private static Duration milliseconds(Object value) {
        return Duration.ofMillis((Long) value);
    }

    /** The name of the status that a failure stands for. */
    static String statusOf(Throwable failure) {
        if (failure instanceof ParityRunner.Thrown) {
            return "thrown";
        }
        if (failure.getClass().getSuperclass() != MartletException.class) {
            return "EXCEPTION " + failure.getClass().getName() + ": " + failure.getMessage();
        }
        if (failure instanceof BadSubjectException) {
            return "ERR_SUBJECT";
        }
        if (failure instanceof SystemIOException) {
            return "ERR_IO";
        }
        String name = failure.getClass().getSimpleName().replace("Exception", "");
        return "ERR" + name.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
    }
}
