// SPDX-License-Identifier: Apache-2.0
package example;

import io.martlet.Connection;
import io.martlet.Message;
import io.martlet.Nats;
import io.martlet.Server;
import io.martlet.Subscription;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** A broker inside this process, a message through it by TCP and inside; what the package says. */
public final class Exchange {
    private Exchange() {}

    public static void main(String[] arguments) throws InterruptedException {
        try (Server server = Server.start()) {
            try (Connection connection = Nats.connect(server)) {
                exchange(connection);
            }
            try (Connection connection = Nats.connect(server.getUrl())) {
                exchange(connection);
            }
        }
        System.out.println("exchanged " + Nats.libraryVersion());
        Nats.linkedVersions()
                .forEach((name, version) -> System.out.println("linked " + name + " " + version));
    }

    private static void exchange(Connection connection) throws InterruptedException {
        Subscription subscription = connection.subscribe("greet.*");
        connection.publish("greet.world", "hello".getBytes(StandardCharsets.UTF_8));
        Message message = subscription.nextMessage(Duration.ofSeconds(30));
        if (message == null || !message.getText().equals("hello")) {
            throw new IllegalStateException("another message than was sent: " + message);
        }
    }
}
