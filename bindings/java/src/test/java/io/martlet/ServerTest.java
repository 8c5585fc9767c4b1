// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static io.martlet.Place.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.martlet.errors.AddressInUseException;
import io.martlet.errors.ClosedException;
import io.martlet.errors.InvalidArgumentException;
import io.martlet.errors.OptionsException;
import io.martlet.errors.StateException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.ResourceBundle;
import org.junit.jupiter.api.Test;

/**
 * Goal: a broker inside a program, by every option, and its log. Method: brokers of ours; their log
 * is caught, and what they print is looked at by LifecycleTest in a process of its own.
 */
class ServerTest {
    @Test
    void whatIsLinkedInIsTold() {
        for (String name : List.of("OpenSSL", "libevent")) {
            assertTrue(Character.isDigit(Nats.linkedVersions().get(name).charAt(0)), name);
        }
    }

    @Test
    void itListensOnAFreePortAndTellsOfItself() throws Exception {
        try (Server server = Server.start();
                Connection connection = Nats.connect(server.getUrl())) {
            assertEquals("nats://127.0.0.1:" + server.getPort(), server.getUrl());
            assertEquals("Server[" + server.getUrl() + "]", server.toString());
            assertEquals("Connection[CONNECTED, " + server.getUrl() + "]", connection.toString());
            assertEquals(0, server.getMonitoringPort());
            connection.subscribe("a");
            connection.publish("a", new byte[3]);
            connection.flush(SOON);
            ServerStatistics statistics = server.getStatistics();
            assertEquals(1, statistics.getConnections());
            assertEquals(1, statistics.getSubscriptions());
            assertEquals(1, statistics.getInMsgs());
            assertEquals(3, statistics.getInBytes());
            assertEquals(0, statistics.getSlowConsumers());
        }
    }

    @Test
    void itMayHaveNoPortAtAll() throws Exception {
        try (Server server = Server.builder().inProcessOnly().start();
                Connection connection = Nats.connect(server)) {
            assertEquals(0, server.getPort());
            assertEquals("", server.getUrl());
            assertEquals("Server[no port]", server.toString());
            connection.flush(SOON);
            assertEquals(server, connection.getServer());
        }
    }

    @Test
    void itStopsAndStartsAgain() throws Exception {
        try (Server server = Server.start()) {
            assertThrows(StateException.class, server::restart);
            server.stop();
            server.stop();
            assertThrows(StateException.class, server::getPort);
            assertEquals("Server[stopped]", server.toString());
            server.restart();
            assertEquals("Server[" + server.getUrl() + "]", server.toString());
            Connection connection = Nats.connect(server.getUrl());
            connection.close();
            assertEquals("Connection[CLOSED]", connection.toString());
            server.close();
            server.close();
            assertEquals("Server[stopped]", server.toString());
            assertThrows(ClosedException.class, server::getPort);
            assertThrows(ClosedException.class, server::restart);
            assertThrows(ClosedException.class, () -> Nats.connect(server));
        }
    }

    @Test
    void wrongOptionsAreNamed() {
        OptionsException wrong = assertThrows(OptionsException.class,
                () -> Server.builder().maxPayload(-1).start());
        assertTrue(String.valueOf(wrong.getMessage()).contains("max_payload"), wrong.getMessage());
        OptionsException unknown = assertThrows(OptionsException.class,
                () -> Server.builder().option("prot", 1).start());
        assertTrue(String.valueOf(unknown.getMessage()).contains("prot"), unknown.getMessage());
        OptionsException port = assertThrows(OptionsException.class,
                () -> Server.builder().port(70000).start());
        assertTrue(String.valueOf(port.getMessage()).contains("port"), port.getMessage());
    }

    @Test
    void aPortThatIsTakenIsSaid() throws Exception {
        try (Server server = Server.start()) {
            AddressInUseException taken = assertThrows(AddressInUseException.class,
                    () -> Server.builder().port(server.getPort()).start());
            assertTrue(String.valueOf(taken.getMessage()).contains("" + server.getPort()),
                    taken.getMessage());
        }
    }

    @Test
    void itTakesNatsConfigurationText() throws Exception {
        try (Server server = Server.builder().configuration("port: -1, max_payload: 2KB").start();
                Connection connection = Nats.connect(server)) {
            assertEquals(2048, connection.getMaxPayload());
        }
        assertThrows(InvalidArgumentException.class,
                () -> Server.builder().configuration("{\"port\": 0}").start());
        assertThrows(
                OptionsException.class, () -> Server.builder().configuration("prot: 1").start());
    }

    @Test
    void itServesMonitoringPages() throws Exception {
        Server.Builder builder = Server.builder().monitoringPort(0).monitoringHost("127.0.0.1");
        builder.maxControlLine(2048).maxPingsOut(3).spin(Duration.ofNanos(1500));
        try (Server server = builder.start()) {
            assertTrue(server.getMonitoringPort() > 0);
            HttpResponse<String> page = HttpClient.newHttpClient().send(
                    HttpRequest
                            .newBuilder(URI.create(
                                    "http://127.0.0.1:" + server.getMonitoringPort() + "/varz"))
                            .timeout(SOON)
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            String text = page.body().replace(" ", "");
            assertTrue(text.contains("\"in_msgs\":"), text);
            assertTrue(text.contains("\"max_control_line\":2048"), text);
            assertTrue(text.contains("\"ping_max\":3"), text);
        }
    }

    @Test
    void itsLogGoesToAConsumerAtItsLevels() throws Exception {
        List<String> lines = Collections.synchronizedList(new ArrayList<>());
        try (Server server = Server.builder()
                        .log(
                                (level, line)
                                        -> {
                                    lines.add(level + " " + line);
                                    throw new IllegalStateException(
                                            "planned: the next line comes nevertheless");
                                },
                                System.Logger.Level.TRACE)
                        .start();
                Connection connection = Nats.connect(server.getUrl())) {
            connection.flush(SOON);
        }
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("INFO ")), lines.toString());
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("DEBUG ")), lines.toString());
        assertTrue(
                lines.stream().anyMatch(line -> line.startsWith("TRACE ") && line.contains("PING")),
                lines.toString());
    }

    @Test
    void itsLogGoesToALogger() throws Exception {
        Caught logger = new Caught();
        try (Server server = Server.builder().log(logger, System.Logger.Level.INFO).start()) {
            assertNotNull(server.getUrl());
        }
        assertTrue(logger.lines.stream().anyMatch(line -> line.startsWith("INFO ")),
                logger.lines.toString());
        assertFalse(logger.lines.stream().anyMatch(line -> line.startsWith("DEBUG ")),
                logger.lines.toString());
    }

    /** A System.Logger that remembers. */
    private static final class Caught implements System.Logger {
        final List<String> lines = Collections.synchronizedList(new ArrayList<>());

        @Override
        public String getName() {
            return "caught";
        }

        @Override
        public boolean isLoggable(Level level) {
            return true;
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String line, Throwable thrown) {
            lines.add(level + " " + line);
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String format, Object... values) {
            lines.add(level + " " + format);
        }
    }

    @Test
    void manyMayLiveAtOnce() throws Exception {
        List<Server> servers = new ArrayList<>();
        for (int at = 0; at < 10; at++) {
            servers.add(Server.start());
        }
        for (Server server : servers) {
            try (Connection connection = Nats.connect(server)) {
                connection.flush(SOON);
            }
        }
        servers.forEach(Server::close);
    }
}
