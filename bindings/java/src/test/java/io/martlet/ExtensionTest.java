// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import static io.martlet.Place.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.martlet.errors.ClosedException;
import io.martlet.testing.MartletExtension;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Goal: each test gets a broker of its own, and it is gone afterwards. Method: two tests note their
 * brokers; after all of them they are closed, and were not the same.
 */
@ExtendWith(MartletExtension.class)
class ExtensionTest {
    private static final Set<Server> SEEN = new HashSet<>();

    @Test
    void oneTestHasABroker(Server server, Connection connection) throws Exception {
        assertTrue(SEEN.add(server));
        assertSame(server, connection.getServer());
        connection.flush(SOON);
        assertEquals(1, server.getStatistics().getConnections());
    }

    @Test
    void anotherTestHasAnother(Connection connection, Server server) throws Exception {
        assertTrue(SEEN.add(server));
        connection.flush(SOON);
        assertEquals(1, server.getStatistics().getConnections());
    }

    @AfterAll
    static void theyAreGone() {
        assertEquals(2, SEEN.size());
        for (Server server : SEEN) {
            assertThrows(ClosedException.class, server::getPort);
        }
    }
}
