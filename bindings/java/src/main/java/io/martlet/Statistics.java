// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.util.Map;

/** Owns what a connection counts and knows, as it was at one moment. Since 0.1.0. */
public final class Statistics {
    private final Counted numbers;

    Statistics(Map<String, Object> values) {
        numbers = new Counted(values);
    }

    /**
     * Messages that came.
     *
     * @return how many
     */
    public long getInMsgs() {
        return numbers.number("in_msgs");
    }

    /**
     * Messages that were published.
     *
     * @return how many
     */
    public long getOutMsgs() {
        return numbers.number("out_msgs");
    }

    /**
     * Their bytes, those that came.
     *
     * @return how many
     */
    public long getInBytes() {
        return numbers.number("in_bytes");
    }

    /**
     * Their bytes, those that were published.
     *
     * @return how many
     */
    public long getOutBytes() {
        return numbers.number("out_bytes");
    }

    /**
     * How often it connected again.
     *
     * @return how often
     */
    public long getReconnects() {
        return numbers.number("reconnects");
    }

    /**
     * Published, and not written yet.
     *
     * @return how many bytes
     */
    public long getPendingBytes() {
        return numbers.number("pending_bytes");
    }

    /**
     * Subscriptions that it has.
     *
     * @return how many
     */
    public long getSubscriptions() {
        return numbers.number("subscriptions");
    }

    /**
     * Everything by its name in the library, also what is newer than this class.
     *
     * @return numbers are Long or Double
     */
    public Map<String, Object> asMap() {
        return numbers.values();
    }

    @Override
    public String toString() {
        return numbers.values().toString();
    }
}
