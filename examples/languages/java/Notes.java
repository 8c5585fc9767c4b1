// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Owns what a guest publishes, and what it notes of the messages that it got; the same as notes.py,
 * worked out again. Knows no client.
 */
final class Notes {
    private static final long SECONDS_MAX = 120;

    /** Publishes one message. */
    @FunctionalInterface
    interface Publisher {
        void publish(String subject, byte[] payload) throws Exception;
    }

    private final List<String> flights;
    private final int number;
    private final MessageDigest[] chains;
    private final CountDownLatch complete = new CountDownLatch(1);
    private long messages;
    private long bytes;

    Notes(int number, int guests, Path path) throws IOException {
        this.number = number;
        flights = Files.readAllLines(path, StandardCharsets.ISO_8859_1);
        chains = new MessageDigest[guests];
        for (int index = 0; index < guests; index++) {
            chains[index] = sha256();
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible); // Every Java has it.
        }
    }

    static void tell(String more) {
        System.out.println("{\"event\": " + more + "}");
        System.out.flush();
    }

    /** This guest's share, in its order. */
    void publishShare(Publisher publisher) throws Exception {
        for (int index = number; index < flights.size(); index += chains.length) {
            String flight = flights.get(index);
            int tab = flight.indexOf('\t');
            publisher.publish("flights." + number + "." + flight.substring(0, tab),
                    flight.substring(tab + 1).getBytes(StandardCharsets.ISO_8859_1));
        }
    }

    /** A message that came. One thread. */
    synchronized void add(String subject, byte[] payload) {
        int begin = subject.indexOf('.') + 1;
        int publisher = Integer.parseInt(subject.substring(begin, subject.indexOf('.', begin)));
        MessageDigest chain = chains[publisher];
        chain.update((subject + " ").getBytes(StandardCharsets.UTF_8));
        chain.update(payload);
        chain.update((byte) '\n');
        bytes += payload.length;
        if (++messages == flights.size()) {
            complete.countDown();
        }
    }

    /** Waits until all came, or for as long as a guest may; what there is then is told. */
    void tellResult() throws InterruptedException {
        complete.await(SECONDS_MAX, TimeUnit.SECONDS);
        MessageDigest whole = sha256();
        synchronized (this) {
            for (MessageDigest chain : chains) {
                whole.update(chain.digest());
            }
            tell("\"result\", \"messages\": " + messages + ", \"bytes\": " + bytes
                    + ", \"digest\": \"" + HexFormat.of().formatHex(whole.digest()) + "\"");
        }
    }
}
