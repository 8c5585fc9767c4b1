// SPDX-License-Identifier: Apache-2.0
// guide: begin
import static java.nio.charset.StandardCharsets.UTF_8;

import io.martlet.Connection;
import io.martlet.Message;
import io.martlet.Nats;
import io.martlet.Server;
import io.martlet.Subscription;
import java.time.Duration;

class FirstMessage {
    public static void main(String[] arguments) throws InterruptedException {
        try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
            Subscription greetings = connection.subscribe("greet.*");
            connection.publish("greet.world", "hello".getBytes(UTF_8));
            Message message = greetings.nextMessage(Duration.ofSeconds(5));
            System.out.println(message.getSubject() + ": " + message.getText());
        }
    }
}
// guide: end
