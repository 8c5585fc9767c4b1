// SPDX-License-Identifier: Apache-2.0
import static java.nio.charset.StandardCharsets.UTF_8;

import io.martlet.Connection;
import io.martlet.Dispatcher;
import io.martlet.Message;
import io.martlet.Nats;
import io.martlet.Server;
import io.martlet.errors.NoRespondersException;
import io.martlet.errors.TimeoutException;
import java.time.Duration;

class Requests {
    public static void main(String[] arguments) throws InterruptedException {
        byte[] ann = "Ann".getBytes(UTF_8);
        // guide: begin
        try (Server server = Server.start(); Connection connection = Nats.connect(server)) {
            Dispatcher service = connection.createDispatcher();
            service.subscribe("greet", request ->
                    request.respond(("hello " + request.getText()).getBytes(UTF_8)));
            Message answer = connection.request("greet", ann, Duration.ofSeconds(5));
            System.out.println("answer: " + answer.getText());

            try {
                connection.request("nobody", ann, Duration.ofSeconds(5));
            } catch (NoRespondersException nobody) {
                System.out.println("nobody listens");
            }

            service.subscribe("silence", request -> {});
            try {
                connection.request("silence", ann, Duration.ofMillis(50));
            } catch (TimeoutException late) {
                System.out.println("no answer in time");
            }
        }
        // guide: end
    }
}
