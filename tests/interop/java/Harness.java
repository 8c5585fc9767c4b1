// SPDX-License-Identifier: Apache-2.0
//
// What the checks of Client.java stand on: connections that end with their check, complaints that
// end a check, time limits, and the lines the runner reads. Does not know what is checked.

package interop;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.nats.client.Connection;
import io.nats.client.Consumer;
import io.nats.client.ErrorListener;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.Subscription;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

final class Harness {
  static final Duration CHECK_TIME = Duration.ofSeconds(30);
  static final Duration WAIT_TIME = Duration.ofSeconds(10);
  // Nothing more may come within it; a flush before makes that a sure thing.
  static final Duration QUIET_TIME = Duration.ofMillis(150);
  static final int MIB = 1024 * 1024;

  private static final BufferedReader INPUT =
      new BufferedReader(new InputStreamReader(System.in, UTF_8));

  private Harness() {}

  /** What a check throws when it is not satisfied. */
  static final class Complaint extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Complaint(String text) {
      super(text);
    }
  }

  interface Check {
    void run(Connections all) throws Exception;
  }

  /** Connections of one check; the check's end closes them all, however it ended. */
  static final class Connections implements AutoCloseable {
    private final List<Connection> opened = new ArrayList<>();

    Connection open() throws Exception {
      return open(options(env("OPEN")));
    }

    Connection open(Options.Builder options) throws Exception {
      Connection connection = Nats.connect(options.build());
      opened.add(connection);
      return connection;
    }

    @Override
    public void close() {
      for (Connection connection : opened) {
        try {
          connection.close();
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  /** Keeps the client from writing the errors that a check provokes to the screen. */
  private static final class Silent implements ErrorListener {
    @Override
    public void errorOccurred(Connection connection, String error) {}

    @Override
    public void exceptionOccurred(Connection connection, Exception exception) {}

    @Override
    public void slowConsumerDetected(Connection connection, Consumer consumer) {}
  }

  static String env(String name) {
    return Objects.requireNonNull(System.getenv("INTEROP_" + name), name);
  }

  static Options.Builder options(String url) {
    return Options.builder()
        .server(url)
        .connectionTimeout(Duration.ofSeconds(5))
        .noReconnect()
        .errorListener(new Silent());
  }

  static void truth(boolean condition, String what) {
    if (!condition) {
      throw new Complaint(what);
    }
  }

  static void equal(Object found, Object wanted, String what) {
    truth(
        Objects.equals(found, wanted),
        what + ": " + shortened(found) + " instead of " + shortened(wanted));
  }

  private static String shortened(Object value) {
    String text = String.valueOf(value);
    return text.length() > 120 ? text.substring(0, 120) : text;
  }

  interface Action {
    Object run() throws Exception;
  }

  /** The action fails with this kind of exception, itself or as a cause, and its words. */
  static void refused(Action action, Class<? extends Throwable> kind, String words)
      throws Exception {
    Object result;
    try {
      result = action.run();
    } catch (Exception error) {
      for (Throwable one = error; one != null; one = one.getCause()) {
        if (kind.isInstance(one)) {
          String text = String.valueOf(one.getMessage());
          truth(text.toLowerCase().contains(words), kind.getSimpleName() + " says: " + text);
          return;
        }
      }
      throw error;
    }
    throw new Complaint("no " + kind.getSimpleName() + ", but " + result);
  }

  static List<String> numbered(int count) {
    return IntStream.range(0, count).mapToObj(index -> "message " + index).toList();
  }

  static void publishAll(Connection connection, String subject, List<String> texts)
      throws Exception {
    for (String text : texts) {
      connection.publish(subject, text.getBytes(UTF_8));
    }
    connection.flush(WAIT_TIME);
  }

  static Subscription subscribe(Connection connection, String subject) throws Exception {
    Subscription subscription = connection.subscribe(subject);
    subscription.setPendingLimits(-1, -1);
    connection.flush(WAIT_TIME);
    return subscription;
  }

  static Message next(Subscription subscription) throws Exception {
    Message message = subscription.nextMessage(WAIT_TIME);
    truth(message != null, "no message came");
    return message;
  }

  static void expect(Subscription subscription, List<String> wanted) throws Exception {
    for (int index = 0; index < wanted.size(); index++) {
      byte[] found = next(subscription).getData();
      if (!Arrays.equals(found, wanted.get(index).getBytes(UTF_8))) {
        equal(new String(found, UTF_8), wanted.get(index), "message " + index);
      }
    }
  }

  static void expectNothing(Connection connection, Subscription subscription) throws Exception {
    connection.flush(WAIT_TIME);
    Message message = subscription.nextMessage(QUIET_TIME);
    truth(message == null, "one too many: " + message);
  }

  static void until(BooleanSupplier condition, String what) throws InterruptedException {
    long end = System.nanoTime() + WAIT_TIME.toNanos();
    while (!condition.getAsBoolean()) {
      truth(System.nanoTime() < end, "waited in vain for " + what);
      Thread.sleep(5);
    }
  }

  /** Asks the runner to do something to the server that can be restarted. */
  static void call(String word) throws Exception {
    System.out.println("call " + word);
    equal(INPUT.readLine(), "done", "the runner's answer");
  }

  static int runAll(Map<String, Check> checks) {
    int passed = 0;
    int failed = 0;
    ExecutorService executor = Executors.newCachedThreadPool();
    for (Map.Entry<String, Check> one : checks.entrySet()) {
      String text = runOne(executor, one.getValue());
      if (text == null) {
        System.out.println("ok " + one.getKey());
        passed++;
      } else {
        System.out.println("not ok " + one.getKey() + ": " + text.replace('\n', ' '));
        failed++;
      }
    }
    System.out.println(passed + " passed, " + failed + " failed");
    return failed > 0 ? 1 : 0;
  }

  /** Why the check failed, or null. */
  private static String runOne(ExecutorService executor, Check check) {
    var running =
        executor.submit(
            () -> {
              try (Connections all = new Connections()) {
                check.run(all);
              }
              return null;
            });
    try {
      running.get(CHECK_TIME.toMillis(), TimeUnit.MILLISECONDS);
      return null;
    } catch (ExecutionException error) {
      Throwable cause = error.getCause();
      if (!(cause instanceof Complaint)) {
        cause.printStackTrace();
      }
      return cause instanceof Complaint ? cause.getMessage() : cause.toString();
    } catch (TimeoutException error) {
      running.cancel(true);
      return "not within " + CHECK_TIME;
    } catch (InterruptedException error) {
      return "interrupted";
    }
  }
}
