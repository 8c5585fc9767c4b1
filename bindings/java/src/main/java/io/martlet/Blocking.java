// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.InCallbackException;
import io.martlet.errors.MartletException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Owns how Java waits: on futures, never inside the library on a virtual thread, which would hold
 * its carrier. The few calls that have no form without waiting run on a thread of their own then.
 */
final class Blocking {
    private static final @Nullable MethodHandle IS_VIRTUAL = findIsVirtual();

    private Blocking() {}

    private static @Nullable MethodHandle findIsVirtual() {
        try {
            return MethodHandles.publicLookup()
                    .findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
        } catch (NoSuchMethodException | IllegalAccessException tooOld) {
            return null; // Before Java 21 there are none.
        }
    }

    /** Whether this is a virtual thread. */
    static boolean isVirtual() {
        try {
            return IS_VIRTUAL != null && (boolean) IS_VIRTUAL.invokeExact(Thread.currentThread());
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Runs a call that waits inside the library. */
    static <T> T run(Supplier<T> body) {
        if (!isVirtual()) {
            return body.get();
        }
        CompletableFuture<T> done = new CompletableFuture<>();
        start("martlet-blocking", () -> {
            try {
                done.complete(body.get());
            } catch (Throwable failure) {
                done.completeExceptionally(failure);
            }
        });
        try {
            return done.join();
        } catch (java.util.concurrent.CompletionException failure) {
            throw unchecked(failure.getCause());
        }
    }

    /** A thread that does not keep the program alive. */
    static Thread start(String name, Runnable body) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Waits for a future that the library completes; `pump` is the thread that has to do it. */
    static <T> T get(CompletableFuture<T> future, @Nullable Thread pump)
            throws InterruptedException {
        if (pump == Thread.currentThread() && !future.isDone()) {
            throw new InCallbackException("this call waits for an answer that its own thread has to"
                    + " hand over: use the form with a future, or thenApplyAsync");
        }
        try {
            return future.get();
        } catch (ExecutionException failure) {
            throw unchecked(failure.getCause());
        }
    }

    /** The failure as this thread throws it: its own trace, the other one as the cause. */
    private static RuntimeException unchecked(@Nullable Throwable cause) {
        if (cause instanceof MartletException told) {
            MartletException own =
                    MartletException.of(told.getStatus(), String.valueOf(told.getMessage()));
            own.initCause(told);
            return own.getClass() == told.getClass() ? own : told;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException runtime ? runtime
                                                         : new IllegalStateException(cause);
    }
}
