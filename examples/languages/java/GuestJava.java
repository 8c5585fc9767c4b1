// SPDX-License-Identifier: Apache-2.0
import io.martlet.Connection;
import io.martlet.Nats;
import io.martlet.Server;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Martlet in Java: {@code GuestJava host}, or {@code guest URL NUMBER GUESTS FILE}. See
 * ../README.md.
 */
final class GuestJava {
    private static final Duration FLUSH = Duration.ofSeconds(30);

    private GuestJava() {}

    public static void main(String[] words) throws Exception {
        if (words[0].equals("host")) {
            host();
        } else {
            guest(words[1], Integer.parseInt(words[2]), Integer.parseInt(words[3]),
                    Path.of(words[4]));
        }
    }

    private static void host() throws Exception {
        try (Server server = Server.start()) {
            Notes.tell("\"ready\", \"url\": \"" + server.getUrl() + "\"");
            System.in.transferTo(OutputStream.nullOutputStream());
        }
    }

    private static void guest(String url, int number, int guests, Path path) throws Exception {
        Notes notes = new Notes(number, guests, path);
        try (Connection connection = Nats.connect(url)) {
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
