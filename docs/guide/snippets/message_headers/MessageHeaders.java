// SPDX-License-Identifier: Apache-2.0
import static java.nio.charset.StandardCharsets.UTF_8;

import io.martlet.Connection;
import io.martlet.Headers;
import io.martlet.Message;
import io.martlet.Nats;
import io.martlet.Server;
import io.martlet.Subscription;
import java.time.Duration;

class MessageHeaders {
    public static void main(String[] arguments) throws InterruptedException {
        try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
            // guide: begin
            Subscription news = connection.subscribe("news");
            Headers headers = new Headers().add("Content-Type", "text/plain").add("Trace", "a", "b");
            connection.publish("news", headers, "hello".getBytes(UTF_8));

            Message message = news.nextMessage(Duration.ofSeconds(5));
            Headers came = message.getHeaders();
            System.out.println("Content-Type: " + came.getFirst("Content-Type"));
            System.out.println("Trace: " + String.join(", ", came.get("Trace")));
            // guide: end
        }
    }
}
