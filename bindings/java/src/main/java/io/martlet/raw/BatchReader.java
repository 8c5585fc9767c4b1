// SPDX-License-Identifier: Apache-2.0
package io.martlet.raw;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Owns the buffer that completions are polled into, and reads its descriptors. One thread at a
 * time. What it answers is copied: nothing of the buffer leaves.
 */
public final class BatchReader {
    /** No message of ours is larger than this: what is above is a mistake of the library. */
    private static final int LARGEST_BUFFER = Integer.MAX_VALUE - 8;

    /** After so many polls a buffer that grew for a large message is let go. */
    private static final int USUAL_POLLS_MAX = 1000;

    /** By their size. */
    private static final Map<Integer, Queue<BatchReader>> SPARE = new ConcurrentHashMap<>();
    private static final int SPARE_MAX = 8;

    private static final byte[] NOTHING = new byte[0];
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final int usualBytes;
    private final ByteBuffer info = ByteBuffer.allocateDirect(Abi.BATCH_INFO_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    private ByteBuffer block;
    private int usualPolls;
    private int stride;
    private int first;
    private byte[] lastSubject = new byte[0];
    private String lastSubjectText = "";

    private BatchReader(int bytes) {
        usualBytes = bytes;
        block = allocate(bytes);
    }

    /**
     * Takes a reader for a while: end with {@link #giveBack}. Direct memory is freed by the
     * collector alone, so what was used before is used again.
     *
     * @param bytes how much it takes at once; a message that is larger has room nevertheless
     * @return a reader of this thread's
     */
    public static BatchReader take(int bytes) {
        Queue<BatchReader> spare = SPARE.get(bytes);
        BatchReader known = spare == null ? null : spare.poll();
        return known == null ? new BatchReader(bytes) : known;
    }

    /** Lets others use it. */
    public void giveBack() {
        Queue<BatchReader> spare =
                SPARE.computeIfAbsent(usualBytes, size -> new ConcurrentLinkedQueue<>());
        if (block.capacity() == usualBytes && spare.size() < SPARE_MAX) {
            spare.add(this);
        }
    }

    private static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Polls a queue.
     *
     * @param queue its handle
     * @param messagesMax 1 or more
     * @param timeoutMs 0 does not wait, -1 waits without limit
     * @return how many descriptors there are now; 0 when nothing came in time, -1 when the queue is
     *     closed and empty
     */
    public int poll(long queue, int messagesMax, int timeoutMs) {
        if (block.capacity() > usualBytes && ++usualPolls > USUAL_POLLS_MAX) {
            block = allocate(usualBytes); // The large messages have passed.
        }
        int status = pollOnce(queue, messagesMax, timeoutMs);
        if (status == Abi.ERR_BUFFER_TOO_SMALL) {
            block = allocate((int) Math.min(neededBytes(), LARGEST_BUFFER));
            usualPolls = 0;
            status = pollOnce(queue, messagesMax, timeoutMs);
        }
        return countOf(status);
    }

    /**
     * As {@link #poll}, but a first message that has no room in the buffer is left where it is.
     *
     * @param queue its handle
     * @param messagesMax 1 or more
     * @param timeoutMs 0 does not wait, -1 waits without limit
     * @return as poll; 0 also for what has no room
     */
    public int pollIfFits(long queue, int messagesMax, int timeoutMs) {
        return countOf(pollOnce(queue, messagesMax, timeoutMs));
    }

    private int countOf(int status) {
        if (status != Abi.OK) {
            return status == Abi.DONE ? -1 : 0;
        }
        stride = info.getInt(Abi.BATCH_INFO_STRIDE_BYTES_OFFSET);
        first = (int) info.getLong(Abi.BATCH_INFO_DESCRIPTORS_OFFSET_OFFSET);
        return info.getInt(Abi.BATCH_INFO_COUNT_OFFSET);
    }

    private int pollOnce(long queue, int messagesMax, int timeoutMs) {
        for (int at = 0; at < Abi.BATCH_INFO_BYTES; at += Integer.BYTES) {
            info.putInt(at, 0);
        }
        info.putInt(Abi.BATCH_INFO_INFO_BYTES_OFFSET, Abi.BATCH_INFO_BYTES);
        try {
            return Raw.martlet_queue_poll_into(queue, block, messagesMax, timeoutMs, info);
        } catch (io.martlet.errors.BufferTooSmallException tooSmall) {
            return Abi.ERR_BUFFER_TOO_SMALL;
        }
    }

    private long neededBytes() {
        return info.getLong(Abi.BATCH_INFO_BLOCK_BYTES_OFFSET);
    }

    private int number(int index, int offset) {
        return block.getInt(first + index * stride + offset);
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return Abi.KIND_...
     */
    public int kind(int index) {
        return number(index, Abi.DESCRIPTOR_KIND_OFFSET);
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return Abi.FLAG_..., or the level of a log line
     */
    public int flags(int index) {
        return number(index, Abi.DESCRIPTOR_FLAGS_OFFSET);
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return a status of the C ABI
     */
    public int status(int index) {
        return number(index, Abi.DESCRIPTOR_STATUS_OFFSET);
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return the subscription's number in its connection
     */
    public int sid(int index) {
        return number(index, Abi.DESCRIPTOR_SID_OFFSET);
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return what was given with the call
     */
    public long cookie(int index) {
        return block.getLong(first + index * stride + Abi.DESCRIPTOR_COOKIE_OFFSET);
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return when it was read, ns since 1970
     */
    public long receivedNs(int index) {
        return block.getLong(first + index * stride + Abi.DESCRIPTOR_RECEIVED_NS_OFFSET);
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return the payload, or the text of an event
     */
    public byte[] data(int index) {
        return bytes(part(index, Abi.DESCRIPTOR_DATA_OFFSET_OFFSET));
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return the header block as on the wire
     */
    public byte[] headers(int index) {
        return bytes(part(index, Abi.DESCRIPTOR_HEADERS_OFFSET_OFFSET));
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return the reply subject
     */
    public String reply(int index) {
        return text(bytes(part(index, Abi.DESCRIPTOR_REPLY_OFFSET_OFFSET)));
    }

    /**
     * Of a descriptor.
     *
     * @param index which one, from 0
     * @return its data as a text
     */
    public String dataText(int index) {
        return text(data(index));
    }

    /**
     * The subject. That of the message before is known: streams of one subject are the usual case.
     *
     * @param index which one, from 0
     * @return the subject
     */
    public String subject(int index) {
        long part = part(index, Abi.DESCRIPTOR_SUBJECT_OFFSET_OFFSET);
        if (!isLastSubject(offset(part), length(part))) {
            lastSubject = bytes(part);
            lastSubjectText = text(lastSubject);
        }
        return lastSubjectText;
    }

    private boolean isLastSubject(int offset, int bytes) {
        byte[] last = lastSubject;
        if (bytes != last.length) {
            return false;
        }
        int at = bytes - Long.BYTES;
        for (; at > 0; at -= Long.BYTES) { // Subjects differ at their end.
            if (block.getLong(offset + at) != (long) LONGS.get(last, at)) {
                return false;
            }
        }
        if (bytes >= Long.BYTES) {
            return block.getLong(offset) == (long) LONGS.get(last, 0);
        }
        for (at = bytes - 1; at >= 0; at--) {
            if (block.get(offset + at) != last[at]) {
                return false;
            }
        }
        return true;
    }

    /** Where something of a descriptor lies and how long it is: the two stand side by side. */
    private long part(int index, int offsetField) {
        return block.getLong(first + index * stride + offsetField);
    }

    private static int offset(long part) {
        return (int) part;
    }

    private static int length(long part) {
        return (int) (part >>> Integer.SIZE);
    }

    private byte[] bytes(long part) {
        int length = length(part);
        if (length == 0) {
            return NOTHING;
        }
        byte[] copy = new byte[length];
        block.get(offset(part), copy);
        return copy;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
