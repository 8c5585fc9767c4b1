// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.raw.Abi;
import io.martlet.raw.BatchReader;
import io.martlet.raw.Handle;
import io.martlet.raw.Raw;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Owns what stands behind a dispatcher: one queue for all of its subscriptions, and the one thread
 * that reads it and calls the handlers. The thread begins with the first subscription.
 */
final class DispatcherCore implements Runnable {
    private static final int BUFFER_BYTES = 1024 * 1024;
    private static final int MESSAGES_AT_ONCE = 8192;

    final Handle queue;
    /** Completed when its thread has ended. */
    final CompletableFuture<Boolean> ended = new CompletableFuture<>();
    private final ConnectionCore connection;
    private final Map<Long, Handler> handlers = new ConcurrentHashMap<>();
    private @Nullable Thread thread; // GUARDED_BY this
    private boolean closed; // GUARDED_BY this
    private volatile boolean discarding;

    /** A subscription, and who takes its messages. The thread keeps both, and so the connection. */
    record Handler(MessageHandler handler, Subscription subscription) {}

    DispatcherCore(ConnectionCore connection) {
        this.connection = connection;
        long[] made = new long[1];
        Raw.martlet_queue_new(SubscriptionCore.UNBOUNDED, made);
        queue = new Handle(made[0], Raw::martlet_queue_free);
        connection.add(this);
    }

    void add(long cookie, Handler handler) {
        handlers.put(cookie, handler);
        start();
    }

    void forget(long cookie) {
        handlers.remove(cookie);
    }

    Iterable<Handler> handlers() {
        return handlers.values();
    }

    private synchronized void start() {
        if (thread == null && !closed) {
            thread = Blocking.start("martlet-dispatcher", this);
        }
    }

    synchronized boolean isCurrent() {
        return thread == Thread.currentThread();
    }

    /** Lets go of what was not handed to handlers yet. */
    void discard() {
        discarding = true;
    }

    /** Ends it after what has come. */
    void close() {
        boolean never;
        synchronized (this) {
            never = thread == null;
            closed = true;
        }
        long address = queue.acquire();
        try {
            if (address != 0) {
                Raw.martlet_queue_close(address);
            }
        } finally {
            queue.release();
        }
        if (never) {
            end();
        }
    }

    @Override
    public void run() {
        long address = queue.acquire();
        BatchReader reader = BatchReader.take(BUFFER_BYTES);
        try {
            int count = address == 0 ? -1 : 0;
            while (count >= 0) {
                dispatch(reader, count);
                count = await(reader, address);
            }
        } catch (Throwable failure) {
            connection.events.exception(failure);
        } finally {
            reader.giveBack();
            queue.release();
            end();
        }
    }

    private int await(BatchReader reader, long address) {
        connection.lead.enter();
        try {
            return reader.poll(address, MESSAGES_AT_ONCE, -1);
        } finally {
            connection.lead.leave();
        }
    }

    private void dispatch(BatchReader reader, int count) {
        long lastCookie = -1;
        Handler last = null;
        for (int index = 0; index < count; index++) {
            long cookie = reader.cookie(index);
            if (cookie != lastCookie) {
                last = handlers.get(cookie);
                lastCookie = cookie;
            }
            if (last == null) {
                continue;
            }
            switch (reader.kind(index)) {
                case Abi.KIND_MESSAGE -> hand(last, reader, index);
                case Abi.KIND_SUBSCRIPTION_END -> last.subscription().onEnd();
                case Abi.KIND_SLOW_CONSUMER ->
                    connection.events.slowConsumer(reader.dataText(index));
                default -> { } // A newer library's.
            }
        }
    }

    private void hand(Handler handler, BatchReader reader, int index) {
        if (discarding || handler.subscription().isLeft()) {
            return;
        }
        try {
            handler.handler().onMessage(new Message(reader, index,
                    handler.subscription().getConnection(), handler.subscription()));
        } catch (Throwable failure) {
            connection.events.exception(failure);
        }
    }

    private void end() {
        connection.forget(this);
        for (Handler handler : handlers.values()) {
            handler.subscription().onEnd();
        }
        handlers.clear();
        queue.close();
        ended.complete(Boolean.TRUE);
    }
}
