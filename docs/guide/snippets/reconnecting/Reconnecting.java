// SPDX-License-Identifier: Apache-2.0
import static java.nio.charset.StandardCharsets.UTF_8;

import io.martlet.Connection;
import io.martlet.ConnectionListener.Events;
import io.martlet.Nats;
import io.martlet.Options;
import io.martlet.Server;
import io.martlet.Subscription;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

class Reconnecting {
    public static void main(String[] arguments) throws InterruptedException {
        // guide: begin
        CountDownLatch lost = new CountDownLatch(1);
        CountDownLatch back = new CountDownLatch(1);
        Options options = Options.builder()
                .reconnectWait(Duration.ofMillis(50))
                .connectionListener((connection, event) -> {
                    if (event == Events.DISCONNECTED) lost.countDown();
                    if (event == Events.RECONNECTED) back.countDown();
                })
                .build();
        try (Server server = Server.start();
                Connection connection = Nats.connect(server, options)) {
            Subscription news = connection.subscribe("news");
            server.stop();
            if (lost.await(30, TimeUnit.SECONDS)) System.out.println("connection lost");
            connection.publish("news", "sent meanwhile".getBytes(UTF_8)); // Waits in a buffer.
            server.restart();
            if (back.await(30, TimeUnit.SECONDS)) System.out.println("connected again");
            System.out.println("news: " + news.nextMessage(Duration.ofSeconds(5)).getText());
            System.out.println("reconnects: " + connection.getStatistics().getReconnects());
        }
        // guide: end
    }
}
