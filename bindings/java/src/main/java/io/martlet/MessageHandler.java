// SPDX-License-Identifier: Apache-2.0
package io.martlet;

/** Owns nothing: what a {@link Dispatcher} calls with each message, one after the other. */
@FunctionalInterface
public interface MessageHandler {
    /**
     * Takes a message. It runs on the dispatcher's thread and may call anything, also what waits.
     * What it throws is told to the {@link ErrorListener}; the next message comes nevertheless.
     *
     * @param message the message
     * @throws Exception whatever went wrong
     */
    void onMessage(Message message) throws Exception;
}
