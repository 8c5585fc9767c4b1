// SPDX-License-Identifier: Apache-2.0
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Owns what is known of one symbol at one moment. Immutable.
 *
 * @param symbol such as ACME or BRK.B
 * @param price as it was given, with its digits
 * @param sequence 1 for the first price of the symbol, and one more for each further one
 * @param time when the price was given
 */
record Quote(String symbol, BigDecimal price, long sequence, Instant time) {
    static final String SYMBOL = "[A-Z0-9]{1,12}(?:[.-][A-Z0-9]{1,4}){0,2}";

    private static final Pattern LINE =
            Pattern.compile("\\s*(" + SYMBOL + ")\\s+(-?[0-9]{1,12}(?:\\.[0-9]{1,8})?)\\s*");

    /** A line of a feed, read. */
    record Line(String symbol, BigDecimal price) {
        /**
         * Reads a line.
         *
         * @throws IllegalArgumentException if it is no symbol and price: the text says what it is
         */
        static Line of(String text) {
            Matcher found = LINE.matcher(text);
            if (!found.matches()) {
                throw new IllegalArgumentException("no symbol and price: " + shown(text));
            }
            return new Line(found.group(1), new BigDecimal(found.group(2)));
        }
    }

    /** As clients read it. No character of it needs escaping: the patterns above let none pass. */
    byte[] toJson() {
        String text = "{\"symbol\":\"" + symbol + "\",\"price\":\"" + price.toPlainString()
                + "\",\"sequence\":" + sequence + ",\"time\":\"" + time + "\"}";
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** The beginning of what somebody sent, fit for a log. */
    static String shown(String text) {
        String plain = text.replaceAll("[^\\x20-\\x7e]", "?");
        return plain.length() <= 60 ? plain : plain.substring(0, 60) + "...";
    }
}
