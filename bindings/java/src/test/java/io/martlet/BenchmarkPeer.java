// SPDX-License-Identifier: Apache-2.0
package io.martlet;

/**
 * Owns what Benchmark asks of another broker that lives inside the program. Those that there are
 * (tests/performance/java_peers) are found on the class path; each runs as long as the program.
 */
interface BenchmarkPeer {
    /** As the rows name it. */
    String name();

    /** Takes clients when this returns. */
    void start() throws Exception;

    BenchmarkClient connect() throws Exception;
}
