// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.InvalidArgumentException;
import io.martlet.errors.StateException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Owns one subscription of a connection. Those of {@link Connection#subscribe(String)} are asked
 * for their messages, by any number of threads, and live as long as the program holds them: who
 * drops one unsubscribes. Those of a {@link Dispatcher} live until they are unsubscribed. Since
 * 0.1.0.
 */
public final class Subscription implements AutoCloseable {
    private final SubscriptionCore core;
    private final Connection connection;
    private final @Nullable Dispatcher dispatcher;

    Subscription(SubscriptionCore core, Connection connection, @Nullable Dispatcher dispatcher) {
        this.core = core;
        this.connection = connection;
        this.dispatcher = dispatcher;
    }

    SubscriptionCore core() {
        return core;
    }

    /** The last of it has come, or will never. */
    void onEnd() {
        core.finish();
        Dispatcher known = dispatcher;
        if (known != null) {
            known.forget(this);
        }
    }

    /** Whether nobody wants its messages any more. */
    boolean isLeft() {
        return core.isLeft();
    }

    /**
     * Waits for the next message.
     *
     * @param timeout how long; zero only looks
     * @return the message, or null if none came in time
     * @throws InterruptedException if the thread was interrupted
     * @throws io.martlet.errors.ClosedException if the subscription has ended and all was read
     */
    public @Nullable Message nextMessage(Duration timeout) throws InterruptedException {
        checkAsked();
        Objects.requireNonNull(timeout, "timeout");
        Message message = timeout.isNegative() ? null : core.takeRead();
        return handOut(message != null ? message
                : core.next(Texts.nanoseconds(timeout, "timeout")));
    }

    /**
     * Waits for the next message.
     *
     * @param timeoutMillis how long; 0 waits without limit
     * @return the message, or null if none came in time
     * @throws InterruptedException if the thread was interrupted
     * @throws io.martlet.errors.ClosedException if the subscription has ended and all was read
     */
    public @Nullable Message nextMessage(long timeoutMillis) throws InterruptedException {
        checkAsked();
        if (timeoutMillis < 0) {
            throw new InvalidArgumentException("timeoutMillis is negative: " + timeoutMillis);
        }
        Message message = core.takeRead();
        return handOut(message != null ? message
                : core.next(timeoutMillis == 0 ? Long.MAX_VALUE
                                : TimeUnit.MILLISECONDS.toNanos(timeoutMillis)));
    }

    private @Nullable Message handOut(@Nullable Message message) {
        if (message != null) {
            message.cameTo(this);
        }
        return message;
    }

    private void checkAsked() {
        if (dispatcher != null) {
            throw new StateException(
                    "the messages of " + core.subject + " go to a dispatcher's handler");
        }
    }

    /**
     * Ends it now: no handler is called again. Who asks still gets what had come; {@link #close}
     * lets go of that too.
     *
     * @throws io.martlet.errors.ClosedException if it has ended
     */
    public void unsubscribe() {
        try {
            core.unsubscribe();
        } finally {
            leave();
        }
    }

    private void leave() {
        if (dispatcher != null) {
            dispatcher.forget(this);
        }
    }

    /**
     * Ends it by itself.
     *
     * @param after after how many messages, counted from its beginning
     * @return this
     * @throws io.martlet.errors.ClosedException if it has ended
     */
    public Subscription unsubscribe(long after) {
        core.autoUnsubscribe(after);
        return this;
    }

    /** Ends it now, and lets go of what is unread. May be called twice. */
    @Override
    public void close() {
        core.discard();
        leave();
    }

    /**
     * Ends it in order: what the server sent before it learned of the end still comes.
     *
     * @param timeout how long at most
     * @return completed with true when all was read, with false when the time was over before
     * @throws io.martlet.errors.ClosedException if it has ended
     */
    public CompletableFuture<Boolean> drain(Duration timeout) {
        long milliseconds = Texts.longMilliseconds(timeout, "timeout");
        core.drain();
        return core.ended.copy().completeOnTimeout(
                Boolean.FALSE, milliseconds, TimeUnit.MILLISECONDS);
    }

    /**
     * Whether messages may still come.
     *
     * @return false after its end
     */
    public boolean isActive() {
        return core.isActive();
    }

    /**
     * What it subscribes to.
     *
     * @return the subject or pattern
     */
    public String getSubject() {
        return core.subject;
    }

    /**
     * Its queue group.
     *
     * @return the name, or null if it is in none
     */
    public @Nullable String getQueueName() {
        return core.queueGroup.isEmpty() ? null : core.queueGroup;
    }

    /**
     * Its connection.
     *
     * @return the connection
     */
    public Connection getConnection() {
        return connection;
    }

    /**
     * Its dispatcher.
     *
     * @return the dispatcher, or null if it is asked for its messages
     */
    public @Nullable Dispatcher getDispatcher() {
        return dispatcher;
    }

    /**
     * Messages that wait unread.
     *
     * @return how many
     */
    public long getPendingMessageCount() {
        return core.pending()[0];
    }

    /**
     * Their bytes, with 64 for each message.
     *
     * @return how many
     */
    public long getPendingByteCount() {
        return core.pending()[1];
    }

    /**
     * Messages lost at the bound.
     *
     * @return how many
     */
    public long getDroppedCount() {
        return core.dropped();
    }

    /**
     * Messages that came, whatever became of them.
     *
     * @return how many
     */
    public long getDeliveredCount() {
        return core.delivered();
    }

    @Override
    public String toString() {
        return "Subscription[" + core.subject
                + (core.queueGroup.isEmpty() ? "" : ", " + core.queueGroup) + "]";
    }
}
