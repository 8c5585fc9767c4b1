// SPDX-License-Identifier: Apache-2.0
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Owns the last quote of each symbol, of which there is a bounded number. Any thread. */
final class PriceBook {
    private final int symbolsMax;
    private final Clock clock;
    private final Map<String, Quote> quotes = new ConcurrentHashMap<>();

    PriceBook(int symbolsMax, Clock clock) {
        this.symbolsMax = symbolsMax;
        this.clock = clock;
    }

    /**
     * Takes a price. One thread at a time.
     *
     * @return the new quote
     * @throws IllegalArgumentException if it is of a new symbol and there are too many
     */
    Quote take(Quote.Line line) {
        Quote known = quotes.get(line.symbol());
        if (known == null && quotes.size() >= symbolsMax) {
            throw new IllegalArgumentException(
                    line.symbol() + " would be more than " + symbolsMax + " symbols");
        }
        long sequence = known == null ? 1 : known.sequence() + 1;
        Quote quote = new Quote(line.symbol(), line.price(), sequence, clock.instant());
        quotes.put(line.symbol(), quote);
        return quote;
    }

    Optional<Quote> find(String symbol) {
        return Optional.ofNullable(quotes.get(symbol));
    }

    int size() {
        return quotes.size();
    }
}
