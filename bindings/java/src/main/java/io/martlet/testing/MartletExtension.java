// SPDX-License-Identifier: Apache-2.0
package io.martlet.testing;

import io.martlet.Connection;
import io.martlet.Nats;
import io.martlet.Server;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Owns the JUnit 5 extension that gives each test a broker of its own: a parameter of type {@link
 * Server} is a running one on a free port, a {@link Connection} is one to it, inside the process.
 * Both are closed after the test.
 *
 * <pre>{@code
 * @ExtendWith(MartletExtension.class)
 * class GreetingTest {
 *     @Test
 *     void greets(Server server, Connection connection) { ... }
 * }
 * }</pre>
 */
public final class MartletExtension implements ParameterResolver {
    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(MartletExtension.class);

    /** Made by JUnit. */
    public MartletExtension() {}

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
        Class<?> type = parameter.getParameter().getType();
        return type == Server.class || type == Connection.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
        ExtensionContext.Store store = test.getStore(NAMESPACE);
        Held<Server> server = store.getOrComputeIfAbsent(Server.class,
                type -> new Held<>(Server.start()), heldClass());
        if (parameter.getParameter().getType() == Server.class) {
            return server.value();
        }
        Held<Connection> connection = store.getOrComputeIfAbsent(Connection.class,
                type -> new Held<>(connect(server.value())), heldClass());
        return connection.value();
    }

    /** What the store closes after the test, the last that was made first. */
    private record Held<T extends AutoCloseable>(T value)
            implements ExtensionContext.Store.CloseableResource {
        @Override
        public void close() throws Throwable {
            value.close();
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends AutoCloseable> Class<Held<T>> heldClass() {
        return (Class<Held<T>>) (Class<?>) Held.class;
    }

    private static Connection connect(Server server) {
        try {
            return Nats.connect(server);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while connecting", interrupted);
        }
    }
}
