// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.ProtocolException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Owns the little JSON that crosses the border: options that go out, statistics and lists of
 * servers that come in. Numbers are Long or Double, null is left out of objects.
 */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** The object that a text of the library is. */
    static Map<String, Object> object(String text) {
        if (new Json(text).value() instanceof Map<?, ?> found) {
            Map<String, Object> copy = new LinkedHashMap<>();
            found.forEach((name, value) -> copy.put(String.valueOf(name), value));
            return copy;
        }
        throw new ProtocolException("no JSON object: " + text);
    }

    /** The texts of an array. */
    static List<String> texts(String text) {
        List<String> found = new ArrayList<>();
        if (new Json(text).value() instanceof List<?> list) {
            list.forEach(each -> found.add(String.valueOf(each)));
        }
        return found;
    }

    /** An object of numbers, truths, texts and lists of texts. */
    static String write(Map<String, Object> values) {
        StringBuilder out = new StringBuilder("{");
        values.forEach((name, value) -> {
            out.append(out.length() > 1 ? "," : "");
            writeValue(out, name);
            out.append(':');
            writeValue(out, value);
        });
        return out.append('}').toString();
    }

    private static void writeValue(StringBuilder out, Object value) {
        if (value instanceof List<?> list) {
            String separator = "[";
            for (Object each : list) {
                out.append(separator);
                writeValue(out, each);
                separator = ",";
            }
            out.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof Number || value instanceof Boolean) {
            out.append(value);
        } else {
            writeText(out, String.valueOf(value));
        }
    }

    private static void writeText(StringBuilder out, String text) {
        out.append('"');
        for (int at = 0; at < text.length(); at++) {
            char letter = text.charAt(at);
            if (letter == '"' || letter == '\\') {
                out.append('\\').append(letter);
            } else if (letter < ' ') {
                out.append(String.format("\\u%04x", (int) letter));
            } else {
                out.append(letter);
            }
        }
        out.append('"');
    }

    // --- reading ---

    private Object value() {
        skipSpace();
        char first = peek();
        if (first == '{') {
            return members();
        }
        if (first == '[') {
            return elements();
        }
        return first == '"' ? textValue() : word();
    }

    private Map<String, Object> members() {
        Map<String, Object> found = new LinkedHashMap<>();
        at++;
        while (!ends('}')) {
            String name = textValue();
            expect(':');
            Object value = value();
            if (value != NULL) {
                found.put(name, value);
            }
        }
        return found;
    }

    private List<Object> elements() {
        List<Object> found = new ArrayList<>();
        at++;
        while (!ends(']')) {
            found.add(value());
        }
        return found;
    }

    /** Passes a comma; whether the end was passed instead. */
    private boolean ends(char end) {
        skipSpace();
        if (peek() == ',') {
            at++;
            skipSpace();
        }
        if (peek() != end) {
            return false;
        }
        at++;
        return true;
    }

    private String textValue() {
        expect('"');
        StringBuilder out = new StringBuilder();
        for (char letter = next(); letter != '"'; letter = next()) {
            out.append(letter == '\\' ? escaped(next()) : letter);
        }
        return out.toString();
    }

    private char escaped(char letter) {
        switch (letter) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'u':
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 4, at), 16);
            default:
                return letter;
        }
    }

    private static final Object NULL = new Object();

    private Object word() {
        int start = at;
        while (at < text.length() && ",]} \r\n\t".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String word = text.substring(start, at);
        switch (word) {
            case "null":
                return NULL;
            case "true":
                return Boolean.TRUE;
            case "false":
                return Boolean.FALSE;
            default:
                return number(word);
        }
    }

    private Object number(String word) {
        try {
            return word.matches("-?\\d{1,18}") ? (Object) Long.valueOf(word) : Double.valueOf(word);
        } catch (NumberFormatException failure) {
            throw new ProtocolException("no JSON at " + at + ": " + text);
        }
    }

    private void skipSpace() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private void expect(char letter) {
        skipSpace();
        if (next() != letter) {
            throw new ProtocolException("no JSON at " + at + ": " + text);
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw new ProtocolException("JSON that ends too early: " + text);
        }
        return text.charAt(at);
    }

    private char next() {
        char letter = peek();
        at++;
        return letter;
    }
}
