// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.ClosedException;
import io.martlet.errors.DrainingException;
import io.martlet.errors.MartletException;
import io.martlet.errors.OptionsException;
import io.martlet.raw.Abi;
import io.martlet.raw.BatchReader;
import io.martlet.raw.Handle;
import io.martlet.raw.NativeLibrary;
import io.martlet.raw.Raw;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Owns what stands behind a connection: its handle, the queue that completions and events come
 * into, and the one thread that reads it. Holds no {@link Connection}, so that one which nobody
 * holds is collected, unless a dispatcher's thread has handlers for it. Any thread.
 */
final class ConnectionCore implements Runnable {
    static final int BUFFER_BYTES = 256 * 1024;
    private static final int DESCRIPTORS_AT_ONCE = 4096;
    private static final long EVENTS_COOKIE = 0;
    private static final int CALL_QUEUES_MAX = 4;

    final Handle queue;
    final Handle handle;
    final Events events;
    final Lead lead;
    /** Completed by the first connect, or by the reason why there is none. */
    final CompletableFuture<Boolean> connected = new CompletableFuture<>();
    /** Completed when everything was told and given back. */
    final CompletableFuture<Boolean> ended = new CompletableFuture<>();

    private final AtomicLong cookies = new AtomicLong(EVENTS_COOKIE);
    private final Map<Long, Waiting> waiting = new ConcurrentHashMap<>();
    private final Map<Long, SubscriptionCore> subscriptions = new ConcurrentHashMap<>();
    private final Set<DispatcherCore> dispatchers = ConcurrentHashMap.newKeySet();
    private final BlockingQueue<CallQueue> spareCallQueues =
            new ArrayBlockingQueue<>(CALL_QUEUES_MAX);
    private volatile @Nullable MartletException reason;
    private volatile @Nullable Thread pump;
    private volatile boolean draining;
    private volatile boolean over; // Who adds something after this ends it himself.

    ConnectionCore(Options options, @Nullable Server server) {
        if (server != null && options.hasServers()) {
            throw new OptionsException(
                    "option \"servers\": not for a connection inside the process");
        }
        NativeLibrary.load();
        events = new Events(options);
        long[] made = new long[1];
        Raw.martlet_queue_new(null, made);
        queue = new Handle(made[0], Raw::martlet_queue_free);
        long events = made[0];
        try {
            byte[] json = options.toJson();
            if (server == null) {
                Raw.martlet_connection_new(json, events, EVENTS_COOKIE, made);
            } else {
                server.call(address -> Raw.martlet_connection_new_in_process(address, json, events,
                        EVENTS_COOKIE, made));
            }
        } catch (RuntimeException failure) {
            queue.close();
            throw failure;
        }
        handle = new Handle(made[0], Raw::martlet_connection_free);
        lead = new Lead(queue);
    }

    /** Begins to connect: `connected` tells how it went. */
    void start() {
        Thread thread = new Thread(this, "martlet-connection");
        thread.setDaemon(true);
        pump = thread;
        thread.start();
        try {
            call(Raw::martlet_connection_start);
        } catch (RuntimeException failure) {
            closeQueue();
            throw failure;
        }
    }

    @Nullable Thread pump() {
        return pump;
    }

    long nextCookie() {
        return cookies.incrementAndGet();
    }

    /** Runs a call with the connection's handle. */
    <T> T call(LongFunction<T> body) {
        long address = handle.acquire();
        try {
            if (address == 0) {
                throw closed();
            }
            return body.apply(address);
        } finally {
            handle.release();
        }
    }

    /** What a call on a connection that has ended throws. */
    MartletException closed() {
        MartletException known = reason;
        return new ClosedException(known == null ? "the connection is closed"
                : "the connection is closed: " + known.getMessage());
    }

    /** Runs a call that answers with a completion, which `waiter` gets. */
    void begin(Waiting waiter, StartCall call) {
        long cookie = nextCookie();
        lead.expect();
        waiting.put(cookie, waiter);
        long target = queue.acquire();
        try {
            if (target == 0) {
                throw closed();
            }
            call.start(target, cookie);
            if (over && takeWaiting(cookie) != null) {
                waiter.fail(closed());
            }
        } catch (RuntimeException failure) {
            takeWaiting(cookie);
            throw failure;
        } finally {
            queue.release();
        }
    }

    private @Nullable Waiting takeWaiting(long cookie) {
        Waiting known = waiting.remove(cookie);
        if (known != null) {
            lead.met();
        }
        return known;
    }

    /**
     * Runs a call that answers with a completion, and waits for that: inside the library, if this
     * thread can, so that nobody has to hand it over.
     */
    <T, W extends CompletableFuture<T> & Waiting> T await(W waiter, StartCall call)
            throws InterruptedException {
        if (Thread.currentThread() == pump || !lead.tryEnterAsCaller()) {
            begin(waiter, call);
            return Blocking.get(waiter, pump);
        }
        CallQueue known = spareCallQueues.poll();
        CallQueue own = known == null ? new CallQueue() : known;
        try {
            own.await(waiter, nextCookie(), call);
        } finally {
            lead.leaveAsCaller();
            if (over || !waiter.isDone() || !spareCallQueues.offer(own)) {
                own.close(); // Also of a call that goes on: nobody is told of its end.
            }
            closeSpareWhenOver();
        }
        return Blocking.get(waiter, pump);
    }

    private void closeSpareWhenOver() {
        for (CallQueue spare; over && (spare = spareCallQueues.poll()) != null;) {
            spare.close();
        }
    }

    /** A call of the library that answers later, into a queue, with a cookie. */
    @FunctionalInterface
    interface StartCall {
        void start(long queue, long cookie);
    }

    /** Waits until the outgoing buffer has room for a message of this size. */
    void awaitRoom(long bytes) {
        if (!Blocking.isVirtual()) {
            call(address -> Raw.martlet_connection_wait_capacity(address, bytes, -1));
            return;
        }
        Waiting.Done room = new Waiting.Done(this);
        begin(room, (target, cookie) -> call(address ->
                Raw.martlet_connection_notify_capacity(address, bytes, target, cookie)));
        try {
            room.join();
        } catch (java.util.concurrent.CompletionException closed) {
            throw closed();
        }
    }

    // --- subscriptions and dispatchers ---

    /** Whether its thread has come to its end. */
    boolean isOver() {
        return over;
    }

    /** From now on nobody subscribes. */
    void setDraining() {
        draining = true;
    }

    void checkSubscribe() {
        if (draining) {
            throw new DrainingException("the connection drains: it takes no new subscriptions");
        }
    }

    void add(long cookie, SubscriptionCore subscription) {
        subscriptions.put(cookie, subscription);
        if (over) {
            subscription.onConnectionEnd();
        }
    }

    void forget(long cookie) {
        subscriptions.remove(cookie);
    }

    Iterable<SubscriptionCore> subscriptions() {
        return subscriptions.values();
    }

    void add(DispatcherCore dispatcher) {
        dispatchers.add(dispatcher);
        if (over) {
            dispatcher.close();
        }
    }

    void forget(DispatcherCore dispatcher) {
        dispatchers.remove(dispatcher);
    }

    Iterable<DispatcherCore> dispatchers() {
        return dispatchers;
    }

    /** Whether this thread does the connection's work, so that it cannot wait for it. */
    boolean isOwnThread() {
        Thread current = Thread.currentThread();
        if (current == pump || Events.isListenerThread()) {
            return true;
        }
        for (DispatcherCore dispatcher : dispatchers) {
            if (dispatcher.isCurrent()) {
                return true;
            }
        }
        return false;
    }

    // --- the end ---

    /** Closes at once: what callbacks have not seen is let go. */
    void close() {
        for (DispatcherCore dispatcher : dispatchers) {
            dispatcher.discard();
        }
        long address = handle.acquire();
        try {
            if (address != 0) {
                Raw.martlet_connection_close(address);
            }
        } finally {
            handle.release();
        }
    }

    private void closeQueue() {
        long address = queue.acquire();
        try {
            if (address != 0) {
                Raw.martlet_queue_close(address);
            }
        } finally {
            queue.release();
        }
    }

    // --- the thread ---

    @Override
    public void run() {
        long address = queue.acquire();
        BatchReader reader = BatchReader.take(BUFFER_BYTES);
        try {
            int count = address == 0 ? -1 : 0;
            for (; count >= 0; count = lead.pollAsPump(reader, address, DESCRIPTORS_AT_ONCE)) {
                for (int index = 0; index < count; index++) {
                    dispatch(reader, index);
                }
            }
        } catch (Throwable failure) {
            events.exception(failure);
            close();
        } finally {
            reader.giveBack();
            queue.release();
            end();
        }
    }

    private void dispatch(BatchReader reader, int index) {
        try {
            int kind = reader.kind(index);
            long cookie = reader.cookie(index);
            if (kind == Abi.KIND_READY) {
                SubscriptionCore subscription = subscriptions.get(cookie);
                if (subscription != null) {
                    subscription.onReady();
                }
            } else if (cookie != EVENTS_COOKIE) {
                complete(reader, index, cookie);
            } else {
                onEvent(kind, reader.status(index), reader.dataText(index));
            }
        } catch (Throwable failure) {
            events.exception(failure);
        }
    }

    private void complete(BatchReader reader, int index, long cookie) {
        Waiting waiter = waiting.get(cookie);
        if (waiter != null && waiter.complete(reader, index)) {
            takeWaiting(cookie);
        }
    }

    private void onEvent(int kind, int status, String text) {
        if (kind == Abi.KIND_CONNECTED) {
            connected.complete(Boolean.TRUE);
        } else if (kind == Abi.KIND_CLOSED) {
            reason = status < 0 ? MartletException.of(status, text) : null;
            closeQueue();
        }
        events.tell(kind, status, text);
    }

    private void end() {
        over = true;
        for (DispatcherCore dispatcher : dispatchers) {
            dispatcher.close();
        }
        for (SubscriptionCore subscription : subscriptions.values()) {
            subscription.onConnectionEnd();
        }
        handle.close();
        queue.close();
        lead.close();
        closeSpareWhenOver();
        tellTheEnd();
    }

    /** The last that this thread does: what programs have tied to these futures runs here. */
    private void tellTheEnd() {
        for (Long cookie : waiting.keySet()) {
            Waiting waiter = takeWaiting(cookie);
            if (waiter != null) {
                waiter.fail(closed());
            }
        }
        MartletException known = reason;
        connected.completeExceptionally(known == null ? closed() : known);
        ended.complete(Boolean.TRUE);
    }
}
