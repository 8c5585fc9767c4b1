// SPDX-License-Identifier: Apache-2.0
import static java.nio.charset.StandardCharsets.UTF_8;

import io.martlet.Connection;
import io.martlet.Message;
import io.martlet.Nats;
import io.martlet.Server;
import io.martlet.Subscription;
import java.time.Duration;

class Subjects {
    public static void main(String[] arguments) throws Exception {
        // guide: begin
        try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
            // * stands for one word. A subscription is asked for its messages; close() ends it.
            try (Subscription arrivals = connection.subscribe("flight.*.JFK")) {
                connection.publish("flight.AA.JFK", "on time".getBytes(UTF_8));
                connection.publish("flight.AA.LAX", "early".getBytes(UTF_8));
                connection.publish("flight.UA.JFK", "late".getBytes(UTF_8));
                for (int i = 0; i < 2; i++) {
                    Message message = arrivals.nextMessage(Duration.ofSeconds(5));
                    System.out.println("to JFK: " + message.getSubject() + " " + message.getText());
                }
            }

            // > stands for all that follows. Handlers run on the dispatcher's thread.
            connection.createDispatcher().subscribe("flight.AA.>", message ->
                    System.out.println("of AA: " + message.getSubject() + " " + message.getText()));
            connection.publish("flight.AA.JFK.gate", "B22".getBytes(UTF_8));
            connection.publish("flight.UA.JFK.gate", "C9".getBytes(UTF_8));
            connection.publish("flight.AA.LAX", "landed".getBytes(UTF_8));
            // Ends the connection when the handler has seen everything.
            connection.drain(Duration.ofSeconds(5)).get();
        }
        // guide: end
    }
}
