// SPDX-License-Identifier: Apache-2.0
import io.nats.client.Connection;
import io.nats.client.Dispatcher;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A client of the quote service on jnats: {@code QuoteClient URL}. Knows nothing of Martlet. For
 * each line on its input it says what came of it:
 *
 * <pre>
 * ask SUBJECT           answer PAYLOAD, error CODE TEXT, or nothing in time
 * watch PATTERN         watching; then update SUBJECT PAYLOAD for each message
 * burst SUBJECT COUNT   sent, when the broker has that many requests; then burst COUNT, when all
 *                       are answered, and payload PAYLOAD for each different answer
 * publish SUBJECT TEXT  published
 * </pre>
 */
final class QuoteClient {
    private static final Duration LONGEST = Duration.ofSeconds(30);

    private final Connection connection;

    private QuoteClient(Connection connection) {
        this.connection = connection;
    }

    public static void main(String[] words) throws Exception {
        Options options = new Options.Builder().server(words[0]).noReconnect().build();
        Connection connection = Nats.connect(options);
        QuoteClient client = new QuoteClient(connection);
        tell("connected");
        BufferedReader input =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            client.run(line.split(" ", 3));
        }
        System.exit(0);
    }

    private static synchronized void tell(String text) {
        System.out.println(text);
        System.out.flush();
    }

    private static String text(Message message) {
        return new String(message.getData(), StandardCharsets.UTF_8);
    }

    private void run(String[] words) throws Exception {
        switch (words[0]) {
            case "ask" -> ask(words[1]);
            case "watch" -> watch(words[1]);
            case "burst" -> burst(words[1], Integer.parseInt(words[2]));
            case "publish" -> {
                connection.publish(words[1], words[2].getBytes(StandardCharsets.UTF_8));
                connection.flush(LONGEST);
                tell("published");
            }
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private void ask(String subject) throws Exception {
        Message answer = connection.request(subject, new byte[0], LONGEST);
        if (answer == null) {
            tell("nothing in time");
        } else if (answer.hasHeaders()) {
            tell("error " + answer.getHeaders().getFirst("Nats-Service-Error-Code") + " "
                    + answer.getHeaders().getFirst("Nats-Service-Error"));
        } else {
            tell("answer " + text(answer));
        }
    }

    private void watch(String pattern) throws Exception {
        connection
                .createDispatcher(message ->
                        tell("update " + message.getSubject() + " " + text(message)))
                .subscribe(pattern);
        connection.flush(LONGEST);
        tell("watching");
    }

    private void burst(String subject, int count) throws Exception {
        String inbox = connection.createInbox();
        Set<String> payloads = new ConcurrentSkipListSet<>();
        AtomicInteger answers = new AtomicInteger();
        Dispatcher dispatcher = connection.createDispatcher(message -> {
            payloads.add(text(message));
            if (answers.incrementAndGet() == count) {
                payloads.forEach(payload -> tell("payload " + payload));
                tell("burst " + count);
            }
        });
        dispatcher.subscribe(inbox);
        for (int number = 0; number < count; number++) {
            connection.publish(subject, inbox, new byte[0]);
        }
        connection.flush(LONGEST);
        tell("sent");
    }
}
