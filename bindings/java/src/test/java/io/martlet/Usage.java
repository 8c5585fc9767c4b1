// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Owns what the tests count to see that nothing is left: threads, descriptors and memory of this
 * process, from /proc.
 */
final class Usage {
    private static final int PAGE_BYTES = 4096;

    private Usage() {}

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
