// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.raw.NativeLibrary;
import io.martlet.raw.Raw;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Owns the ways to connect. Any thread. Since 0.1.0. */
public final class Nats {
    /** Where a server listens that nobody told otherwise. */
    public static final String DEFAULT_URL = "nats://127.0.0.1:4222";

    private Nats() {}

    /**
     * Connects to a server on this machine.
     *
     * @return a connection
     * @throws InterruptedException if the thread was interrupted
     * @throws io.martlet.errors.NoServersException if there is none
     */
    public static Connection connect() throws InterruptedException {
        return connect(DEFAULT_URL);
    }

    /**
     * Connects to a server.
     *
     * @param url such as nats://user:password@host:4222; several are joined by commas
     * @return a connection
     * @throws InterruptedException if the thread was interrupted
     * @throws io.martlet.errors.NoServersException if none of them could be reached
     * @throws io.martlet.errors.AuthorizationException if it refused us
     */
    public static Connection connect(String url) throws InterruptedException {
        return connect(Options.builder().server(url).build());
    }

    /**
     * Connects by options.
     *
     * @param options what is wanted
     * @return a connection
     * @throws InterruptedException if the thread was interrupted
     * @throws io.martlet.errors.OptionsException if an option is wrong: the text names it
     * @throws io.martlet.errors.NoServersException if no server could be reached
     * @throws io.martlet.errors.AuthorizationException if it refused us
     */
    public static Connection connect(Options options) throws InterruptedException {
        return awaited(begin(options, null));
    }

    /**
     * Connects to a broker in this program, without a socket.
     *
     * @param server the broker
     * @return a connection
     * @throws InterruptedException if the thread was interrupted
     */
    public static Connection connect(Server server) throws InterruptedException {
        return connect(server, Options.builder().build());
    }

    /**
     * Connects to a broker in this program, without a socket.
     *
     * @param server the broker
     * @param options what is wanted, without addresses
     * @return a connection
     * @throws InterruptedException if the thread was interrupted
     * @throws io.martlet.errors.OptionsException if an option is wrong: the text names it
     */
    public static Connection connect(Server server, Options options) throws InterruptedException {
        return awaited(begin(options, Objects.requireNonNull(server, "server")));
    }

    /**
     * Begins to connect.
     *
     * @param options what is wanted
     * @return completed with the connection, or with the reason why there is none
     */
    public static CompletableFuture<Connection> connectAsync(Options options) {
        Connection made = begin(options, null);
        return made.core().connected.thenApply(done -> made);
    }

    /**
     * Begins to connect to a broker in this program.
     *
     * @param server the broker
     * @param options what is wanted, without addresses
     * @return completed with the connection, or with the reason why there is none
     */
    public static CompletableFuture<Connection> connectAsync(Server server, Options options) {
        Connection made = begin(options, Objects.requireNonNull(server, "server"));
        return made.core().connected.thenApply(done -> made);
    }

    /**
     * The release of the native library.
     *
     * @return such as 0.1.0
     * @throws io.martlet.errors.NativeLibraryException if it cannot be loaded
     */
    public static String libraryVersion() {
        return NativeLibrary.version();
    }

    /**
     * What is linked into the native library, with the versions.
     *
     * @return names, such as OpenSSL, and their versions, in the order of the names
     * @throws io.martlet.errors.NativeLibraryException if it cannot be loaded
     */
    public static Map<String, String> linkedVersions() {
        NativeLibrary.load();
        long[] text = new long[1];
        Raw.martlet_linked_versions(text);
        Map<String, String> found = new TreeMap<>();
        Json.object(Texts.take(text[0]))
                .forEach((name, version) -> found.put(name, String.valueOf(version)));
        return found;
    }

    private static Connection begin(Options options, @Nullable Server server) {
        Objects.requireNonNull(options, "options");
        Connection made = new Connection(new ConnectionCore(options, server), options, server);
        made.core().start();
        return made;
    }

    private static Connection awaited(Connection made) throws InterruptedException {
        try {
            Blocking.get(made.core().connected, null);
            return made;
        } catch (InterruptedException | RuntimeException failure) {
            made.core().close();
            throw failure;
        }
    }
}
