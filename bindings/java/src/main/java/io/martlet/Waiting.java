// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.MartletException;
import io.martlet.raw.Abi;
import io.martlet.raw.BatchReader;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Owns what the thread of a connection does with the completion that something waits for. */
interface Waiting {
    /** Takes a descriptor; answers whether it was the last. */
    boolean complete(BatchReader reader, int index);

    /** The connection ended without it. */
    void fail(MartletException reason);

    /** The failure that a descriptor tells. */
    static MartletException failure(BatchReader reader, int index) {
        String text = reader.dataText(index);
        int status = reader.status(index);
        return MartletException.of(status, text.isEmpty() ? sentence(status) : text);
    }

    /** The same of a request; it names what was asked for. */
    private static MartletException requestFailure(
            BatchReader reader, int index, String subject, Duration timeout) {
        int status = reader.status(index);
        switch (status) {
            case Abi.ERR_TIMEOUT:
                return MartletException.of(status,
                        "no answer to \"" + subject + "\" in " + timeout.toMillis() + " ms");
            case Abi.ERR_NO_RESPONDERS:
                return MartletException.of(status, "nobody listens to \"" + subject + "\"");
            default:
                return failure(reader, index);
        }
    }

    private static String sentence(int status) {
        switch (status) {
            case Abi.ERR_TIMEOUT:
                return "the time given has passed";
            case Abi.ERR_CLOSED:
                return "the connection is closed";
            case Abi.ERR_DISCONNECTED:
                return "the connection was lost meanwhile";
            default:
                return "failed with status " + status;
        }
    }

    /** A flush, or room in the outgoing buffer: done, or failed. */
    final class Done extends CompletableFuture<Boolean> implements Waiting {
        private final Object owner; // Is not collected, and so not closed, before it is done.

        Done(Object owner) {
            this.owner = owner;
        }

        @Override
        public boolean complete(BatchReader reader, int index) {
            if (reader.status(index) < 0) {
                completeExceptionally(failure(reader, index));
            } else {
                complete(Boolean.TRUE);
            }
            Reference.reachabilityFence(owner);
            return true;
        }

        @Override
        public void fail(MartletException reason) {
            completeExceptionally(reason);
        }
    }

    /** The first answer to a request. */
    final class Reply extends CompletableFuture<Message> implements Waiting {
        private final Connection connection;
        private final String subject;
        private final Duration timeout;

        Reply(Connection connection, String subject, Duration timeout) {
            this.connection = connection;
            this.subject = subject;
            this.timeout = timeout;
        }

        @Override
        public boolean complete(BatchReader reader, int index) {
            if (reader.status(index) < 0) {
                completeExceptionally(requestFailure(reader, index, subject, timeout));
            } else {
                complete(new Message(reader, index, connection, null));
            }
            return true;
        }

        @Override
        public void fail(MartletException reason) {
            completeExceptionally(reason);
        }
    }

    /** Several answers to a request: as many as came in time. */
    final class Replies extends CompletableFuture<List<Message>> implements Waiting {
        private final Connection connection;
        private final String subject;
        private final List<Message> messages = new ArrayList<>();

        Replies(Connection connection, String subject) {
            this.connection = connection;
            this.subject = subject;
        }

        @Override
        public boolean complete(BatchReader reader, int index) {
            int status = reader.status(index);
            if (status >= 0) {
                messages.add(new Message(reader, index, connection, null));
                if ((reader.flags(index) & Abi.FLAG_MORE_FOLLOWS) != 0) {
                    return false;
                }
            }
            if (status < 0 && status != Abi.ERR_TIMEOUT) {
                completeExceptionally(requestFailure(reader, index, subject, Duration.ZERO));
            } else {
                complete(messages);
            }
            return true;
        }

        @Override
        public void fail(MartletException reason) {
            completeExceptionally(reason);
        }
    }
}
