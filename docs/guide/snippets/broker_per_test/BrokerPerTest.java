// SPDX-License-Identifier: Apache-2.0
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.martlet.Connection;
import io.martlet.Server;
import io.martlet.Subscription;
import io.martlet.testing.MartletExtension;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

// guide: begin
@ExtendWith(MartletExtension.class)
class BrokerPerTest {
    @Test
    void aGreetingArrives(Connection connection) throws InterruptedException {
        Subscription greetings = connection.subscribe("greet.*");
        connection.publish("greet.world", "hello".getBytes(UTF_8));
        assertEquals("hello", greetings.nextMessage(Duration.ofSeconds(5)).getText());
    }

    @Test
    void eachTestHasABrokerOfItsOwn(Server server) {
        assertEquals(0, server.getStatistics().getInMsgs());
    }
}
// guide: end
