// SPDX-License-Identifier: Apache-2.0
import static java.nio.charset.StandardCharsets.UTF_8;

import io.martlet.Connection;
import io.martlet.Nats;
import io.martlet.Server;
import io.martlet.errors.ClosedException;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

class Ending {
    public static void main(String[] arguments) throws Exception {
        // guide: begin
        Queue<String> handled = new ConcurrentLinkedQueue<>();
        try (Server server = Server.start(); Connection reader = Nats.connect(server)) {
            reader.createDispatcher().subscribe("jobs", job -> handled.add(job.getText()));
            reader.flush(Duration.ofSeconds(5));
            try (Connection sender = Nats.connect(server)) {
                for (String job : new String[] {"1", "2", "3"}) {
                    sender.publish("jobs", job.getBytes(UTF_8));
                }
                sender.flush(Duration.ofSeconds(5)); // The end of the block closes at once.
            }

            // Hands over what has come, sends what was published, then closes.
            reader.drain(Duration.ofSeconds(5)).get();
            System.out.println("handled: " + String.join(" ", handled));
            try {
                reader.publish("jobs", "4".getBytes(UTF_8));
            } catch (ClosedException closed) {
                System.out.println("closed: nothing more is taken");
            }
        } // The server is stopped.
        // guide: end
    }
}
