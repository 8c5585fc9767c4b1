// SPDX-License-Identifier: Apache-2.0
package io.martlet.raw;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/**
 * Owns a piece of native memory in which a message is put together, and from which it is published:
 * the library then asks the JVM for nothing, where {@link Raw} copies each array by two calls. The
 * subject stays for the next message. One thread at a time.
 */
public final class OutgoingBlock {
    /** The parts of a message together. */
    public static final int BYTES_MAX = 8 * 1024;

    private final ByteBuffer memory = ByteBuffer.allocateDirect(BYTES_MAX);
    private final long address = addressOf(memory);
    private String subject = "";
    private int subjectBytes;

    /** Begins with an empty subject. */
    public OutgoingBlock() {}

    /**
     * Whether this is the subject that it has already.
     *
     * @param text the subject of the next message
     * @return true if so
     */
    public boolean hasSubject(String text) {
        return subject.equals(text);
    }

    /**
     * Takes a subject, for all messages until the next.
     *
     * @param text the subject
     * @param bytes the same in UTF-8
     * @return false if it is too long
     */
    public boolean trySubject(String text, byte[] bytes) {
        if (bytes.length > BYTES_MAX) {
            return false;
        }
        memory.put(0, bytes);
        subject = text;
        subjectBytes = bytes.length;
        return true;
    }

    /**
     * Whether a message with its subject has room.
     *
     * @param bytes of all its other parts
     * @return true if so
     */
    public boolean hasRoom(long bytes) {
        return bytes <= BYTES_MAX - subjectBytes;
    }

    /**
     * Publishes a message that has room, as Raw.martlet_connection_publish does.
     *
     * @param connection its handle
     * @param reply the reply subject; empty: none
     * @param headers the header block; empty: none
     * @param data the payload
     * @return Abi.OK, or Abi.AGAIN
     */
    public int publish(long connection, byte[] reply, byte[] headers, byte[] data) {
        int at = subjectBytes;
        if (reply.length > 0) {
            memory.put(at, reply);
            at += reply.length;
        }
        if (headers.length > 0) {
            memory.put(at, headers);
            at += headers.length;
        }
        memory.put(at, data);
        try {
            return publish(connection, address, subjectBytes, reply.length, headers.length,
                    data.length);
        } finally {
            Reference.reachabilityFence(memory);
        }
    }

    private static native long addressOf(ByteBuffer memory);

    private static native int publish(long connection, long block, int subjectBytes, int replyBytes,
            int headersBytes, int dataBytes);
}
