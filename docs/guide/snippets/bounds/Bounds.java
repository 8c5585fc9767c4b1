// SPDX-License-Identifier: Apache-2.0
import static java.nio.charset.StandardCharsets.UTF_8;

import io.martlet.Connection;
import io.martlet.ErrorListener;
import io.martlet.FullPolicy;
import io.martlet.Nats;
import io.martlet.Options;
import io.martlet.Server;
import io.martlet.ServerStatistics;
import io.martlet.SubscribeOptions;
import io.martlet.Subscription;
import java.time.Duration;

class Bounds {
    public static void main(String[] arguments) throws InterruptedException {
        // What is lost is logged otherwise.
        Options quiet = Options.builder().errorListener(new ErrorListener() {}).build();
        try (Server server = Server.start(); Connection connection = Nats.connect(server, quiet)) {
            // guide: begin
            SubscribeOptions three = SubscribeOptions.builder()
                    .pendingLimits(3, 0).fullPolicy(FullPolicy.DROP_OLDEST).build();
            Subscription ticks = connection.subscribe("ticks", null, three);
            for (int tick = 0; tick < 10; tick++) {
                connection.publish("ticks", Integer.toString(tick).getBytes(UTF_8));
            }
            // All of them have come back by now, and nobody has read.
            connection.flush(Duration.ofSeconds(5));
            System.out.println("waiting: " + ticks.getPendingMessageCount() + ", lost: "
                    + ticks.getDroppedCount());

            StringBuilder read = new StringBuilder("read:");
            for (int i = 0; i < 3; i++) {
                read.append(" ").append(ticks.nextMessage(Duration.ofSeconds(5)).getText());
            }
            System.out.println(read);
            ServerStatistics statistics = server.getStatistics();
            System.out.println("the broker took " + statistics.getInMsgs() + " and gave "
                    + statistics.getOutMsgs());
            // guide: end
        }
    }
}
