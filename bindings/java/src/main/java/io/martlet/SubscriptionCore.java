// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.ClosedException;
import io.martlet.errors.MartletException;
import io.martlet.raw.Abi;
import io.martlet.raw.BatchReader;
import io.martlet.raw.Handle;
import io.martlet.raw.Raw;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Owns what stands behind a subscription: its handle, and, if it is asked for messages, the queue
 * that they wait in. Who asks reads that queue himself, and waits inside the library when it is
 * empty; who has no room there (see {@link Lead}) sleeps on a condition, and the connection's
 * thread, which the library tells of the next message, wakes him. So a thousand subscriptions need
 * no thread. Any thread.
 */
final class SubscriptionCore {
    private static final int MESSAGES_AT_ONCE = 512;
    private static final int SHARE_AT_ONCE = 8;
    private static final int WAIT_BYTES = 32 * 1024;

    final ConnectionCore connection;
    final long cookie;
    final String subject;
    final String queueGroup;
    /** Completed when it has ended and nothing of it waits any more. */
    final CompletableFuture<Boolean> ended = new CompletableFuture<>();

    private final @Nullable Handle queue; // None: a dispatcher's queue gets its messages.
    private volatile @Nullable Handle handle;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    /**
     * Changed under lock, taken from without. These do not hold the subscription: one that nobody
     * holds is collected.
     */
    private volatile ReadMessages read = new ReadMessages(0);
    private int atOnce = MESSAGES_AT_ONCE; // GUARDED_BY lock
    private boolean awaited; // GUARDED_BY lock; the library was asked to tell of the next one.
    // These two are changed under lock.
    private volatile boolean endSeen;
    private volatile boolean ending; // Its end is waited for, whether it is asked or not.
    private boolean readInside; // GUARDED_BY lock; somebody waits in the library with our queue.
    private volatile boolean left;
    private volatile boolean finished;
    private volatile long dropped;
    private volatile long delivered;

    /** For a subscription that is asked. */
    SubscriptionCore(ConnectionCore connection, String subject, String queueGroup) {
        this(connection, subject, queueGroup, newQueue());
    }

    private SubscriptionCore(ConnectionCore connection, String subject, String queueGroup,
            @Nullable Handle queue) {
        this.connection = connection;
        this.subject = subject;
        this.queueGroup = queueGroup;
        this.queue = queue;
        cookie = connection.nextCookie();
    }

    /** For one whose messages a dispatcher gets. */
    static SubscriptionCore ofDispatcher(
            ConnectionCore connection, String subject, String queueGroup) {
        return new SubscriptionCore(connection, subject, queueGroup, null);
    }

    /** Its bounds are the subscription's: the queue itself has none. */
    private static Handle newQueue() {
        long[] made = new long[1];
        Raw.martlet_queue_new(UNBOUNDED, made);
        return new Handle(made[0], Raw::martlet_queue_free);
    }

    static final byte[] UNBOUNDED = Texts.encode("{\"messages_max\":" + Long.MAX_VALUE
            + ",\"bytes_max\":" + Long.MAX_VALUE + "}", "options");

    /** Subscribes; messages go to `target`, or to the queue of its own. */
    void begin(@Nullable Handle target, SubscribeOptions options) {
        connection.checkSubscribe();
        Handle to = target == null ? queue : target;
        long address = to == null ? 0 : to.acquire();
        try {
            if (to == null || address == 0) {
                throw connection.closed();
            }
            make(address, options);
            if (options.getMaxMessages() > 0) {
                autoUnsubscribe(options.getMaxMessages());
            }
        } catch (RuntimeException failure) {
            giveBack();
            throw failure;
        } finally {
            if (to != null) {
                to.release();
            }
        }
        connection.add(cookie, this);
        if (finished) {
            connection.forget(cookie); // Its few messages have come already.
        }
    }

    /** Its first message may be handed over meanwhile: a handler's calls wait for the handle. */
    private void make(long queueAddress, SubscribeOptions options) {
        byte[] subjectBytes = Texts.encode(subject, "subject");
        byte[] groupBytes = Texts.encode(queueGroup, "queue");
        long[] made = new long[1];
        lock.lock();
        try {
            connection.call(self -> Raw.martlet_subscription_new(self, subjectBytes, groupBytes,
                    options.toJson(), queueAddress, cookie, made));
            handle = new Handle(made[0], Raw::martlet_subscription_free);
            atOnce = atOnce(options.getPendingMessageLimit());
        } finally {
            lock.unlock();
        }
    }

    /** What was taken over has left the bound: of a small one only a small share is taken. */
    private static int atOnce(long bound) {
        return bound == 0 ? MESSAGES_AT_ONCE
                : (int) Math.max(1, Math.min(bound / SHARE_AT_ONCE, MESSAGES_AT_ONCE));
    }

    private @Nullable Handle madeHandle() {
        Handle known = handle;
        if (known != null) {
            return known;
        }
        lock.lock();
        try {
            return handle;
        } finally {
            lock.unlock();
        }
    }

    // --- asking ---

    /** The next message, if it was read already; null otherwise. */
    @Nullable Message takeRead() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (endSeen || ending) {
            return null; // With the last one more comes to its end: not here.
        }
        Message message = read.take();
        if (message != null && (endSeen || ending)) {
            afterLast(); // Who has begun to end it may have found this one unread.
        }
        return message;
    }

    private void afterLast() {
        lock.lock();
        try {
            if (read.isEmpty()) {
                lookForEnd();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The next message; null when none comes in time. */
    @Nullable Message next(long timeoutNs) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long remaining = timeoutNs;
            while (true) {
                boolean isInside = read.isEmpty() && !endSeen && remaining > 0 && tryEnter();
                if (isInside) {
                    remaining = readInside(remaining);
                }
                Message message = tryTake();
                if (message != null) {
                    return message;
                }
                if (endSeen) {
                    throw endedNow();
                }
                if (remaining <= 0) {
                    return null;
                }
                if (!isInside) {
                    remaining = awaitWord(remaining);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    // Under the lock.
    private boolean tryEnter() {
        return !readInside && connection.pump() != Thread.currentThread()
                && connection.lead.tryEnterAsCaller();
    }

    // Under the lock, which is not held meanwhile. How much of the time is left.
    private long awaitWord(long remainingNs) throws InterruptedException {
        // Who reads inside wakes the others when he comes back.
        if (!readInside && !awaitNext()) {
            return remainingNs;
        }
        if (connection.pump() == Thread.currentThread()) {
            throw new io.martlet.errors.InCallbackException("this call waits for a message"
                    + " that its own thread has to hand over");
        }
        return arrived.awaitNanos(remainingNs);
    }

    // Under the lock, which is not held meanwhile: waits in the library, where nobody else has to
    // hand over what comes.
    private long readInside(long remainingNs) throws InterruptedException {
        Handle from = queue;
        long address = from == null ? 0 : from.acquire();
        long begun = System.nanoTime();
        BatchReader reader = BatchReader.take(WAIT_BYTES);
        readInside = true;
        try {
            if (from == null || address == 0) {
                endSeen = true;
                return remainingNs;
            }
            int count = pollUnlocked(new WaitInside(from), reader, address, remainingNs);
            if (!endSeen) { // Else it was closed meanwhile.
                takeAll(reader, count);
            }
        } finally {
            readInside = false;
            reader.giveBack();
            if (from != null) {
                from.release();
            }
            connection.lead.leaveAsCaller();
            leaveInside();
        }
        if (read.isEmpty() && Thread.interrupted()) {
            throw new InterruptedException();
        }
        return remainingNs - (System.nanoTime() - begun);
    }

    private int pollUnlocked(WaitInside wait, BatchReader reader, long address, long remainingNs) {
        long milliseconds = TimeUnit.NANOSECONDS.toMillis(remainingNs - 1) + 1;
        int atMost = atOnce;
        lock.unlock();
        try {
            return wait.poll(() -> reader.pollIfFits(
                    address, atMost, (int) Math.min(milliseconds, Integer.MAX_VALUE)));
        } finally {
            lock.lock();
        }
    }

    // Under the lock: what others could not do meanwhile.
    private void leaveInside() {
        if (ending && read.isEmpty()) {
            lookForEnd();
        }
        arrived.signalAll();
    }

    private ClosedException endedNow() {
        return new ClosedException("the subscription to " + subject + " has ended");
    }

    // Under the lock.
    private @Nullable Message tryTake() {
        Message message = read.take();
        if (message == null && fill()) {
            message = read.take();
        }
        if (ending && read.isEmpty() && !endSeen) {
            lookForEnd();
        }
        if (endSeen && read.isEmpty()) {
            finish();
        }
        return message;
    }

    // Under the lock: the end is looked for also when nobody asks.
    private void lookForEnd() {
        while (read.isEmpty() && fill()) {
            // It was no message: a word of lost ones, or the end.
        }
        if (read.isEmpty() && !endSeen && !readInside) {
            awaitNext();
        }
        if (endSeen && read.isEmpty()) {
            finish();
        }
    }

    // Under the lock: reads what waits in the library. Whether anything came.
    private boolean fill() {
        Handle from = queue;
        if (endSeen || readInside || from == null) {
            return false;
        }
        long address = from.acquire();
        if (address == 0) {
            from.release();
            endSeen = true;
            return false;
        }
        BatchReader reader = BatchReader.take(ConnectionCore.BUFFER_BYTES);
        try {
            int count = reader.poll(address, atOnce, 0);
            takeAll(reader, count);
            return count > 0;
        } finally {
            reader.giveBack();
            from.release();
        }
    }

    // Under the lock, when all that was read has been taken.
    private void takeAll(BatchReader reader, int count) {
        if (count <= 0) {
            endSeen |= count < 0;
            return;
        }
        ReadMessages fresh = new ReadMessages(count);
        boolean isEnd = false;
        for (int index = 0; index < count; index++) {
            switch (reader.kind(index)) {
                case Abi.KIND_MESSAGE -> fresh.add(new Message(reader, index, null, null));
                case Abi.KIND_SUBSCRIPTION_END -> isEnd = true;
                case Abi.KIND_SLOW_CONSUMER ->
                    connection.events.slowConsumer(reader.dataText(index));
                default -> { } // A newer library's.
            }
        }
        endSeen |= isEnd; // Before the others may take what came with it.
        read = fresh;
    }

    // Under the lock: asks the library to tell of the next one. False when it has ended meanwhile.
    private boolean awaitNext() {
        Handle from = queue;
        if (awaited || from == null) {
            return true;
        }
        long address = from.acquire();
        long target = connection.queue.acquire();
        try {
            if (address == 0 || target == 0) {
                fill(); // What is left; then comes the end.
                endSeen |= read.isEmpty();
                return false;
            }
            connection.lead.expect();
            awaited = true;
            try {
                Raw.martlet_queue_notify_ready(address, target, cookie);
            } catch (RuntimeException failure) {
                forgetWord(); // It has not been asked for.
                throw failure;
            }
            return true;
        } finally {
            connection.queue.release();
            from.release();
        }
    }

    /** The connection's thread: something is there. */
    void onReady() {
        lock.lock();
        try {
            forgetWord();
            if (ending && read.isEmpty()) {
                lookForEnd();
            }
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // Under the lock.
    private void forgetWord() {
        if (awaited) {
            awaited = false;
            connection.lead.met();
        }
    }

    // --- its end ---

    /** Ends it now: no handler is called again; who asks still gets what had come. */
    void unsubscribe() {
        left = true;
        try {
            callNative(Raw::martlet_subscription_unsubscribe);
        } finally {
            if (queue == null) {
                finish();
            } else {
                beginToEnd();
            }
        }
    }

    /** Ends it now, if it has not ended, and lets go of what waits. */
    void discard() {
        left = true;
        tryCallNative(Raw::martlet_subscription_unsubscribe);
        lock.lock();
        try {
            read.clear();
            endSeen = true;
            finish();
        } finally {
            lock.unlock();
        }
    }

    void autoUnsubscribe(long messages) {
        callNative(self -> Raw.martlet_subscription_auto_unsubscribe(self, messages));
    }

    /** Ends it in order: `ended` tells when everything was read. */
    void drain() {
        callNative(Raw::martlet_subscription_drain);
        beginToEnd();
    }

    private void beginToEnd() {
        lock.lock();
        try {
            ending = true;
            if (read.isEmpty()) {
                lookForEnd();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The last of it was read: everything goes back to the library. */
    void finish() {
        rememberCounts();
        finished = true;
        giveBack();
        connection.forget(cookie);
        ended.completeAsync(
                () -> Boolean.TRUE); // Whoever waits for it does not run under the lock.
        lock.lock();
        try {
            endSeen = true;
            forgetWord();
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void giveBack() {
        Handle known = handle;
        if (known != null) {
            known.close();
        }
        if (queue != null) {
            Nudge.send(queue); // Somebody may wait there.
            queue.close();
        }
    }

    /** The connection has ended: what waits can still be read. */
    void onConnectionEnd() {
        Handle from = queue;
        if (from == null) {
            return; // Its dispatcher tells.
        }
        long address = from.acquire();
        try {
            if (address != 0) {
                Raw.martlet_queue_close(address);
            }
        } finally {
            from.release();
        }
        lock.lock();
        try {
            if (ending && read.isEmpty()) {
                lookForEnd();
            }
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whether nobody wants messages of it any more, though they may still come. */
    boolean isLeft() {
        return left;
    }

    boolean isActive() {
        return !left && !finished;
    }

    // --- what it counts ---

    long[] pending() {
        long[] messages = new long[1];
        long[] bytes = new long[1];
        lock.lock();
        try {
            long[] taken = read.pending();
            tryCallNative(self -> Raw.martlet_subscription_pending(self, messages, bytes));
            return new long[] {messages[0] + taken[0], bytes[0] + taken[1]};
        } finally {
            lock.unlock();
        }
    }

    long dropped() {
        rememberCounts();
        return dropped;
    }

    long delivered() {
        rememberCounts();
        return delivered;
    }

    private void rememberCounts() {
        long[] lost = new long[1];
        long[] came = new long[1];
        if (tryCallNative(self -> Raw.martlet_subscription_dropped(self, lost, came))) {
            dropped = lost[0];
            delivered = came[0];
        }
    }

    private boolean tryCallNative(java.util.function.LongFunction<Integer> body) {
        try {
            callNative(body);
            return true;
        } catch (MartletException gone) {
            return false;
        }
    }

    private void callNative(java.util.function.LongFunction<Integer> body) {
        Handle known = madeHandle();
        long address = known == null ? 0 : known.acquire();
        try {
            if (address == 0) {
                throw endedNow();
            }
            body.apply(address);
        } finally {
            if (known != null) {
                known.release();
            }
        }
    }
}
