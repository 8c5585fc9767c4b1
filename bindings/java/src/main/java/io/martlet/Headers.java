// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.InvalidArgumentException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Owns the headers of a message: names with one or more values, in the order of the wire. Names
 * keep their case. Those of a message that came cannot be changed. One thread at a time while they
 * can. Since 0.1.0.
 */
public final class Headers {
    private static final String VERSION = "NATS/1.0";

    private final Map<String, List<String>> values = new LinkedHashMap<>();
    private boolean readOnly;
    private int status;
    private String description = "";

    /** Makes empty ones. */
    public Headers() {}

    /** Reads a block as on the wire. A line without a colon is passed over, as NATS clients do. */
    static Headers parse(byte[] block) {
        Headers headers = new Headers();
        String[] lines = new String(block, StandardCharsets.UTF_8).split("\r\n");
        String first = lines.length > 0 && lines[0].startsWith(VERSION)
                ? lines[0].substring(VERSION.length()).strip() : "";
        int space = first.indexOf(' ');
        String number = space < 0 ? first : first.substring(0, space);
        if (number.matches("\\d{1,9}")) {
            headers.status = Integer.parseInt(number);
            headers.description = space < 0 ? "" : first.substring(space + 1).strip();
        }
        for (int at = 1; at < lines.length; at++) {
            int colon = lines[at].indexOf(':');
            if (colon > 0) {
                headers.values
                        .computeIfAbsent(lines[at].substring(0, colon), name -> new ArrayList<>(1))
                        .add(lines[at].substring(colon + 1).strip());
            }
        }
        headers.readOnly = true;
        return headers;
    }

    /** As on the wire. */
    byte[] toBytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream(64);
        out.writeBytes((VERSION + "\r\n").getBytes(StandardCharsets.US_ASCII));
        values.forEach((name, all) -> {
            for (String value : all) {
                out.writeBytes(Texts.encode(name + ": " + value + "\r\n", "headers"));
            }
        });
        out.write('\r');
        out.write('\n');
        return out.toByteArray();
    }

    /**
     * Adds values to a name.
     *
     * @param name printable ASCII without a colon
     * @param more the values, without line ends
     * @return this
     */
    public Headers add(String name, String... more) {
        checkName(name);
        List<String> known = values.computeIfAbsent(name, each -> new ArrayList<>(1));
        for (String value : more) {
            known.add(checkValue(value));
        }
        return this;
    }

    /**
     * Sets the values of a name in the place of those that it has.
     *
     * @param name printable ASCII without a colon
     * @param all the values, without line ends
     * @return this
     */
    public Headers put(String name, String... all) {
        checkName(name);
        List<String> fresh = new ArrayList<>(all.length);
        for (String value : all) {
            fresh.add(checkValue(value));
        }
        values.put(name, fresh);
        return this;
    }

    /**
     * Removes names with all their values.
     *
     * @param names which
     */
    public void remove(String... names) {
        checkWritable();
        for (String name : names) {
            values.remove(name);
        }
    }

    /**
     * Every value of a name.
     *
     * @param name which
     * @return the values in order, or null if there is none
     */
    public @Nullable List<String> get(String name) {
        List<String> found = values.get(Objects.requireNonNull(name, "name"));
        return found == null ? null : Collections.unmodifiableList(found);
    }

    /**
     * The first value of a name.
     *
     * @param name which
     * @return the value, or null if there is none
     */
    public @Nullable String getFirst(String name) {
        List<String> found = values.get(Objects.requireNonNull(name, "name"));
        return found == null || found.isEmpty() ? null : found.get(0);
    }

    /**
     * The last value of a name.
     *
     * @param name which
     * @return the value, or null if there is none
     */
    public @Nullable String getLast(String name) {
        List<String> found = values.get(Objects.requireNonNull(name, "name"));
        return found == null || found.isEmpty() ? null : found.get(found.size() - 1);
    }

    /**
     * Whether a name has a value.
     *
     * @param name which
     * @return true if it has
     */
    public boolean containsKey(String name) {
        return values.containsKey(Objects.requireNonNull(name, "name"));
    }

    /**
     * The names.
     *
     * @return in order, not to be changed
     */
    public Set<String> keySet() {
        return Collections.unmodifiableSet(values.keySet());
    }

    /**
     * Names and values.
     *
     * @return in order, not to be changed
     */
    public Set<Map.Entry<String, List<String>>> entrySet() {
        return Collections.unmodifiableMap(values).entrySet();
    }

    /**
     * How many names there are.
     *
     * @return the number
     */
    public int size() {
        return values.size();
    }

    /**
     * Whether there is none.
     *
     * @return true if so
     */
    public boolean isEmpty() {
        return values.isEmpty();
    }

    /**
     * The number of the status line of a message that came, such as 503.
     *
     * @return 0 if it has none
     */
    public int getStatus() {
        return status;
    }

    /**
     * What follows that number.
     *
     * @return empty if there is nothing
     */
    public String getDescription() {
        return description;
    }

    @Override
    public String toString() {
        return (status == 0 ? "" : status + " ") + values;
    }

    private void checkWritable() {
        if (readOnly) {
            throw new InvalidArgumentException("headers of a message that came cannot be changed");
        }
    }

    private void checkName(String name) {
        checkWritable();
        Objects.requireNonNull(name, "name");
        boolean isName = !name.isEmpty();
        for (int at = 0; at < name.length(); at++) {
            char letter = name.charAt(at);
            isName &= letter > ' ' && letter < 127 && letter != ':';
        }
        if (!isName) {
            throw new InvalidArgumentException("name: \"" + name + "\" is no name of a header");
        }
    }

    private static String checkValue(String value) {
        Objects.requireNonNull(value, "value");
        if (value.indexOf('\r') >= 0 || value.indexOf('\n') >= 0) {
            throw new InvalidArgumentException("value: a header's value has no line ends");
        }
        Texts.encode(value, "value");
        return value;
    }
}
