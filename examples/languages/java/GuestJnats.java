// SPDX-License-Identifier: Apache-2.0
import io.nats.client.Connection;
import io.nats.client.Nats;
import java.nio.file.Path;
import java.time.Duration;

/**
 * jnats: {@code GuestJnats guest URL NUMBER GUESTS FILE}. Knows nothing of Martlet. See
 * ../README.md.
 */
final class GuestJnats {
    private static final Duration FLUSH = Duration.ofSeconds(30);

    private GuestJnats() {}

    public static void main(String[] words) throws Exception {
        Notes notes = new Notes(Integer.parseInt(words[2]), Integer.parseInt(words[3]),
                Path.of(words[4]));
        try (Connection connection = Nats.connect(words[1])) {
            connection
                    .createDispatcher(message -> notes.add(message.getSubject(), message.getData()))
                    .subscribe("flights.>");
            connection.flush(FLUSH);
            Notes.tell("\"ready\"");
            System.in.read();
            notes.publishShare(connection::publish);
            notes.tellResult();
        }
    }
}
