// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.ClosedException;
import io.martlet.errors.MartletException;
import io.martlet.raw.Raw;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Owns the order in which a connection ends when it drains: its subscriptions, then what was
 * published, then itself. The library's own drain does not know what Java has taken over and not
 * handled yet, so subscriptions come first here.
 */
final class Draining {
    private static final long LONGEST_MS = TimeUnit.DAYS.toMillis(36_500);

    private Draining() {}

    static CompletableFuture<Boolean> begin(Connection connection, long timeoutMs) {
        long milliseconds = Math.min(timeoutMs, LONGEST_MS);
        ConnectionCore core = connection.core();
        core.setDraining();
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(milliseconds);
        CompletableFuture<?> read = drainSubscriptions(core);
        CompletableFuture<Boolean> result = CompletableFuture.anyOf(read, core.ended)
                .orTimeout(milliseconds, TimeUnit.MILLISECONDS)
                .thenCompose(all -> connection.flushAsync(left(until)))
                .thenCompose(flushed -> {
                    core.call(self -> Raw.martlet_connection_drain_start(self,
                            Texts.milliseconds(left(until), "timeout")));
                    return core.ended.copy();
                })
                .orTimeout(milliseconds, TimeUnit.MILLISECONDS);
        return result.handle((done, failure) -> {
            core.close(); // In both cases: its subscriptions have ended, there is no way back.
            Reference.reachabilityFence(connection); // Nobody else may hold it until now.
            return failure == null;
        });
    }

    private static CompletableFuture<?> drainSubscriptions(ConnectionCore core) {
        List<CompletableFuture<Boolean>> ends = new ArrayList<>();
        for (SubscriptionCore each : core.subscriptions()) {
            if (each.isLeft()) {
                continue; // Nobody waits for what is unread of it.
            }
            ends.add(each.ended);
            try {
                each.drain();
            } catch (ClosedException known) {
                // It has ended already.
            } catch (MartletException failure) {
                core.close(); // The others have begun to end: there is no way back.
                throw failure;
            }
        }
        return CompletableFuture.allOf(ends.toArray(new CompletableFuture<?>[0]));
    }

    private static Duration left(long until) {
        long nanoseconds = until - System.nanoTime();
        if (nanoseconds <= 0) {
            throw MartletException.of(io.martlet.raw.Abi.ERR_TIMEOUT, "the drain took too long");
        }
        return Duration.ofNanos(nanoseconds);
    }
}
