// SPDX-License-Identifier: Apache-2.0
package io.martlet;

/** Owns nothing: what hears of a connection's fate. */
@FunctionalInterface
public interface ConnectionListener {
    /** What may happen to a connection. */
    enum Events {
        /** The first connect. */
        CONNECTED,
        /** The connection was lost. */
        DISCONNECTED,
        /** Connected again, with all subscriptions. */
        RECONNECTED,
        /** An attempt to connect again begins. */
        RECONNECTING,
        /** The last event of a connection. */
        CLOSED,
        /** The server told of more servers. */
        DISCOVERED_SERVERS,
        /** The server will stop soon. */
        LAME_DUCK
    }

    /**
     * Hears of an event, on a thread that is there for this alone.
     *
     * @param connection which one
     * @param type what happened
     */
    void connectionEvent(Connection connection, Events type);
}
