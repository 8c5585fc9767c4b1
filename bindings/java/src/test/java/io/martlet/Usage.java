// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/**
 * Owns what the tests count to see that nothing is left: threads, descriptors and memory of this
 * process, from /proc; and how much memory may grow.
 */
final class Usage {
    private static final int PAGE_BYTES = 4096;

    /**
     * By what the best of TRIES rounds may add to the memory. The heap is all there from the start
     * (pom.xml), so what grows is the native library's or the JVM's own: its compilers take some
     * now and then, and a leak takes it in each round.
     */
    private static final long GROWTH_BYTES_MAX = 2L << 20;
    private static final int TRIES = 3;

    private Usage() {}

    /** One life of something. */
    @FunctionalInterface
    interface Life {
        void live() throws Exception;
    }

    static void live(int lives, Life life) throws Exception {
        for (int at = 0; at < lives; at++) {
            life.live();
        }
    }

    /** So many lives leave the memory as it was; more may be lived than that. */
    static void assertFlatMemory(int lives, Life life) throws Exception {
        long before = residentBytes();
        List<Long> grown = new ArrayList<>();
        do {
            live(lives, life);
            long after = residentBytes();
            grown.add(after - before);
            before = after;
        } while (Collections.min(grown) > GROWTH_BYTES_MAX && grown.size() < TRIES);
        System.out.println("    " + lives + " lives each added bytes: " + grown);
        assertTrue(Collections.min(grown) <= GROWTH_BYTES_MAX, lives + " lives add " + grown);
    }

    /** Threads that are not the JVM's own. */
    static int threads() throws IOException {
        int count = 0;
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            for (Path task : tasks.toList()) {
                count += isOurs(task) ? 1 : 0;
            }
        }
        return count;
    }

    private static boolean isOurs(Path task) {
        try {
            String name = Files.readString(task.resolve("comm"));
            return Stream
                    .of("C1 ", "C2 ", "G1 ", "GC ", "VM ", "ForkJoin", "CompletableFut", "Sweeper")
                    .noneMatch(name::startsWith);
        } catch (IOException ended) {
            return false;
        }
    }

    static int descriptors() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return (int) all.count();
        }
    }

    /** After a collection. */
    static long residentBytes() throws IOException {
        System.gc();
        String pages = Files.readString(Path.of("/proc/self/statm")).split(" ")[1];
        return Long.parseLong(pages) * PAGE_BYTES;
    }
}
