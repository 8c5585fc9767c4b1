// SPDX-License-Identifier: Apache-2.0
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import io.martlet.Connection;
import io.martlet.Dispatcher;
import io.martlet.Nats;
import io.martlet.Server;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

class QueueGroups {
    public static void main(String[] arguments) throws Exception {
        // guide: begin
        Queue<String> done = new ConcurrentLinkedQueue<>();
        Queue<String> seen = new ConcurrentLinkedQueue<>();
        try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
            for (int worker = 0; worker < 2; worker++) {
                Dispatcher dispatcher = connection.createDispatcher(); // Each has a thread.
                dispatcher.subscribe("jobs", "workers", job -> done.add(job.getText()));
            }
            connection.createDispatcher().subscribe("jobs", job -> seen.add(job.getText()));
            for (int number = 0; number < 6; number++) {
                connection.publish("jobs", Integer.toString(number).getBytes(UTF_8));
            }
            connection.drain(Duration.ofSeconds(5)).get();
        }
        System.out.println("workers did: " + done.stream().sorted().collect(joining(" ")));
        System.out.println("audit saw: " + seen.stream().sorted().collect(joining(" ")));
        // guide: end
    }
}
