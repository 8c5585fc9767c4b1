// SPDX-License-Identifier: Apache-2.0
import io.martlet.Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Owns a server of a scenario: an object of this process, or the URL of one that run.py has started.
 */
record ParityBroker(Server object, String url, List<String> lines) implements AutoCloseable {
    private static final BufferedReader ANSWERS =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private static final PrintStream QUESTIONS =
            new PrintStream(System.out, true, StandardCharsets.UTF_8);

    static ParityBroker start(Map<String, Object> step, String name, boolean inProcess)
            throws IOException {
        if (!inProcess) {
            Map<String, Object> request = new HashMap<>(step);
            request.put("as", name);
            return new ParityBroker(null, ask(request), List.of());
        }
        List<String> lines = new CopyOnWriteArrayList<>();
        Server object = builder(step, lines).start();
        return new ParityBroker(object, object.getUrl(), lines);
    }

    private static Server.Builder builder(Map<String, Object> step, List<String> lines) {
        Server.Builder builder = Server.builder();
        if (step.containsKey("config")) {
            builder.configuration(ScenarioText.text(step, "config", ""));
        } else {
            builder.inProcessOnly();
            ScenarioText.object(step.get("options")).forEach(builder::option);
        }
        return step.containsKey("log")
                ? builder.log((level, line) -> lines.add(line), System.Logger.Level.INFO)
                : builder;
    }

    @Override
    public void close() {
        if (object != null) {
            object.close();
        }
    }

    void change(String what, String name) throws IOException {
        if (object == null) {
            ask(Map.of("do", what, "on", name));
        } else if (what.equals("stop")) {
            object.stop();
        } else {
            object.restart();
        }
    }

    Object get(Map<String, Object> step) {
        return switch (ScenarioText.text(step, "what", "")) {
            case "statistics" -> chosen(object.getStatistics().asMap(), step);
            case "port" -> object.getPort() > 0;
            default -> object.getUrl().replaceAll(":\\d+$", ":PORT");
        };
    }

    boolean hasLine(String part) {
        return lines.stream().anyMatch(line -> line.contains(part));
    }

    static Map<String, Object> chosen(Map<String, Object> all, Map<String, Object> step) {
        Map<String, Object> found = new LinkedHashMap<>();
        ScenarioText.list(step.get("keys")).forEach(
                key -> found.put((String) key, all.get((String) key)));
        return found;
    }

    /** Asks run.py for something of a server process; its URL. */
    static String ask(Map<String, Object> request) throws IOException {
        QUESTIONS.println(ScenarioText.write(request));
        String line = ANSWERS.readLine();
        Map<String, Object> answer =
                ScenarioText.object(line == null ? null : ScenarioText.parse(line));
        if (line == null || answer.containsKey("error")) {
            System.err.println("no server: " + line);
            System.exit(1);
        }
        return ScenarioText.text(answer, "url", "");
    }
}
