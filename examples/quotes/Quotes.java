// SPDX-License-Identifier: Apache-2.0
import io.martlet.Server;
import io.martlet.errors.ClosedException;
import io.martlet.errors.DrainingException;
import io.martlet.errors.MartletException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.CountDownLatch;

/**
 * The program: a quote service with a broker inside, fed by lines on its input. Owns the arguments,
 * the feed and the end. See README.md.
 */
final class Quotes {
    private static final String USAGE = """
            usage: java Quotes [OPTION...] < FEED
              --host ADDRESS  to listen on (127.0.0.1)
              --port N        0: any free one (4222)
              --prices FILE   prices to begin with, lines as in the feed
              --symbols N     different symbols at most (10000)
            QUOTES_TOKEN in the environment: the token that clients must bring
            A line of the feed is a symbol and a price: ACME 12.34""";

    private static final int LINE_CHARACTERS_MAX = 1024;
    private static final long TELL_PAUSE_NS = 1_000_000_000L;

    private final QuoteService service;
    private long toldRejected;
    private long toldAt = System.nanoTime() - TELL_PAUSE_NS;

    private Quotes(QuoteService service) {
        this.service = service;
    }

    /** What the command line says. */
    private record Arguments(String host, int port, Path prices, int symbols) {
        static Arguments of(String[] words) {
            String host = "127.0.0.1";
            int port = 4222;
            Path prices = null;
            int symbols = 10_000;
            for (int at = 0; at < words.length; at += 2) {
                String value = at + 1 < words.length ? words[at + 1] : null;
                switch (words[at]) {
                    case "--host" -> host = given(words[at], value);
                    case "--port" -> port = number(words[at], value, 0, 65_535);
                    case "--prices" -> prices = Path.of(given(words[at], value));
                    case "--symbols" -> symbols = number(words[at], value, 1, 10_000_000);
                    default -> throw new IllegalArgumentException("no option " + words[at]);
                }
            }
            return new Arguments(host, port, prices, symbols);
        }

        private static String given(String name, String value) {
            if (value == null) {
                throw new IllegalArgumentException(name + " lacks its value");
            }
            return value;
        }

        private static int number(String name, String value, int min, int max) {
            String text = given(name, value);
            if (!text.matches("[0-9]{1,9}") || Integer.parseInt(text) < min
                    || Integer.parseInt(text) > max) {
                throw new IllegalArgumentException(
                        name + " must be a number from " + min + " to " + max + ", not " + text);
            }
            return Integer.parseInt(text);
        }
    }

    public static void main(String[] words) throws InterruptedException {
        Arguments arguments;
        try {
            arguments = Arguments.of(words);
        } catch (IllegalArgumentException wrong) {
            System.err.println("quotes: " + wrong.getMessage());
            System.err.println(USAGE);
            System.exit(2);
            return;
        }
        try {
            run(arguments);
        } catch (MartletException | IOException | IllegalArgumentException failure) {
            System.err.println("quotes: " + failure.getMessage());
            System.exit(1);
        }
    }

    private static void run(Arguments arguments) throws IOException, InterruptedException {
        PriceBook book = new PriceBook(arguments.symbols(), Clock.systemUTC());
        if (arguments.prices() != null) {
            load(arguments.prices(), book);
        }
        Server.Builder broker = Server.builder().host(arguments.host()).port(arguments.port());
        QuoteService service = QuoteService.start(book, broker, System.getenv("QUOTES_TOKEN"));
        // A signal ends the virtual machine by this, with the status that the signal stands for.
        Runtime.getRuntime().addShutdownHook(new Thread(service::close, "end"));
        System.out.println("broker: " + service.url());
        System.out.flush();
        new Quotes(service).feed(System.in);
        new CountDownLatch(1).await(); // The feed is over; quotes are still asked for.
    }

    /** Prices to begin with: a wrong line is an error. */
    private static void load(Path file, PriceBook book) throws IOException {
        if (!Files.isReadable(file)) {
            throw new IOException(file + " cannot be read");
        }
        int number = 0;
        for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
            number++;
            try {
                book.take(Quote.Line.of(line));
            } catch (IllegalArgumentException wrong) {
                throw new IllegalArgumentException(
                        file + ":" + number + ": " + wrong.getMessage(), wrong);
            }
        }
    }

    /** Until its end. A wrong line is told and passed over. */
    private void feed(InputStream input) throws IOException {
        BufferedReader reader =
                new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8));
        try {
            for (long number = 1;; number++) {
                String line = nextLine(reader);
                if (line == null) {
                    break;
                }
                try {
                    service.take(Quote.Line.of(line));
                } catch (IllegalArgumentException wrong) {
                    reject(number, wrong.getMessage());
                }
            }
        } catch (ClosedException | DrainingException over) {
            return; // The end has begun, by a signal.
        }
        if (service.rejected() > toldRejected) {
            tell("at the end of the feed");
        }
    }

    /** A line without its end, or the beginning of one that is too long; null at the end. */
    private static String nextLine(BufferedReader reader) throws IOException {
        StringBuilder line = new StringBuilder();
        int read = reader.read();
        if (read < 0) {
            return null;
        }
        for (; read >= 0 && read != '\n'; read = reader.read()) {
            if (line.length() <= LINE_CHARACTERS_MAX) {
                line.append((char) read);
            }
        }
        return line.toString();
    }

    /** Tells of the first, and then at most once a second. */
    private void reject(long number, String why) {
        service.reject();
        if (System.nanoTime() - toldAt >= TELL_PAUSE_NS) {
            tell("line " + number + ": " + why);
        }
    }

    private void tell(String text) {
        long rejected = service.rejected();
        System.err.println("quotes: " + (rejected - toldRejected) + " lines rejected, " + text);
        toldRejected = rejected;
        toldAt = System.nanoTime();
    }
}
