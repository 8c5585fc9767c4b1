// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.util.Map;

/** Owns what a broker counts, as it was at one moment. Since 0.1.0. */
public final class ServerStatistics {
    private final Counted numbers;

    ServerStatistics(Map<String, Object> values) {
        numbers = new Counted(values);
    }

    /**
     * Clients that are connected.
     *
     * @return how many
     */
    public long getConnections() {
        return numbers.number("connections");
    }

    /**
     * Subscriptions of all clients.
     *
     * @return how many
     */
    public long getSubscriptions() {
        return numbers.number("subscriptions");
    }

    /**
     * Messages that clients published.
     *
     * @return how many
     */
    public long getInMsgs() {
        return numbers.number("in_msgs");
    }

    /**
     * Messages that were sent to clients.
     *
     * @return how many
     */
    public long getOutMsgs() {
        return numbers.number("out_msgs");
    }

    /**
     * Bytes that clients published.
     *
     * @return how many
     */
    public long getInBytes() {
        return numbers.number("in_bytes");
    }

    /**
     * Bytes that were sent to clients.
     *
     * @return how many
     */
    public long getOutBytes() {
        return numbers.number("out_bytes");
    }

    /**
     * Clients that were closed because they read too slowly.
     *
     * @return how many
     */
    public long getSlowConsumers() {
        return numbers.number("slow_consumers");
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
