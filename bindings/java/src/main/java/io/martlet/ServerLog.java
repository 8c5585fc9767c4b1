// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.raw.Abi;
import io.martlet.raw.BatchReader;
import io.martlet.raw.Handle;
import io.martlet.raw.Raw;
import java.time.Duration;
import java.util.function.BiConsumer;

/** Owns the way of a broker's log lines to the program: a queue and the thread that reads it. */
final class ServerLog implements Runnable {
    private static final int LINES_AT_ONCE = 256;
    private static final System.Logger.Level[] LEVELS = {
        System.Logger.Level.ERROR, System.Logger.Level.ERROR, System.Logger.Level.WARNING,
        System.Logger.Level.INFO, System.Logger.Level.DEBUG, System.Logger.Level.TRACE};

    private final Handle queue;
    private final BiConsumer<System.Logger.Level, String> consumer;
    private final Thread thread;

    private ServerLog(BiConsumer<System.Logger.Level, String> consumer) {
        this.consumer = consumer;
        long[] made = new long[1];
        Raw.martlet_queue_new(null, made);
        queue = new Handle(made[0], Raw::martlet_queue_free);
        thread = new Thread(this, "martlet-log");
        thread.setDaemon(true);
    }

    /** Lets a broker that does not run yet send its lines. */
    static ServerLog begin(
            Handle server, BiConsumer<System.Logger.Level, String> consumer, int level) {
        ServerLog log = new ServerLog(consumer);
        long queue = log.queue.acquire();
        long holder = server.acquire();
        try {
            Raw.martlet_server_set_log(holder, queue, 0, level);
            log.thread.start();
            return log;
        } catch (RuntimeException failure) {
            log.queue.close();
            throw failure;
        } finally {
            server.release();
            log.queue.release();
        }
    }

    /** The most detailed level of ours that a level of Java's lets pass. */
    static int levelOf(System.Logger.Level level) {
        switch (level) {
            case ALL:
            case TRACE:
                return Abi.LOG_TRACE;
            case DEBUG:
                return Abi.LOG_DEBUG;
            case INFO:
                return Abi.LOG_INFO;
            case WARNING:
                return Abi.LOG_WARNING;
            case ERROR:
                return Abi.LOG_ERROR;
            default:
                return Abi.LOG_FATAL;
        }
    }

    @Override
    public void run() {
        long address = queue.acquire();
        BatchReader reader = BatchReader.take(ConnectionCore.BUFFER_BYTES);
        try {
            int count = address == 0 ? -1 : 0;
            for (; count >= 0; count = reader.poll(address, LINES_AT_ONCE, -1)) {
                for (int index = 0; index < count; index++) {
                    tell(reader, index);
                }
            }
        } finally {
            reader.giveBack();
            queue.release();
            queue.close();
        }
    }

    private void tell(BatchReader reader, int index) {
        if (reader.kind(index) != Abi.KIND_LOG_LINE) {
            return;
        }
        int level = Math.max(0, Math.min(reader.flags(index), LEVELS.length - 1));
        try {
            consumer.accept(LEVELS[level], reader.dataText(index));
        } catch (Throwable failure) {
            Events.LOGGER.log(
                    System.Logger.Level.WARNING, "the consumer of log lines failed", failure);
        }
    }

    /** Ends it after what has come. */
    void close() {
        long address = queue.acquire();
        try {
            if (address != 0) {
                Raw.martlet_queue_close(address);
            }
        } finally {
            queue.release();
        }
    }

    /** Waits until the consumer has seen what had come. */
    void awaitEnd(Duration timeout) {
        if (thread == Thread.currentThread()) {
            return;
        }
        try {
            thread.join(timeout.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
