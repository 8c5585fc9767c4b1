// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.ClosedException;
import io.martlet.errors.StateException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Owns callbacks: messages of any number of subscriptions are handed to their handlers one after
 * the other, on one thread. Handlers may call anything, and may wait. While it has subscriptions
 * its connection stays, also if nobody holds it. Made by {@link Connection#createDispatcher()}.
 * Since 0.1.0.
 */
public final class Dispatcher {
    private final Connection connection;
    private final @Nullable MessageHandler usual;
    private final DispatcherCore core;
    private volatile boolean closed;

    Dispatcher(Connection connection, @Nullable MessageHandler usual) {
        this.connection = connection;
        this.usual = usual;
        core = new DispatcherCore(connection.core());
        Reclaimer.register(this, core::close);
    }

    DispatcherCore core() {
        return core;
    }

    /**
     * Subscribes; the dispatcher's own handler takes the messages.
     *
     * @param subject a subject, or a pattern with * and &gt;
     * @return this
     */
    public Dispatcher subscribe(String subject) {
        subscribe(subject, null, ownHandler(), SubscribeOptions.DEFAULT);
        return this;
    }

    /**
     * Subscribes as a member of a queue group; the dispatcher's own handler takes the messages.
     *
     * @param subject a subject, or a pattern with * and &gt;
     * @param queue the group: each message goes to one of its members
     * @return this
     */
    public Dispatcher subscribe(String subject, String queue) {
        subscribe(subject, Objects.requireNonNull(queue, "queue"), ownHandler(),
                SubscribeOptions.DEFAULT);
        return this;
    }

    /**
     * Subscribes.
     *
     * @param subject a subject, or a pattern with * and &gt;
     * @param handler takes the messages
     * @return the subscription
     */
    public Subscription subscribe(String subject, MessageHandler handler) {
        return subscribe(subject, null, handler, SubscribeOptions.DEFAULT);
    }

    /**
     * Subscribes as a member of a queue group.
     *
     * @param subject a subject, or a pattern with * and &gt;
     * @param queue the group: each message goes to one of its members
     * @param handler takes the messages
     * @return the subscription
     */
    public Subscription subscribe(String subject, String queue, MessageHandler handler) {
        return subscribe(
                subject, Objects.requireNonNull(queue, "queue"), handler, SubscribeOptions.DEFAULT);
    }

    /**
     * Subscribes.
     *
     * @param subject a subject, or a pattern with * and &gt;
     * @param queue the queue group, or null
     * @param handler takes the messages
     * @param options bounds, and what happens at them
     * @return the subscription
     */
    public Subscription subscribe(String subject, @Nullable String queue, MessageHandler handler,
            SubscribeOptions options) {
        Objects.requireNonNull(subject, "subject");
        Objects.requireNonNull(handler, "handler");
        Objects.requireNonNull(options, "options");
        if (closed) {
            throw new ClosedException("the dispatcher is closed");
        }
        SubscriptionCore made = SubscriptionCore.ofDispatcher(connection.core(), subject,
                queue == null ? "" : queue);
        Subscription subscription = new Subscription(made, connection, this);
        core.add(made.cookie, new DispatcherCore.Handler(handler, subscription));
        try {
            made.begin(core.queue, options);
        } catch (RuntimeException failure) {
            forget(subscription);
            throw failure;
        }
        return subscription;
    }

    private MessageHandler ownHandler() {
        if (usual == null) {
            throw new StateException("the dispatcher was made without a handler: name one");
        }
        return usual;
    }

    /**
     * Ends every subscription to a subject now.
     *
     * @param subject as it was subscribed
     * @return this
     */
    public Dispatcher unsubscribe(String subject) {
        Objects.requireNonNull(subject, "subject");
        for (Subscription each : subscriptions()) {
            if (each.getSubject().equals(subject)) {
                each.close();
            }
        }
        return this;
    }

    /**
     * Ends every subscription to a subject by itself.
     *
     * @param subject as it was subscribed
     * @param after after how many messages, counted from its beginning
     * @return this
     */
    public Dispatcher unsubscribe(String subject, long after) {
        Objects.requireNonNull(subject, "subject");
        for (Subscription each : subscriptions()) {
            if (each.getSubject().equals(subject)) {
                each.unsubscribe(after);
            }
        }
        return this;
    }

    /**
     * Ends a subscription now.
     *
     * @param subscription one of this dispatcher's
     * @return this
     */
    public Dispatcher unsubscribe(Subscription subscription) {
        Objects.requireNonNull(subscription, "subscription");
        if (subscription.getDispatcher() != this) {
            throw new StateException("the subscription is another dispatcher's");
        }
        subscription.unsubscribe();
        return this;
    }

    /**
     * Ends every subscription in order: what was sent before still comes to the handlers.
     *
     * @param timeout how long at most
     * @return completed with true when all was handed over, with false when the time was over
     *         before
     */
    public CompletableFuture<Boolean> drain(Duration timeout) {
        long milliseconds = Texts.longMilliseconds(timeout, "timeout");
        List<CompletableFuture<Boolean>> ends = new ArrayList<>();
        for (Subscription each : subscriptions()) {
            ends.add(each.core().ended);
            try {
                each.core().drain();
            } catch (ClosedException known) {
                // It has ended already.
            }
        }
        return CompletableFuture.allOf(ends.toArray(new CompletableFuture<?>[0]))
                .thenApply(all -> Boolean.TRUE)
                .completeOnTimeout(Boolean.FALSE, milliseconds, TimeUnit.MILLISECONDS);
    }

    /**
     * Whether it takes subscriptions.
     *
     * @return false after its end, and its connection's
     */
    public boolean isActive() {
        return !closed && !core.ended.isDone();
    }

    /** Ends every subscription, and the thread. */
    void close() {
        closed = true;
        for (Subscription each : subscriptions()) {
            each.close();
        }
        core.close();
    }

    private List<Subscription> subscriptions() {
        List<Subscription> found = new ArrayList<>();
        for (DispatcherCore.Handler handler : core.handlers()) {
            found.add(handler.subscription());
        }
        return found;
    }

    void forget(Subscription subscription) {
        core.forget(subscription.core().cookie);
    }
}
