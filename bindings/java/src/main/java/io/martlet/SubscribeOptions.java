// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.OptionsException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** Owns the bounds of one subscription and what happens at them. Immutable. Since 0.1.0. */
public final class SubscribeOptions {
    /**
     * What {@link Connection#subscribe(String)} uses: 524,288 messages, 64 MiB, the new one is
     * lost.
     */
    public static final SubscribeOptions DEFAULT = builder().build();

    private final long pendingMessages;
    private final long pendingBytes;
    private final FullPolicy policy;
    private final long maxMessages;

    private SubscribeOptions(Builder builder) {
        pendingMessages = builder.pendingMessages;
        pendingBytes = builder.pendingBytes;
        policy = builder.policy;
        maxMessages = builder.maxMessages;
    }

    /**
     * Begins with the defaults.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The bound in messages.
     *
     * @return how many may wait unread; 0: no bound
     */
    public long getPendingMessageLimit() {
        return pendingMessages;
    }

    /**
     * The bound in bytes.
     *
     * @return how many may wait unread; 0: no bound
     */
    public long getPendingByteLimit() {
        return pendingBytes;
    }

    /**
     * What happens at the bounds.
     *
     * @return the policy
     */
    public FullPolicy getFullPolicy() {
        return policy;
    }

    /**
     * After how many messages the subscription ends by itself.
     *
     * @return 0: never
     */
    public long getMaxMessages() {
        return maxMessages;
    }

    /** As the library takes it. */
    byte[] toJson() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("messages_max", pendingMessages);
        values.put("bytes_max", pendingBytes);
        values.put("full_policy", policy.word());
        return Texts.encode(Json.write(values), "options");
    }

    /** Owns the making of {@link SubscribeOptions}. */
    public static final class Builder {
        private long pendingMessages = 512 * 1024;
        private long pendingBytes = 64 * 1024 * 1024;
        private FullPolicy policy = FullPolicy.REFUSE_NEW;
        private long maxMessages;

        private Builder() {}

        /**
         * Sets how many messages and bytes may wait unread; 0 is no bound. What was taken over to
         * be handed out next, one batch, is no longer counted.
         *
         * @param messages how many messages
         * @param bytes how many bytes, with 64 for each message
         * @return this
         */
        public Builder pendingLimits(long messages, long bytes) {
            pendingMessages = notNegative(messages, "messages");
            pendingBytes = notNegative(bytes, "bytes");
            return this;
        }

        /**
         * Sets what happens at the bounds.
         *
         * @param policy the policy
         * @return this
         */
        public Builder fullPolicy(FullPolicy policy) {
            this.policy = Objects.requireNonNull(policy, "policy");
            return this;
        }

        /**
         * Lets the subscription end by itself.
         *
         * @param messages after how many messages; 0: never
         * @return this
         */
        public Builder maxMessages(long messages) {
            maxMessages = notNegative(messages, "messages");
            return this;
        }

        /**
         * Makes the options.
         *
         * @return what was set
         */
        public SubscribeOptions build() {
            return new SubscribeOptions(this);
        }

        private static long notNegative(long value, String name) {
            if (value < 0) {
                throw new OptionsException("option " + name + " is negative: " + value);
            }
            return value;
        }
    }
}
