// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.BadSubjectException;
import io.martlet.raw.Abi;
import io.martlet.raw.BatchReader;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Owns a message that came, or one that is to be published. What came is copied out of the library:
 * it may be kept for any time. Immutable, but for the arrays that it hands out. Since 0.1.0.
 */
public final class Message {
    private static final byte[] EMPTY = new byte[0];
    private static final byte[] EMPTY_HEADERS = new byte[0];

    private final String subject;
    private final @Nullable String replyTo;
    private final byte @Nullable [] headerBlock;
    private @Nullable Headers headers;
    private final byte[] data;
    private final long receivedNs;
    private final int sid;
    private final @Nullable Connection connection; // Of an answer, which has no subscription.
    private @Nullable Subscription subscription;

    /** What came. */
    Message(BatchReader reader, int index, @Nullable Connection connection,
            @Nullable Subscription subscription) {
        int flags = reader.flags(index);
        subject = reader.subject(index);
        replyTo = (flags & Abi.FLAG_REPLY) != 0 ? reader.reply(index) : null;
        headerBlock = (flags & Abi.FLAG_HEADERS) != 0 ? reader.headers(index) : null;
        data = reader.data(index);
        receivedNs = reader.receivedNs(index);
        sid = reader.sid(index);
        this.connection = connection;
        this.subscription = subscription;
    }

    /** Before it is handed out. */
    void cameTo(Subscription asked) {
        subscription = asked;
    }

    private Message(Builder builder) {
        subject = Objects.requireNonNull(builder.subject, "subject");
        replyTo = builder.replyTo;
        headers = builder.headers;
        headerBlock = headers == null ? null : EMPTY_HEADERS;
        data = builder.data;
        receivedNs = 0;
        sid = 0;
        connection = null;
        subscription = null;
    }

    /**
     * Begins a message that is to be published.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The subject.
     *
     * @return the subject
     */
    public String getSubject() {
        return subject;
    }

    /**
     * Where an answer goes.
     *
     * @return the subject, or null if none is wanted
     */
    public @Nullable String getReplyTo() {
        return replyTo;
    }

    /**
     * The payload.
     *
     * @return the bytes, not copied
     */
    public byte[] getData() {
        return data;
    }

    /**
     * The payload as a text in UTF-8.
     *
     * @return the text
     */
    public String getText() {
        return new String(data, StandardCharsets.UTF_8);
    }

    /**
     * Whether it has headers.
     *
     * @return true if it has
     */
    public boolean hasHeaders() {
        Headers found = getHeaders();
        return found != null && !found.isEmpty();
    }

    /**
     * The headers.
     *
     * @return the headers, or null if it came without
     */
    public @Nullable Headers getHeaders() {
        if (headers == null && headerBlock != null) {
            headers = Headers.parse(headerBlock);
        }
        return headers;
    }

    /**
     * Whether it is a message of the server's own, with a status such as 503.
     *
     * @return true if so
     */
    public boolean isStatusMessage() {
        Headers found = getHeaders();
        return found != null && found.getStatus() != 0;
    }

    /**
     * When it was read from the server.
     *
     * @return the time, or null if it did not come
     */
    public @Nullable Instant getReceivedTime() {
        return receivedNs == 0 ? null : Instant.EPOCH.plusNanos(receivedNs);
    }

    /**
     * The number of its subscription.
     *
     * @return 0 if it came to none
     */
    public int getSID() {
        return sid;
    }

    /**
     * The connection that it came by.
     *
     * @return the connection, or null if it did not come
     */
    public @Nullable Connection getConnection() {
        Subscription known = subscription;
        return known == null ? connection : known.getConnection();
    }

    /**
     * The subscription that it came to.
     *
     * @return the subscription, or null if it came to none
     */
    public @Nullable Subscription getSubscription() {
        return subscription;
    }

    /**
     * Publishes an answer.
     *
     * @param body its payload; null is empty
     * @throws BadSubjectException if none is wanted: it has no reply subject
     */
    public void respond(byte @Nullable [] body) {
        respond(null, body);
    }

    /**
     * Publishes an answer with headers.
     *
     * @param answerHeaders its headers; null: none
     * @param body its payload; null is empty
     * @throws BadSubjectException if none is wanted: it has no reply subject
     */
    public void respond(@Nullable Headers answerHeaders, byte @Nullable [] body) {
        Connection asked = getConnection();
        if (replyTo == null || asked == null) {
            throw new BadSubjectException("nobody waits for an answer to this message");
        }
        asked.publish(replyTo, answerHeaders, body);
    }

    @Override
    public String toString() {
        return "Message[" + subject + ", " + data.length + " bytes]";
    }

    /** Owns the making of a {@link Message}. */
    public static final class Builder {
        private @Nullable String subject;
        private @Nullable String replyTo;
        private @Nullable Headers headers;
        private byte[] data = EMPTY;

        private Builder() {}

        /**
         * Sets the subject.
         *
         * @param text the subject
         * @return this
         */
        public Builder subject(String text) {
            subject = Objects.requireNonNull(text, "subject");
            return this;
        }

        /**
         * Sets where an answer goes.
         *
         * @param text the subject; null: none is wanted
         * @return this
         */
        public Builder replyTo(@Nullable String text) {
            replyTo = text;
            return this;
        }

        /**
         * Sets the headers.
         *
         * @param all the headers; null: none
         * @return this
         */
        public Builder headers(@Nullable Headers all) {
            headers = all;
            return this;
        }

        /**
         * Sets the payload.
         *
         * @param body the bytes, not copied before it is published; null is empty
         * @return this
         */
        public Builder data(byte @Nullable [] body) {
            data = body == null ? EMPTY : body;
            return this;
        }

        /**
         * Sets the payload to a text in UTF-8.
         *
         * @param text the text
         * @return this
         */
        public Builder data(String text) {
            data = Texts.encode(text, "data");
            return this;
        }

        /**
         * Makes the message.
         *
         * @return what was set
         */
        public Message build() {
            return new Message(this);
        }
    }
}
