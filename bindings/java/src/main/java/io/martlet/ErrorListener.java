// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.MartletException;

/** Owns nothing: what hears of failures that no call returns. Every method may be left out. */
public interface ErrorListener {
    /**
     * The server said -ERR.
     *
     * @param connection which connection
     * @param error its sentence
     */
    default void errorOccurred(Connection connection, String error) {}

    /**
     * The same with its status: who has this one is not told by the other.
     *
     * @param connection which connection
     * @param error the exception that stands for the status, such as {@link
     *     io.martlet.errors.PermissionsException}
     */
    default void errorOccurred(Connection connection, MartletException error) {
        errorOccurred(connection, String.valueOf(error.getMessage()));
    }

    /**
     * A handler or listener threw something, or the connection was lost for a reason.
     *
     * @param connection which connection
     * @param exception what was thrown, or a {@link MartletException}
     */
    default void exceptionOccurred(Connection connection, Exception exception) {}

    /**
     * A subscription reached its bound, once until its backlog is halved; or it keeps the
     * connection from being read.
     *
     * @param connection which connection
     * @param text a sentence that says which, and how much was lost
     */
    default void slowConsumerDetected(Connection connection, String text) {}
}
