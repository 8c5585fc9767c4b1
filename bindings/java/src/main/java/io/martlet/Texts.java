// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.InvalidArgumentException;
import io.martlet.errors.OptionsException;
import io.martlet.raw.Raw;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Owns how Java's texts and times cross the border, and what is refused at it by name. */
final class Texts {
    private static final byte[] EMPTY = new byte[0];

    private Texts() {}

    /** UTF-8 of a text that has to be there; half a surrogate pair is refused. */
    static byte[] encode(@Nullable String text, String name) {
        Objects.requireNonNull(text, name);
        for (int at = 0; at < text.length(); at++) {
            if (Character.isSurrogate(text.charAt(at))) {
                at += checkPair(text, at, name);
            }
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static int checkPair(String text, int at, String name) {
        if (at + 1 < text.length()
                && Character.isSurrogatePair(text.charAt(at), text.charAt(at + 1))) {
            return 1;
        }
        throw new InvalidArgumentException(name + ": half a surrogate pair at index " + at
                + " is no text in UTF-8");
    }

    /** The same for a text that may be left out. */
    static byte[] encodeOptional(@Nullable String text, String name) {
        return text == null ? EMPTY : encode(text, name);
    }

    /** What a text handle says; frees it. */
    static String take(long handle) {
        try {
            return new String(Raw.martlet_text_get(handle, null), StandardCharsets.UTF_8);
        } finally {
            Raw.martlet_text_free(handle);
        }
    }

    /** Milliseconds as the C ABI takes them, rounded up; what is too long is the longest. */
    static int milliseconds(Duration timeout, String name) {
        return (int) Math.min(Integer.MAX_VALUE, longMilliseconds(timeout, name));
    }

    /** Milliseconds, rounded up. */
    static long longMilliseconds(Duration time, String name) {
        Objects.requireNonNull(time, name);
        if (time.isNegative()) {
            throw new InvalidArgumentException(name + " is negative: " + time);
        }
        return rounded(time);
    }

    /** The same of an option: what is wrong with one is told as its own kind of failure. */
    static long optionMilliseconds(Duration time, String name) {
        Objects.requireNonNull(time, name);
        if (time.isNegative()) {
            throw new OptionsException("option " + name + " is negative: " + time);
        }
        return rounded(time);
    }

    private static long rounded(Duration time) {
        if (time.getSeconds() > Long.MAX_VALUE / 1000 - 1) {
            return Long.MAX_VALUE;
        }
        return time.getSeconds() * 1000 + (time.getNano() + 999_999) / 1_000_000;
    }

    /** Nanoseconds for waiting; what is too long is the longest. */
    static long nanoseconds(Duration timeout, String name) {
        long milliseconds = longMilliseconds(timeout, name);
        return milliseconds > Long.MAX_VALUE / 1_000_000 ? Long.MAX_VALUE : timeout.toNanos();
    }
}
