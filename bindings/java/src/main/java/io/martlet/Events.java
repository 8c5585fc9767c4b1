// SPDX-License-Identifier: Apache-2.0
package io.martlet;

import io.martlet.errors.MartletException;
import io.martlet.raw.Abi;
import java.lang.ref.WeakReference;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Owns what a connection tells its listeners, in order, on a thread that lives while there is
 * something to tell. A failure that nobody listens to is logged. It does not keep the connection
 * alive.
 */
final class Events {
    static final System.Logger LOGGER = System.getLogger("io.martlet");
    private static final int WAITING_MAX = 65536;

    private final @Nullable ConnectionListener listener;
    private final @Nullable ErrorListener errors;
    private final @Nullable ThreadPoolExecutor teller;
    private volatile WeakReference<Connection> connection = new WeakReference<>(null);

    Events(Options options) {
        listener = options.getConnectionListener();
        errors = options.getErrorListener();
        teller = listener == null && errors == null ? null : makeTeller();
    }

    private static ThreadPoolExecutor makeTeller() {
        ThreadPoolExecutor made = new ThreadPoolExecutor(1, 1, 200, TimeUnit.MILLISECONDS,
                new LinkedBlockingQueue<>(WAITING_MAX), body -> {
                    Thread thread = new Thread(body, "martlet-listener");
                    thread.setDaemon(true);
                    return thread;
                }, new ThreadPoolExecutor.DiscardPolicy());
        made.allowCoreThreadTimeOut(true);
        return made;
    }

    void setConnection(Connection made) {
        connection = new WeakReference<>(made);
    }

    /** Tells of an event of the C ABI. */
    void tell(int kind, int status, String text) {
        switch (kind) {
            case Abi.KIND_CONNECTED -> tell(ConnectionListener.Events.CONNECTED);
            case Abi.KIND_RECONNECTED -> tell(ConnectionListener.Events.RECONNECTED);
            case Abi.KIND_RECONNECTING -> tell(ConnectionListener.Events.RECONNECTING);
            case Abi.KIND_DISCOVERED_SERVERS -> tell(ConnectionListener.Events.DISCOVERED_SERVERS);
            case Abi.KIND_LAME_DUCK -> tell(ConnectionListener.Events.LAME_DUCK);
            case Abi.KIND_DISCONNECTED -> {
                lost("disconnected", status, text);
                tell(ConnectionListener.Events.DISCONNECTED);
            }
            case Abi.KIND_CLOSED -> {
                lost("closed", status, text);
                tell(ConnectionListener.Events.CLOSED);
            }
            case Abi.KIND_ERROR -> error(status, text);
            case Abi.KIND_SLOW_CONSUMER -> slowConsumer(text);
            default -> { } // A newer library's.
        }
    }

    private void tell(ConnectionListener.Events type) {
        ConnectionListener known = listener;
        if (known != null) {
            later(owner -> known.connectionEvent(owner, type));
        }
    }

    private void lost(String what, int status, String text) {
        if (status < 0 && errors != null) {
            exception(MartletException.of(status, text));
        } else if (status < 0) {
            LOGGER.log(System.Logger.Level.DEBUG, () -> what + ": " + text);
        }
    }

    private void error(int status, String text) {
        ErrorListener known = errors;
        if (known != null) {
            later(owner -> known.errorOccurred(owner, MartletException.of(status, text)));
        } else {
            LOGGER.log(System.Logger.Level.WARNING, text);
        }
    }

    void slowConsumer(String text) {
        ErrorListener known = errors;
        if (known != null) {
            later(owner -> known.slowConsumerDetected(owner, text));
        } else {
            LOGGER.log(System.Logger.Level.WARNING, text);
        }
    }

    /**
     * A handler, a listener or a future's reader threw it, or it is why the connection was lost.
     */
    void exception(Throwable thrown) {
        ErrorListener known = errors;
        if (known == null) {
            LOGGER.log(System.Logger.Level.WARNING, "a callback failed", thrown);
        } else if (thrown instanceof Exception exception) {
            later(owner -> known.exceptionOccurred(owner, exception));
        } else {
            later(owner -> known.exceptionOccurred(owner, new IllegalStateException(thrown)));
        }
    }

    private void later(java.util.function.Consumer<Connection> body) {
        Connection owner = connection.get();
        if (owner == null || teller == null) {
            return; // It was dropped: nobody can be meant.
        }
        teller.execute(() -> {
            try {
                body.accept(owner);
            } catch (Throwable failure) {
                LOGGER.log(System.Logger.Level.WARNING, "a listener failed", failure);
            }
        });
    }

    /** Whether this thread is the listeners'. */
    static boolean isListenerThread() {
        return "martlet-listener".equals(Thread.currentThread().getName());
    }
}
