// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.ClosedException;
import io.martlet.errors.DisconnectedException;
import io.martlet.errors.TimeoutException;
import io.martlet.raw.Abi;
import io.martlet.raw.OutgoingBlock;
import io.martlet.raw.Raw;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Owns a connection to a broker, over TCP or inside the process. It reconnects by itself and then
 * restores its subscriptions. Made by {@link Nats}. One that is dropped without being closed is
 * closed when it is collected, unless a dispatcher of it has subscriptions. Any thread. Since
 * 0.1.0.
 */
public final class Connection implements AutoCloseable {
    private static final byte[] EMPTY = new byte[0];
    private static final long CLOSE_SECONDS = 10;

    /** What state a connection is in. */
    public enum Status {
        /** It connects for the first time. */
        CONNECTING,
        /** It is connected. */
        CONNECTED,
        /** It was lost, and connects again. */
        RECONNECTING,
        /** It takes no new subscriptions and ends when all was read. */
        DRAINING,
        /** It has ended. */
        CLOSED
    }

    private final ConnectionCore core;
    private final Options options;
    private final @Nullable Server server; // Lives as long as its connections.
    private volatile Encoded lastSubject = new Encoded("", EMPTY);
    private final AtomicReference<@Nullable OutgoingBlock> outgoing =
            new AtomicReference<>(new OutgoingBlock());
    private final ReentrantLock drainLock = new ReentrantLock();
    private volatile @Nullable CompletableFuture<Boolean> draining; // Set under drainLock.

    /** A subject as it was published last: streams of one subject are the usual case. */
    private record Encoded(String text, byte[] bytes) {}

    Connection(ConnectionCore core, Options options, @Nullable Server server) {
        this.core = core;
        this.options = options;
        this.server = server;
        core.events.setConnection(this);
        Reclaimer.register(this, core::close);
    }

    ConnectionCore core() {
        return core;
    }

    // --- publishing ---

    /**
     * Publishes a message: it is copied into the outgoing buffer and sent soon. While that is at
     * its bound this waits.
     *
     * @param subject where to
     * @param body the payload; null is empty
     * @throws io.martlet.errors.BadSubjectException if the subject is none
     * @throws io.martlet.errors.MaxPayloadException if the payload is too large for the server
     * @throws ClosedException if the connection is closed
     * @throws DisconnectedException if it is lost and its buffer full
     * @throws io.martlet.errors.LimitException if 65,536 calls wait for room already
     */
    public void publish(String subject, byte @Nullable [] body) {
        send(subject, null, null, body);
    }

    /**
     * Publishes a message with headers.
     *
     * @param subject where to
     * @param headers the headers; null: none
     * @param body the payload; null is empty
     */
    public void publish(String subject, @Nullable Headers headers, byte @Nullable [] body) {
        send(subject, null, headers, body);
    }

    /**
     * Publishes a message that wants an answer.
     *
     * @param subject where to
     * @param replyTo where the answer goes; null: none is wanted
     * @param body the payload; null is empty
     */
    public void publish(String subject, @Nullable String replyTo, byte @Nullable [] body) {
        send(subject, replyTo, null, body);
    }

    /**
     * Publishes a message with headers that wants an answer.
     *
     * @param subject where to
     * @param replyTo where the answer goes; null: none is wanted
     * @param headers the headers; null: none
     * @param body the payload; null is empty
     */
    public void publish(String subject, @Nullable String replyTo, @Nullable Headers headers,
            byte @Nullable [] body) {
        send(subject, replyTo, headers, body);
    }

    /**
     * Publishes a message.
     *
     * @param message subject, reply subject, headers and payload
     */
    public void publish(Message message) {
        Objects.requireNonNull(message, "message");
        send(message.getSubject(), message.getReplyTo(), message.getHeaders(), message.getData());
    }

    private byte[] encoded(String subject) {
        Encoded last = lastSubject;
        if (last.text.equals(subject)) {
            return last.bytes;
        }
        Encoded fresh = new Encoded(subject, Texts.encode(subject, "subject"));
        lastSubject = fresh;
        return fresh.bytes;
    }

    private void send(String subject, @Nullable String replyTo, @Nullable Headers headers,
            byte @Nullable [] body) {
        byte[] reply = replyTo == null ? EMPTY : Texts.encode(replyTo, "replyTo");
        byte[] known = blockOf(headers);
        byte[] block = known == null ? EMPTY : known;
        byte[] data = body == null ? EMPTY : body;
        while (trySend(subject, reply, block, data) == Abi.AGAIN) {
            core.awaitRoom(bytesOf(encoded(subject), reply, block, data));
        }
    }

    private int trySend(String subject, byte[] reply, byte[] headers, byte[] data) {
        // Another thread may have it at this moment: then the arrays are handed over themselves.
        OutgoingBlock block = outgoing.getAndSet(null);
        long address = core.handle.acquire();
        try {
            if (address == 0) {
                throw core.closed();
            }
            if (block != null && fitsInto(block, subject, reply, headers, data)) {
                return block.publish(address, reply, headers, data);
            }
            return Raw.martlet_connection_publish(
                    address, encoded(subject), reply, headers, data);
        } finally {
            core.handle.release();
            if (block != null) {
                outgoing.setRelease(block);
            }
            Reference.reachabilityFence(this); // It is not collected, and so closed, meanwhile.
        }
    }

    private boolean fitsInto(OutgoingBlock block, String subject, byte[] reply, byte[] headers,
            byte[] data) {
        return (block.hasSubject(subject) || block.trySubject(subject, encoded(subject)))
                && block.hasRoom((long) reply.length + headers.length + data.length);
    }

    private static byte @Nullable [] blockOf(@Nullable Headers headers) {
        return headers == null || headers.isEmpty() ? null : headers.toBytes();
    }

    private static long bytesOf(byte @Nullable [] @Nullable ... parts) {
        long sum = 64;
        for (byte[] part : Objects.requireNonNull(parts)) {
            sum += part == null ? 0 : part.length;
        }
        return sum;
    }

    // --- requests ---

    /**
     * Sends a request.
     *
     * @param subject where to
     * @param body the payload; null is empty
     * @return completed with the first answer, or with {@link TimeoutException} (after {@link
     *     Options#getRequestTimeout}), {@link io.martlet.errors.NoRespondersException}, {@link
     *     ClosedException} or {@link DisconnectedException}
     */
    public CompletableFuture<Message> request(String subject, byte @Nullable [] body) {
        return requestWithTimeout(subject, null, body, options.getRequestTimeout());
    }

    /**
     * Sends a request with headers.
     *
     * @param subject where to
     * @param headers the headers; null: none
     * @param body the payload; null is empty
     * @return as {@link #request(String, byte[])}
     */
    public CompletableFuture<Message> request(String subject, @Nullable Headers headers,
            byte @Nullable [] body) {
        return requestWithTimeout(subject, headers, body, options.getRequestTimeout());
    }

    /**
     * Sends a message as a request.
     *
     * @param message subject, headers and payload
     * @return as {@link #request(String, byte[])}
     */
    public CompletableFuture<Message> request(Message message) {
        Objects.requireNonNull(message, "message");
        return requestWithTimeout(message.getSubject(), message.getHeaders(), message.getData(),
                options.getRequestTimeout());
    }

    /**
     * Sends a request.
     *
     * @param subject where to
     * @param body the payload; null is empty
     * @param timeout how long the answer may take
     * @return as {@link #request(String, byte[])}
     */
    public CompletableFuture<Message> requestWithTimeout(String subject, byte @Nullable [] body,
            Duration timeout) {
        return requestWithTimeout(subject, null, body, timeout);
    }

    /**
     * Sends a request with headers.
     *
     * @param subject where to
     * @param headers the headers; null: none
     * @param body the payload; null is empty
     * @param timeout how long the answer may take
     * @return as {@link #request(String, byte[])}
     */
    public CompletableFuture<Message> requestWithTimeout(String subject, @Nullable Headers headers,
            byte @Nullable [] body, Duration timeout) {
        Waiting.Reply reply = new Waiting.Reply(this, subject, timeout);
        core.begin(reply, requestCall(subject, headers, body, timeout));
        return reply;
    }

    private ConnectionCore.StartCall requestCall(String subject, @Nullable Headers headers,
            byte @Nullable [] body, Duration timeout) {
        int milliseconds = Texts.milliseconds(timeout, "timeout");
        byte[] to = encoded(subject);
        byte[] block = blockOf(headers);
        return sent(to, block, body, (self, queue, cookie) -> Raw.martlet_connection_request_start(
                self, to, block, body, milliseconds, queue, cookie));
    }

    /**
     * Sends a request and waits for its first answer.
     *
     * @param subject where to
     * @param body the payload; null is empty
     * @param timeout how long the answer may take
     * @return the answer
     * @throws InterruptedException if the thread was interrupted
     * @throws TimeoutException if nobody answered in time
     * @throws io.martlet.errors.NoRespondersException if nobody listens to the subject
     */
    public Message request(String subject, byte @Nullable [] body, Duration timeout)
            throws InterruptedException {
        return request(subject, null, body, timeout);
    }

    /**
     * Sends a request with headers and waits for its first answer.
     *
     * @param subject where to
     * @param headers the headers; null: none
     * @param body the payload; null is empty
     * @param timeout how long the answer may take
     * @return the answer
     * @throws InterruptedException if the thread was interrupted
     * @throws TimeoutException if nobody answered in time
     * @throws io.martlet.errors.NoRespondersException if nobody listens to the subject
     */
    public Message request(String subject, @Nullable Headers headers, byte @Nullable [] body,
            Duration timeout) throws InterruptedException {
        return core.await(
                new Waiting.Reply(this, subject, timeout), requestCall(subject, headers, body, timeout));
    }

    /**
     * Sends a request that several may answer.
     *
     * @param subject where to
     * @param body the payload; null is empty
     * @param repliesMax after how many answers it ends; 0: after the time
     * @param timeout how long the answers may take
     * @return completed with what came in time, which may be nothing
     */
    public CompletableFuture<List<Message>> requestMany(String subject, byte @Nullable [] body,
            long repliesMax, Duration timeout) {
        int milliseconds = Texts.milliseconds(timeout, "timeout");
        byte[] to = encoded(subject);
        Waiting.Replies replies = new Waiting.Replies(this, subject);
        core.begin(replies, sent(to, null, body, (self, queue, cookie) ->
                Raw.martlet_connection_request_many_start(self, to, null, body, repliesMax,
                        milliseconds, queue, cookie)));
        return replies;
    }

    @Override
    public String toString() {
        try {
            Status now = getStatus();
            boolean isConnected = now == Status.CONNECTED;
            return "Connection[" + now + (isConnected ? ", " + getConnectedUrl() : "") + "]";
        } catch (ClosedException closed) {
            return "Connection[" + Status.CLOSED + "]";
        }
    }

    /** A call that sends, or answers AGAIN when there is no room. */
    @FunctionalInterface
    private interface SendCall {
        int send(long connection, long queue, long cookie);
    }

    /** Until there is room. */
    private ConnectionCore.StartCall sent(byte[] subject, byte @Nullable [] headers,
            byte @Nullable [] body, SendCall call) {
        return (queue, cookie) -> {
            while (core.call(self -> call.send(self, queue, cookie)) == Abi.AGAIN) {
                core.awaitRoom(bytesOf(subject, headers, body));
            }
        };
    }

    // --- subscriptions ---

    /**
     * Subscribes; the subscription is asked for messages.
     *
     * @param subject a subject, or a pattern with * and &gt;
     * @return the subscription
     * @throws io.martlet.errors.BadSubjectException if the subject is none
     * @throws ClosedException if the connection is closed
     */
    public Subscription subscribe(String subject) {
        return subscribe(subject, null, SubscribeOptions.DEFAULT);
    }

    /**
     * Subscribes as a member of a queue group.
     *
     * @param subject a subject, or a pattern with * and &gt;
     * @param queue the group: each message goes to one of its members
     * @return the subscription
     */
    public Subscription subscribe(String subject, String queue) {
        return subscribe(subject, Objects.requireNonNull(queue, "queue"), SubscribeOptions.DEFAULT);
    }

    /**
     * Subscribes with bounds.
     *
     * @param subject a subject, or a pattern with * and &gt;
     * @param queue the queue group, or null
     * @param options bounds, and what happens at them
     * @return the subscription
     */
    public Subscription subscribe(
            String subject, @Nullable String queue, SubscribeOptions options) {
        Objects.requireNonNull(subject, "subject");
        Objects.requireNonNull(options, "options");
        SubscriptionCore made = new SubscriptionCore(core, subject, queue == null ? "" : queue);
        Subscription subscription = new Subscription(made, this, null);
        made.begin(null, options);
        Reclaimer.register(subscription, made::discard);
        return subscription;
    }

    /**
     * Makes a dispatcher: each of its subscriptions names a handler.
     *
     * @return the dispatcher
     */
    public Dispatcher createDispatcher() {
        return makeDispatcher(null);
    }

    /**
     * Makes a dispatcher with a handler for subscriptions that name none.
     *
     * @param handler takes their messages
     * @return the dispatcher
     */
    public Dispatcher createDispatcher(MessageHandler handler) {
        return makeDispatcher(Objects.requireNonNull(handler, "handler"));
    }

    private Dispatcher makeDispatcher(@Nullable MessageHandler handler) {
        if (core.isOver() || getStatus() == Status.CLOSED) { // Its thread may still be ending.
            throw core.closed();
        }
        return new Dispatcher(this, handler);
    }

    /**
     * Ends a dispatcher and its subscriptions now.
     *
     * @param dispatcher one of this connection's
     */
    public void closeDispatcher(Dispatcher dispatcher) {
        Objects.requireNonNull(dispatcher, "dispatcher").close();
    }

    // --- waiting for the server ---

    /**
     * Sends everything and waits for the server's answer: what was published before has then been
     * processed.
     *
     * @param timeout how long at most
     * @throws InterruptedException if the thread was interrupted
     * @throws TimeoutException if the time was over before
     * @throws ClosedException if the connection is closed
     */
    public void flush(Duration timeout) throws InterruptedException {
        core.await(new Waiting.Done(this), flushCall(timeout));
    }

    /**
     * Sends everything.
     *
     * @param timeout how long at most
     * @return completed when the server has answered
     */
    public CompletableFuture<Boolean> flushAsync(Duration timeout) {
        Waiting.Done done = new Waiting.Done(this);
        core.begin(done, flushCall(timeout));
        return done;
    }

    private ConnectionCore.StartCall flushCall(Duration timeout) {
        int milliseconds = Texts.milliseconds(timeout, "timeout");
        return (queue, cookie) -> core.call(self ->
                Raw.martlet_connection_flush_start(self, milliseconds, queue, cookie));
    }

    /**
     * Measures the way to the server and back.
     *
     * @return the time of one PING
     * @throws InterruptedException if the thread was interrupted
     */
    public Duration RTT() throws InterruptedException {
        return RTT(Duration.ofSeconds(10));
    }

    /**
     * Measures the way to the server and back.
     *
     * @param timeout how long at most
     * @return the time of one PING
     * @throws InterruptedException if the thread was interrupted
     * @throws TimeoutException if the time was over before
     */
    public Duration RTT(Duration timeout) throws InterruptedException {
        long begun = System.nanoTime();
        flush(timeout);
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    // --- the end ---

    /**
     * Ends in order: no new message comes; what came is handed to handlers and read by those who
     * ask, which may still publish; what was published is sent; then the connection is closed.
     *
     * @param timeout how long at most; zero: the option drainTimeout
     * @return completed with true when all was read and sent, with false when the time was over or
     *     the connection ended before; it is closed in both cases
     * @throws ClosedException if the connection is closed
     * @throws DisconnectedException if it is not connected at the moment
     */
    public CompletableFuture<Boolean> drain(Duration timeout) {
        long given = Texts.longMilliseconds(timeout, "timeout");
        long milliseconds = given == 0 ? options.drainTimeout().toMillis() : given;
        drainLock.lock();
        try {
            CompletableFuture<Boolean> known = draining;
            if (known == null || known.isDone()) {
                checkCanDrain();
                known = Draining.begin(this, milliseconds);
                draining = known;
            }
            return known.copy();
        } finally {
            drainLock.unlock();
        }
    }

    private void checkCanDrain() {
        Status now = getStatus();
        if (now == Status.CLOSED) {
            throw core.closed();
        }
        if (now != Status.CONNECTED) {
            throw new DisconnectedException(
                    "not connected at the moment: there is nothing to drain to");
        }
    }

    /**
     * Closes at once: requests and flushes under way end with {@link ClosedException}, and what
     * was published and has not left yet is lost, as with jnats; {@link #flush} or {@link #drain}
     * first sends it. Waits until
     * the callbacks that run have returned, but at most ten seconds, and not when it is called by
     * one. May be called twice.
     */
    @Override
    public void close() {
        core.close();
        if (core.isOwnThread()) {
            return;
        }
        List<CompletableFuture<Boolean>> ends = new ArrayList<>();
        ends.add(core.ended);
        for (DispatcherCore dispatcher : core.dispatchers()) {
            ends.add(dispatcher.ended);
        }
        try {
            CompletableFuture.allOf(ends.toArray(new CompletableFuture<?>[0]))
                    .get(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (java.util.concurrent.ExecutionException
                | java.util.concurrent.TimeoutException late) {
            Events.LOGGER.log(System.Logger.Level.DEBUG, "a callback still runs", late);
        }
    }

    // --- what is ---

    /**
     * Its state at this moment.
     *
     * @return the state
     */
    public Status getStatus() {
        int[] state = new int[1];
        long address = core.handle.acquire();
        try {
            if (address == 0) {
                return Status.CLOSED;
            }
            Raw.martlet_connection_state(address, state);
        } finally {
            core.handle.release();
        }
        return switch (state[0]) {
            case Abi.STATE_NEW, Abi.STATE_CONNECTING -> Status.CONNECTING;
            case Abi.STATE_CONNECTED -> draining == null ? Status.CONNECTED : Status.DRAINING;
            case Abi.STATE_RECONNECTING -> Status.RECONNECTING;
            case Abi.STATE_DRAINING -> Status.DRAINING;
            default -> Status.CLOSED;
        };
    }

    /**
     * The largest message, payload and headers together, that the server takes.
     *
     * @return bytes
     */
    public long getMaxPayload() {
        long[] bytes = new long[1];
        core.call(self -> Raw.martlet_connection_max_payload(self, bytes));
        return bytes[0];
    }

    /**
     * A subject that nobody else uses, for answers to come to.
     *
     * @return the subject
     */
    public String createInbox() {
        long[] text = new long[1];
        core.call(self -> Raw.martlet_connection_new_inbox(self, text));
        return Texts.take(text[0]);
    }

    /**
     * What it counts and knows.
     *
     * @return as it is at this moment
     */
    public Statistics getStatistics() {
        long[] text = new long[1];
        core.call(self -> Raw.martlet_connection_statistics(self, text));
        return new Statistics(Json.object(Texts.take(text[0])));
    }

    /**
     * The server that it is connected to.
     *
     * @return its URL, or "in process"
     */
    public String getConnectedUrl() {
        return String.valueOf(getStatistics().asMap().getOrDefault("connected_url", ""));
    }

    /**
     * Its number at the server.
     *
     * @return the number
     */
    public long getClientId() {
        return getStatistics().asMap().get("client_id") instanceof Number number
                ? number.longValue()
                : 0;
    }

    /**
     * How it was made.
     *
     * @return the options
     */
    public Options getOptions() {
        return options;
    }

    /**
     * The broker in this program that it connects to.
     *
     * @return the broker, or null if it connects over TCP
     */
    public @Nullable Server getServer() {
        return server;
    }
}
