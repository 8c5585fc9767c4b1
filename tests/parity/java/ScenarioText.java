// SPDX-License-Identifier: Apache-2.0
import io.martlet.Headers;
import io.martlet.Message;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Owns what a scenario and its transcript look like as text: JSON, which Java itself does not read,
 * payloads, and messages as they are shown.
 */
final class ScenarioText {
    private static final long DEFAULT_MS = 10_000;

    private ScenarioText() {}

    // --- the fields of a step ---

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        return value == null ? Map.of() : (Map<String, Object>) value;
    }

    static List<?> list(Object value) {
        return value == null ? List.of() : (List<?>) value;
    }

    static String text(Map<String, Object> step, String key, String otherwise) {
        return step.get(key) instanceof String found ? found : otherwise;
    }

    static long number(Map<String, Object> step, String key, long otherwise) {
        return step.get(key) instanceof Long found ? found : otherwise;
    }

    static long timeoutMs(Map<String, Object> step) {
        return number(step, "timeout_ms", DEFAULT_MS);
    }

    static byte[] payload(Map<String, Object> step, Message message, long count) {
        if (step.containsKey("size")) {
            byte[] letters = new byte[(int) number(step, "size", 0)];
            for (int at = 0; at < letters.length; at++) {
                letters[at] = (byte) ('a' + at % 26);
            }
            return letters;
        }
        if (step.containsKey("hex")) {
            return HexFormat.of().parseHex(text(step, "hex", ""));
        }
        byte[] data = utf8(text(step, "data", "").replace("{n}", Long.toString(count)));
        return message == null ? data
                : latin(data).replace("{data}", latin(message.getData()))
                        .getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Bytes as letters, one for one. */
    private static String latin(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    static Headers headers(Map<String, Object> step) {
        if (!step.containsKey("headers")) {
            return null;
        }
        Headers headers = new Headers();
        object(step.get("headers")).forEach((name, values) ->
                headers.add(name, list(values).toArray(new String[0])));
        return headers;
    }

    // --- a transcript ---

    static Map<String, Object> shown(Message message) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("subject", withoutInbox(message.getSubject()));
        if (message.getReplyTo() != null) {
            out.put("reply", withoutInbox(message.getReplyTo()));
        }
        if (message.hasHeaders()) {
            Map<String, Object> headers = new LinkedHashMap<>();
            message.getHeaders().entrySet().forEach(
                    entry -> headers.put(entry.getKey(), List.copyOf(entry.getValue())));
            out.put("headers", headers);
        }
        if (message.isStatusMessage()) {
            out.put("status", (long) message.getHeaders().getStatus());
        }
        byte[] data = message.getData();
        boolean plain = data.length <= 64;
        for (byte each : data) {
            plain &= each >= 0x20 && each <= 0x7e;
        }
        out.put("data", plain ? message.getText() : data.length + " bytes, fnv " + fnv(data));
        return out;
    }

    private static String withoutInbox(String subject) {
        return subject.startsWith("_INBOX.") ? "_INBOX" : subject;
    }

    static String fnv(byte[] data) {
        int hash = 0x811c9dc5;
        for (byte each : data) {
            hash = (hash ^ (each & 0xff)) * 0x01000193;
        }
        return HexFormat.of().toHexDigits(hash);
    }

    /** What `next` with a count gives. */
    static Object gathered(Map<String, Object> step, List<Object> given, List<byte[]> payloads) {
        if (step.containsKey("digest")) {
            Object last = given.isEmpty() ? Map.of() : given.get(given.size() - 1);
            ByteArrayOutputStream together = new ByteArrayOutputStream();
            for (byte[] payload : payloads) {
                together.writeBytes(payload);
                together.write('\n');
            }
            return last instanceof Map
                    ? Map.of("count", (long) given.size(), "fnv", fnv(together.toByteArray()))
                    : last;
        }
        if (step.containsKey("sorted")) {
            given.sort(Comparator.comparing(ScenarioText::dataOf, ScenarioText::byCodePoint));
        }
        return given;
    }

    private static String dataOf(Object given) {
        return given instanceof Map<?, ?> message ? String.valueOf(message.get("data")) : "";
    }

    private static int byCodePoint(String one, String other) {
        return Arrays.compareUnsigned(utf8(one), utf8(other)); // UTF-8 has their order.
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    // --- JSON ---

    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> map) {
            String before = "{";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                write(entry.getKey(), out.append(before));
                write(entry.getValue(), out.append(':'));
                before = ",";
            }
            out.append(map.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> list) {
            String before = "[";
            for (Object each : list) {
                write(each, out.append(before));
                before = ",";
            }
            out.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof String text) {
            out.append('"');
            text.chars().forEach(letter -> out.append(letter == '"' || letter == '\\'
                    ? "\\" + (char) letter
                    : letter < ' ' ? String.format("\\u%04x", letter) : "" + (char) letter));
            out.append('"');
        } else {
            out.append(value);
        }
    }

    static Object parse(String text) {
        return new Parser(text).value();
    }

    /** Reads JSON that is known to be well formed: run.py has looked at it before. */
    private static final class Parser {
        private final String text;
        private int at;

        Parser(String text) {
            this.text = text;
        }

        private char skipped() {
            while (" \r\n\t,:".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            return text.charAt(at);
        }

        Object value() {
            char first = skipped();
            if (first == '{') {
                Map<String, Object> found = new LinkedHashMap<>();
                for (at++; skipped() != '}';) {
                    found.put(string(), value());
                }
                at++;
                return found;
            }
            if (first == '[') {
                List<Object> found = new ArrayList<>();
                for (at++; skipped() != ']';) {
                    found.add(value());
                }
                at++;
                return found;
            }
            return first == '"' ? string() : word();
        }

        private String string() {
            StringBuilder out = new StringBuilder();
            for (at++; text.charAt(at) != '"'; at++) {
                char letter = text.charAt(at);
                out.append(letter == '\\' ? escaped() : letter);
            }
            at++;
            return out.toString();
        }

        private char escaped() {
            char letter = text.charAt(++at);
            if (letter == 'u') {
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 3, at + 1), 16);
            }
            int known = "bfnrt".indexOf(letter);
            return known < 0 ? letter : "\b\f\n\r\t".charAt(known);
        }

        private Object word() {
            int begin = at;
            while (at < text.length() && ",]} \r\n\t".indexOf(text.charAt(at)) < 0) {
                at++;
            }
            String word = text.substring(begin, at);
            return switch (word) {
                case "true" -> true;
                case "false" -> false;
                default -> word.matches("-?\\d+") ? (Object) Long.valueOf(word)
                                                  : Double.valueOf(word);
            };
        }
    }
}
