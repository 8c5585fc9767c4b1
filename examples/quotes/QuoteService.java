// SPDX-License-Identifier: Apache-2.0
import io.martlet.Connection;
import io.martlet.Headers;
import io.martlet.Message;
import io.martlet.Nats;
import io.martlet.Options;
import io.martlet.Server;
import io.martlet.errors.MartletException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Owns the broker and what clients get of it: answers to {@code quote.SYMBOL}, updates on
 * {@code price.SYMBOL}, counts on {@code quotes.status}.
 *
 * <p>Lifecycle: start, {@link #take} prices, close. Any thread; prices from one at a time.
 */
final class QuoteService implements AutoCloseable {
    private static final String QUOTE = "quote.";
    private static final String PRICE = "price.";
    private static final String STATUS = "quotes.status";
    private static final Duration DRAIN = Duration.ofSeconds(5);
    private static final Duration FLUSH = Duration.ofSeconds(10);

    private final PriceBook book;
    private final Server server;
    private final Connection connection;
    private final AtomicLong answered = new AtomicLong();
    private final AtomicLong unknown = new AtomicLong();
    private final AtomicLong rejected = new AtomicLong();

    private QuoteService(PriceBook book, Server server, Connection connection) {
        this.book = book;
        this.server = server;
        this.connection = connection;
    }

    /**
     * Starts the broker, and answers when this returns.
     *
     * @param token what clients must bring; null: everybody is let in
     * @throws MartletException if the port is taken, or an option is wrong
     */
    static QuoteService start(PriceBook book, Server.Builder broker, String token)
            throws InterruptedException {
        Options.Builder options = Options.builder().connectionName("quotes");
        if (token != null) {
            broker.token(token);
            options.token(token);
        }
        Server server = broker.start();
        try {
            Connection connection = Nats.connect(server, options.build());
            QuoteService made = new QuoteService(book, server, connection);
            made.subscribe();
            return made;
        } catch (InterruptedException | RuntimeException failure) {
            server.close();
            throw failure;
        }
    }

    private void subscribe() throws InterruptedException {
        // Two dispatchers: whoever asks for the status does not wait behind those who ask for
        // quotes. The queue group lets several services share the questions.
        connection.createDispatcher(this::answer).subscribe(QUOTE + ">", "quotes");
        connection.createDispatcher(this::tellStatus).subscribe(STATUS);
        connection.flush(FLUSH);
    }

    /** What clients connect to. */
    String url() {
        return server.getUrl();
    }

    /**
     * Takes a price and publishes the quote.
     *
     * @throws IllegalArgumentException if it cannot be taken: the text says why
     */
    void take(Quote.Line line) {
        Quote quote = book.take(line);
        connection.publish(PRICE + quote.symbol(), quote.toJson());
    }

    /** A line of the feed was none. */
    void reject() {
        rejected.incrementAndGet();
    }

    /** How many there were. */
    long rejected() {
        return rejected.get();
    }

    private void answer(Message question) {
        String reply = question.getReplyTo();
        if (reply == null) {
            return; // Nobody waits for an answer.
        }
        String symbol = question.getSubject().substring(QUOTE.length());
        Optional<Quote> quote = book.find(symbol);
        if (quote.isPresent()) {
            connection.publish(reply, quote.get().toJson());
            answered.incrementAndGet();
        } else {
            String text = "no price of " + Quote.shown(symbol);
            Headers headers = new Headers()
                    .add("Nats-Service-Error-Code", "404")
                    .add("Nats-Service-Error", text);
            connection.publish(reply, headers, null);
            unknown.incrementAndGet();
        }
    }

    private void tellStatus(Message question) {
        String text = "{\"symbols\":" + book.size() + ",\"answered\":" + answered
                + ",\"unknown\":" + unknown + ",\"rejected\":" + rejected + "}";
        question.respond(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** Ends in order: what the broker has taken is answered, then clients are disconnected. */
    @Override
    public void close() {
        try {
            connection.drain(DRAIN).get(DRAIN.toMillis() * 2, TimeUnit.MILLISECONDS);
        } catch (MartletException | ExecutionException | TimeoutException failure) {
            System.err.println("quotes: not everything was answered: " + failure.getMessage());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            connection.close();
            server.close();
        }
    }
}
