// SPDX-License-Identifier: Apache-2.0

/**
 * Owns what a program may use of Martlet: the client, the broker, the exceptions, help for tests.
 */
module io.martlet {
    requires static transitive org.jspecify;
    requires static transitive org.junit.jupiter.api;

    exports io.martlet;
    exports io.martlet.errors;
    exports io.martlet.testing;
}
