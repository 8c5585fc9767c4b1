// SPDX-License-Identifier: Apache-2.0
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.martlet.Connection;
import io.martlet.FullPolicy;
import io.martlet.Message;
import io.martlet.MessageHandler;
import io.martlet.SubscribeOptions;
import io.martlet.Subscription;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;

/**
 * Owns the parity runner over the Java package: see tests/parity/README.md.
 *
 * <p>ParityRunner --scenarios FOLDER --mode MODE --out FILE [--only NAMES]
 */
public final class ParityRunner {
    private static final int TRIES_MAX = 500;
    private static final int BETWEEN_TRIES_MS = 20;

    private final boolean inProcess;
    private final Map<String, ParityBroker> brokers = new ConcurrentHashMap<>();
    private final Map<String, ParityClient> clients = new ConcurrentHashMap<>();
    private final Map<String, Subscription> subscriptions = new ConcurrentHashMap<>();
    private final Map<String, BlockingQueue<Object>> logs = new ConcurrentHashMap<>();
    private final Map<String, CountDownLatch> gates = new ConcurrentHashMap<>();
    private final Map<String, String> inboxes = new ConcurrentHashMap<>();
    private final Map<String, Future<Object>> begun = new ConcurrentHashMap<>();
    private final ExecutorService pool = Executors.newCachedThreadPool();
    private final List<ParityClient> opened = new CopyOnWriteArrayList<>();
    private final List<ParityBroker> made = new CopyOnWriteArrayList<>();

    private ParityRunner(boolean inProcess) {
        this.inProcess = inProcess;
    }

    /** A failure of the scenario's own callback. */
    static final class Thrown extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    // --- a step ---

    private Object give(Map<String, Object> step, Message message) throws InterruptedException {
        Object wanted = step.get("until");
        Object given = tryOnce(step, message);
        for (int tries = 0; wanted != null && !given.equals(wanted) && tries < TRIES_MAX; tries++) {
            Thread.sleep(BETWEEN_TRIES_MS);
            given = tryOnce(step, message);
        }
        return given;
    }

    private Object tryOnce(Map<String, Object> step, Message message) {
        try {
            return carryOut(step, message);
        } catch (Thrown thrown) {
            throw thrown;
        } catch (ExecutionException failure) {
            return ParityClient.statusOf(failure.getCause());
        } catch (Exception failure) {
            return ParityClient.statusOf(failure);
        }
    }

    private Object carryOut(Map<String, Object> step, Message message) throws Exception {
        String name = ScenarioText.text(step, "as", "");
        switch (verb(step)) {
            case "server" -> makeServer(step);
            case "server_do" -> broker(step, "on").change(ScenarioText.text(step, "what", ""),
                    ScenarioText.text(step, "on", "server"));
            case "connect" -> connect(step);
            case "subscribe" -> subscriptions.put(name, subscribe(step, name));
            case "unsubscribe" -> unsubscribe(subscription(step), step);
            case "drain_subscription" -> subscription(step).drain(timeout(step));
            case "drop" -> {
                subscriptions.remove(on(step));
                System.gc();
            }
            case "begin" -> begun.put(name,
                    pool.submit(() -> give(ScenarioText.object(step.get("step")), null)));
            case "release" -> gates.get(on(step)).countDown();
            case "throw" -> throw new Thrown();
            case "publish" -> publish(step, message);
            case "respond" -> message.respond(ScenarioText.headers(step),
                    ScenarioText.payload(step, message, 0));
            case "flush" -> connection(step).flush(timeout(step));
            case "close" -> connection(step).close();
            default -> {
                return answer(step, message);
            }
        }
        return "OK";
    }

    /** The steps that give something. */
    private Object answer(Map<String, Object> step, Message message) throws Exception {
        return switch (verb(step)) {
            case "server_get" -> broker(step, "on").get(step);
            case "server_log" -> waitForLine(step);
            case "next" -> next(step);
            case "counts" -> counts(subscription(step));
            case "end" -> begun.get(on(step)).get(30, SECONDS);
            case "request" -> request(step, message);
            case "drain" -> drain(step, message);
            case "inbox" -> makeInbox(step);
            case "statistics" ->
                ParityBroker.chosen(connection(step).getStatistics().asMap(), step);
            case "state" -> connection(step).getStatus().name().toLowerCase(Locale.ROOT);
            case "max_payload" -> connection(step).getMaxPayload();
            case "rtt" -> connection(step).RTT(timeout(step)).toNanos() > 0;
            case "event" -> orTimeout(client(step).events.poll(timeoutMs(step), MILLISECONDS));
            case "error" -> client(step).error(
                    ScenarioText.text(step, "status", ""), timeoutMs(step));
            default -> throw new IllegalArgumentException("there is no step " + verb(step));
        };
    }

    private static Object orTimeout(Object given) {
        return given == null ? "ERR_TIMEOUT" : given;
    }

    private static String verb(Map<String, Object> step) {
        return ScenarioText.text(step, "do", "");
    }

    private static String on(Map<String, Object> step) {
        return ScenarioText.text(step, "on", "");
    }

    private static long timeoutMs(Map<String, Object> step) {
        return ScenarioText.timeoutMs(step);
    }

    private static Duration timeout(Map<String, Object> step) {
        return Duration.ofMillis(timeoutMs(step));
    }

    private ParityBroker broker(Map<String, Object> step, String key) {
        return brokers.get(ScenarioText.text(step, key, "server"));
    }

    private ParityClient client(Map<String, Object> step) {
        return clients.get(ScenarioText.text(step, "on", "c"));
    }

    private Connection connection(Map<String, Object> step) {
        return client(step).connection;
    }

    private Subscription subscription(Map<String, Object> step) {
        return subscriptions.get(on(step));
    }

    private String subject(Map<String, Object> step, String key) {
        String subject = ScenarioText.text(step, key, "");
        for (Map.Entry<String, String> inbox : inboxes.entrySet()) {
            subject = subject.replace("{" + inbox.getKey() + "}", inbox.getValue());
        }
        return subject;
    }

    // --- servers and connections ---

    private void makeServer(Map<String, Object> step) throws IOException {
        String name = ScenarioText.text(step, "as", "server");
        ParityBroker broker = ParityBroker.start(step, name, inProcess);
        made.add(broker);
        brokers.put(name, broker);
    }

    private Object waitForLine(Map<String, Object> step) throws InterruptedException {
        String part = ScenarioText.text(step, "has", "");
        for (long left = timeoutMs(step); left > 0; left -= BETWEEN_TRIES_MS) {
            if (broker(step, "on").hasLine(part)) {
                return true;
            }
            Thread.sleep(BETWEEN_TRIES_MS);
        }
        return "ERR_TIMEOUT";
    }

    private void connect(Map<String, Object> step) throws InterruptedException {
        boolean hasUrls = step.containsKey("urls");
        List<String> urls = hasUrls
                ? ScenarioText.list(step.get("urls")).stream().map(this::withNames).toList()
                : List.of(broker(step, "to").url());
        ParityClient client = new ParityClient(hasUrls ? null : broker(step, "to").object(), urls,
                ScenarioText.object(step.get("options")));
        opened.add(client);
        clients.put(ScenarioText.text(step, "as", "c"), client);
    }

    private String withNames(Object url) {
        String text = String.valueOf(url);
        for (Map.Entry<String, ParityBroker> broker : brokers.entrySet()) {
            text = text.replace("{" + broker.getKey() + "}",
                    broker.getValue().url().replace("nats://", ""));
        }
        return text;
    }

    private void publish(Map<String, Object> step, Message message) {
        String reply = step.containsKey("reply") ? subject(step, "reply") : null;
        for (long at = 0; at < ScenarioText.number(step, "count", 1); at++) {
            connection(step).publish(subject(step, "subject"), reply, ScenarioText.headers(step),
                    ScenarioText.payload(step, message, at));
        }
    }

    private Object request(Map<String, Object> step, Message message) throws InterruptedException {
        return ScenarioText.shown(connection(step).request(subject(step, "subject"),
                ScenarioText.headers(step), ScenarioText.payload(step, message, 0), timeout(step)));
    }

    /** In a callback it only begins. */
    private Object drain(Map<String, Object> step, Message message) throws Exception {
        Future<Boolean> drained = connection(step).drain(timeout(step));
        return message != null || drained.get() ? "OK" : "ERR_TIMEOUT";
    }

    private Object makeInbox(Map<String, Object> step) {
        String inbox = connection(step).createInbox();
        inboxes.put(ScenarioText.text(step, "as", ""), inbox);
        return inbox.substring(0, inbox.indexOf('.'));
    }

    // --- subscriptions ---

    private Subscription subscribe(Map<String, Object> step, String name) {
        String subject = subject(step, "subject");
        String queue = ScenarioText.text(step, "queue", null);
        return step.containsKey("handler")
                ? client(step).dispatcher.subscribe(
                        subject, queue, handler(step, name), optionsOf(step))
                : connection(step).subscribe(subject, queue, optionsOf(step));
    }

    private static SubscribeOptions optionsOf(Map<String, Object> step) {
        Map<String, Object> given = ScenarioText.object(step.get("options"));
        SubscribeOptions usual = SubscribeOptions.DEFAULT;
        String policy = ScenarioText.text(given, "full_policy", usual.getFullPolicy().name());
        return SubscribeOptions.builder()
                .pendingLimits(
                        ScenarioText.number(given, "messages_max", usual.getPendingMessageLimit()),
                        ScenarioText.number(given, "bytes_max", usual.getPendingByteLimit()))
                .fullPolicy(FullPolicy.valueOf(policy.toUpperCase(Locale.ROOT)))
                .maxMessages(ScenarioText.number(step, "max_messages", 0)).build();
    }

    private MessageHandler handler(Map<String, Object> step, String name) {
        BlockingQueue<Object> log = logs.computeIfAbsent(ScenarioText.text(step, "into", name),
                each -> new LinkedBlockingQueue<>());
        CountDownLatch gate = gates.computeIfAbsent(name, each -> new CountDownLatch(1));
        return message -> {
            log.add(ScenarioText.shown(message));
            for (Object each : ScenarioText.list(step.get("handler"))) {
                Map<String, Object> inner = ScenarioText.object(each);
                Object given = verb(inner).equals("hold") ? hold(gate) : give(inner, message);
                if (!given.equals("OK")) {
                    log.add(given);
                }
            }
        };
    }

    private static Object hold(CountDownLatch gate) throws InterruptedException {
        return gate.await(10, SECONDS) ? "OK" : "EXCEPTION nobody released it";
    }

    private Object next(Map<String, Object> step) throws Exception {
        List<byte[]> payloads = new ArrayList<>();
        if (!step.containsKey("count")) {
            return nextOne(step, payloads);
        }
        List<Object> given = new ArrayList<>();
        Object one = Map.of();
        while (one instanceof Map && given.size() < ScenarioText.number(step, "count", 0)) {
            try {
                one = nextOne(step, payloads);
            } catch (RuntimeException ended) {
                one = ParityClient.statusOf(ended);
            }
            given.add(one);
        }
        return ScenarioText.gathered(step, given, payloads);
    }

    private Object nextOne(Map<String, Object> step, List<byte[]> payloads) throws Exception {
        BlockingQueue<Object> log = logs.get(on(step));
        if (log != null) {
            return orTimeout(log.poll(timeoutMs(step), MILLISECONDS));
        }
        Message message = subscription(step).nextMessage(timeout(step));
        if (message == null) {
            return "ERR_TIMEOUT";
        }
        payloads.add(message.getData());
        return ScenarioText.shown(message);
    }

    private static void unsubscribe(Subscription subscription, Map<String, Object> step) {
        long after = ScenarioText.number(step, "after", 0);
        if (after > 0) {
            subscription.unsubscribe(after);
        } else {
            subscription.unsubscribe();
        }
    }

    private static Object counts(Subscription of) {
        return Map.of("pending", of.getPendingMessageCount(), "dropped", of.getDroppedCount(),
                "delivered", of.getDeliveredCount());
    }

    // --- scenarios ---

    private List<Object> play(List<?> steps) throws IOException, InterruptedException {
        try {
            List<Object> transcript = new ArrayList<>();
            for (Object step : steps) {
                transcript.add(give(ScenarioText.object(step), null));
            }
            return transcript;
        } finally {
            gates.values().forEach(CountDownLatch::countDown);
            opened.forEach(client -> client.connection.close());
            pool.shutdown();
            made.forEach(ParityBroker::close);
            if (!inProcess) {
                ParityBroker.ask(Map.of("do", "end"));
            }
        }
    }

    private static Map<String, Object> lineOf(Path file, String name, String mode)
            throws IOException, InterruptedException {
        Map<String, Object> scenario =
                ScenarioText.object(ScenarioText.parse(Files.readString(file)));
        Map<String, Object> line = new LinkedHashMap<>(Map.of("scenario", name));
        Object reason = ScenarioText.object(scenario.get("not_in")).get(mode);
        if (reason != null) {
            line.put("skipped", reason);
        } else {
            ParityRunner runner = new ParityRunner(mode.equals("in_process"));
            line.put("transcript", runner.play(ScenarioText.list(scenario.get("steps"))));
        }
        return line;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Map<String, String> named = new HashMap<>();
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            named.put(arguments[at], arguments[at + 1]);
        }
        List<Path> files;
        try (Stream<Path> found = Files.list(Path.of(named.get("--scenarios")))) {
            files = found.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
        try (PrintStream out = new PrintStream(named.get("--out"), StandardCharsets.UTF_8)) {
            for (Path file : files) {
                String name = file.getFileName().toString().replace(".json", "");
                String only = "," + named.getOrDefault("--only", name) + ",";
                if (only.contains("," + name + ",")) {
                    out.println(ScenarioText.write(lineOf(file, name, named.get("--mode"))));
                    out.flush();
                }
            }
        }
    }
}
