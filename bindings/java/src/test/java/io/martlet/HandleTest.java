// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.martlet.raw.Handle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Goal: a handle is freed once, and never while a call uses it. Method: handles of no library, used
 * and closed by several threads at once.
 */
class HandleTest {
    @Test
    void itIsFreedWhenItIsClosedAndNobodyHoldsIt() {
        AtomicInteger freed = new AtomicInteger();
        Handle handle = new Handle(7, address -> freed.addAndGet((int) address));
        assertEquals(7, handle.acquire());
        handle.close();
        handle.close();
        assertEquals(0, freed.get());
        assertEquals(0, handle.acquire());
        handle.release();
        assertEquals(0, freed.get());
        handle.release();
        assertEquals(7, freed.get());
        assertEquals(0, handle.acquire());
        handle.release();
        handle.close();
        assertEquals(7, freed.get());
    }

    @Test
    void whoUsesItWhileItIsClosedNeverHasAFreedOne() throws Exception {
        for (int round = 0; round < 300; round++) {
            AtomicInteger freed = new AtomicInteger();
            AtomicInteger misused = new AtomicInteger();
            Handle handle = new Handle(1, address -> freed.incrementAndGet());
            List<Thread> users = new ArrayList<>();
            for (int user = 0; user < 3; user++) {
                users.add(Blocking.start("user", () -> {
                    long address = 1;
                    while (address != 0) {
                        address = handle.acquire();
                        misused.addAndGet(address != 0 && freed.get() != 0 ? 1 : 0);
                        handle.release();
                    }
                }));
            }
            handle.close();
            for (Thread user : users) {
                user.join(10_000);
                assertTrue(!user.isAlive());
            }
            assertEquals(1, freed.get());
            assertEquals(0, misused.get());
        }
    }
}
