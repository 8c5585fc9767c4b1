// SPDX-License-Identifier: Apache-2.0
import static java.nio.charset.StandardCharsets.UTF_8;

import io.martlet.Connection;
import io.martlet.Message;
import io.martlet.Nats;
import io.martlet.Options;
import io.martlet.Server;
import io.martlet.Subscription;
import io.martlet.errors.AuthorizationException;
import java.time.Duration;

class OtherPrograms {
    public static void main(String[] arguments) throws InterruptedException {
        // guide: begin
        Options ann = Options.builder().userInfo("ann", "secret").build();
        try (Server server = Server.builder().userInfo("ann", "secret").start();
                Connection inside = Nats.connect(server, ann)) {
            Subscription greetings = inside.subscribe("greet");
            inside.flush(Duration.ofSeconds(5)); // The broker knows of the subscription.

            // Any client of NATS, in any program: here one of ours, over TCP.
            Options overTcp = Options.builder()
                    .server(server.getUrl()).userInfo("ann", "secret").build();
            try (Connection outside = Nats.connect(overTcp)) {
                outside.publish("greet", "hello".getBytes(UTF_8));
                Message message = greetings.nextMessage(Duration.ofSeconds(5));
                System.out.println("from outside: " + message.getText());
            }

            try (Connection refused = Nats.connect(server.getUrl())) {
                throw new IllegalStateException("let in: " + refused.getStatus());
            } catch (AuthorizationException expected) {
                System.out.println("refused without a password");
            }
        }
        // guide: end
    }
}
