// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Owns what the tests count to see that nothing is left: threads, descriptors and memory of this
 * process, from /proc; and how much memory may grow.
 */
final class Usage {
    private static final int PAGE_BYTES = 4096;

    /**
     * What many lives may add to the memory. The heap is all there from the start (pom.xml), so what
     * grows is the native library's or the JVM's own: its compilers take some now and then.
     */
    private static final long GROWTH_BYTES_MAX = 2L << 20;
    private static final int HALVES_MAX = 16;

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

    /**
     * So many lives leave the memory as it was. If they do not, half as many are lived again and the
     * latest lives judged: what a compiler takes, it takes once. One half alone is not judged, for a
     * leak may find room in what the allocator had kept.
     */
    static void assertFlatMemory(int lives, Life life) throws Exception {
        List<Long> resident = new ArrayList<>(List.of(residentBytes()));
        long grown;
        do {
            live(lives / 2, life);
            resident.add(residentBytes());
            int halves = resident.size() - 1;
            grown = halves < 2 ? Long.MAX_VALUE : resident.get(halves) - resident.get(halves - 2);
        } while (grown > GROWTH_BYTES_MAX && resident.size() <= HALVES_MAX);
        System.out.println("    " + lives + " lives added " + (grown >> 10) + " KiB");
        assertTrue(grown <= GROWTH_BYTES_MAX, lives + " lives and more: " + resident + " bytes");
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
