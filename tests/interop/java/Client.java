// SPDX-License-Identifier: Apache-2.0
//
// jnats against the servers named in the environment. One line a check, a closing line, and
// `call WORD` lines by which it asks the runner to kill or start a server. See ../README.md.

package interop;

import static interop.Harness.MIB;
import static interop.Harness.QUIET_TIME;
import static interop.Harness.WAIT_TIME;
import static interop.Harness.call;
import static interop.Harness.env;
import static interop.Harness.equal;
import static interop.Harness.expect;
import static interop.Harness.expectNothing;
import static interop.Harness.next;
import static interop.Harness.numbered;
import static interop.Harness.options;
import static interop.Harness.publishAll;
import static interop.Harness.refused;
import static interop.Harness.runAll;
import static interop.Harness.subscribe;
import static interop.Harness.truth;
import static interop.Harness.until;
import static java.nio.charset.StandardCharsets.UTF_8;

import interop.Harness.Connections;
import io.nats.client.AuthenticationException;
import io.nats.client.Connection;
import io.nats.client.ConnectionListener.Events;
import io.nats.client.Dispatcher;
import io.nats.client.JetStreamStatusException;
import io.nats.client.Message;
import io.nats.client.Options;
import io.nats.client.Subscription;
import io.nats.client.api.ServerInfo;
import io.nats.client.impl.Headers;
import io.nats.client.impl.NatsMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

public final class Client {
  private Client() {}

  public static void main(String[] args) {
    Map<String, Harness.Check> checks = new LinkedHashMap<>();
    checks.put("connect_plain", Client::connectPlain);
    checks.put("server_info", Client::serverInfo);
    checks.put("connect_user", Client::connectUser);
    checks.put("connect_user_url", Client::connectUserUrl);
    checks.put("connect_user_wrong", Client::connectUserWrong);
    checks.put("connect_user_missing", Client::connectUserMissing);
    checks.put("connect_token", Client::connectToken);
    checks.put("connect_token_wrong", Client::connectTokenWrong);
    checks.put("publish_subscribe", Client::publishSubscribe);
    checks.put("binary_payload", Client::binaryPayload);
    checks.put("empty_payload", Client::emptyPayload);
    checks.put("wildcard_star", Client::wildcardStar);
    checks.put("wildcard_full", Client::wildcardFull);
    checks.put("queue_group", Client::queueGroup);
    checks.put("request_reply", Client::requestReply);
    checks.put("request_concurrent", Client::requestConcurrent);
    checks.put("request_timeout", Client::requestTimeout);
    checks.put("no_responders", Client::noResponders);
    checks.put("headers", Client::headers);
    checks.put("headers_request", Client::headersRequest);
    checks.put("payload_1mib", Client::payload1Mib);
    checks.put("max_payload", Client::maxPayload);
    checks.put("no_echo", Client::noEcho);
    checks.put("unsubscribe", Client::unsubscribe);
    checks.put("auto_unsubscribe", Client::autoUnsubscribe);
    checks.put("drain_subscription", Client::drainSubscription);
    checks.put("drain_connection", Client::drainConnection);
    checks.put("flush_rtt", Client::flushRtt);
    checks.put("verbose_pedantic", Client::verbosePedantic);
    checks.put("close", Client::close);
    checks.put("many_subscriptions", Client::manySubscriptions);
    checks.put("burst", Client::burst);
    checks.put("reconnect", Client::reconnect);
    System.exit(runAll(checks));
  }

  private static void connectPlain(Connections all) throws Exception {
    equal(all.open().getStatus(), Connection.Status.CONNECTED, "status");
  }

  private static void serverInfo(Connections all) throws Exception {
    ServerInfo info = all.open().getServerInfo();
    equal(info.getProtocolVersion(), 1, "proto");
    equal(info.getMaxPayload(), (long) MIB, "max_payload");
    equal(info.getClientIp(), "127.0.0.1", "client_ip");
    equal(info.getServerId().length(), 56, "length of server_id");
    truth(info.isHeadersSupported(), "no headers");
    truth(!info.isAuthRequired(), "auth_required");
    truth(info.isSameOrNewerThanVersion("2.15.0"), "version " + info.getVersion());
    truth(all.open().getServerInfo().getClientId() > info.getClientId(), "client ids rise");
    Options.Builder withToken = options(env("TOKEN")).token(env("TOKEN_WORD").toCharArray());
    truth(all.open(withToken).getServerInfo().isAuthRequired(), "no auth_required");
  }

  private static Options.Builder asUser(String password) {
    return options(env("USER")).userInfo(env("USER_NAME").toCharArray(), password.toCharArray());
  }

  private static void connectUser(Connections all) throws Exception {
    all.open(asUser(env("USER_PASSWORD"))).flush(WAIT_TIME);
  }

  private static void connectUserUrl(Connections all) throws Exception {
    String credentials = "//" + env("USER_NAME") + ":" + env("USER_PASSWORD") + "@";
    all.open(options(env("USER").replace("//", credentials))).flush(WAIT_TIME);
  }

  private static void notAuthorized(Connections all, Options.Builder options) throws Exception {
    options.connectionTimeout(Duration.ofSeconds(2)); // jnats waits for it even when refused.
    refused(() -> all.open(options), AuthenticationException.class, "authorization violation");
  }

  private static void connectUserWrong(Connections all) throws Exception {
    notAuthorized(all, asUser("wrong"));
  }

  private static void connectUserMissing(Connections all) throws Exception {
    notAuthorized(all, options(env("USER")));
  }

  private static void connectToken(Connections all) throws Exception {
    all.open(options(env("TOKEN")).token(env("TOKEN_WORD").toCharArray())).flush(WAIT_TIME);
    String credentials = "//" + env("TOKEN_WORD") + "@";
    all.open(options(env("TOKEN").replace("//", credentials))).flush(WAIT_TIME);
  }

  private static void connectTokenWrong(Connections all) throws Exception {
    notAuthorized(all, options(env("TOKEN")).token("wrong".toCharArray()));
  }

  private static void publishSubscribe(Connections all) throws Exception {
    Connection publisher = all.open();
    Connection receiver = all.open();
    Subscription subscription = subscribe(receiver, "ps.one");
    publishAll(publisher, "ps.one", numbered(1000));
    publishAll(publisher, "ps.two", List.of("elsewhere"));
    expect(subscription, numbered(1000));
    expectNothing(receiver, subscription);
  }

  private static void binaryPayload(Connections all) throws Exception {
    Connection connection = all.open();
    Subscription subscription = subscribe(connection, "binary");
    byte[] tail = "\r\nMSG x 1 1\r\nPING\r\n".getBytes(UTF_8);
    byte[] payload = new byte[256 + tail.length];
    for (int value = 0; value < 256; value++) {
      payload[value] = (byte) value;
    }
    System.arraycopy(tail, 0, payload, 256, tail.length);
    connection.publish("binary", payload);
    truth(Arrays.equals(next(subscription).getData(), payload), "the bytes differ");
  }

  private static void emptyPayload(Connections all) throws Exception {
    Connection connection = all.open();
    Subscription subscription = subscribe(connection, "empty");
    publishAll(connection, "empty", List.of("", "after"));
    expect(subscription, List.of("", "after"));
  }

  private static void matching(
      Connections all, String pattern, List<String> inside, List<String> outside)
      throws Exception {
    Connection connection = all.open();
    Subscription subscription = subscribe(connection, pattern);
    for (String subject : outside) {
      connection.publish(subject, new byte[0]);
    }
    for (String subject : inside) {
      connection.publish(subject, new byte[0]);
    }
    for (String subject : inside) {
      equal(next(subscription).getSubject(), subject, "subject");
    }
    expectNothing(connection, subscription);
  }

  private static void wildcardStar(Connections all) throws Exception {
    matching(
        all,
        "star.*.end",
        List.of("star.a.end", "star.b-1.end"),
        List.of("star.end", "star.a.b.end", "star.a.other", "star.a.end.more"));
  }

  private static void wildcardFull(Connections all) throws Exception {
    matching(
        all,
        "full.>",
        List.of("full.a", "full.a.b.c.d"),
        List.of("full", "fuller.a", "other.full.a"));
  }

  private static void queueGroup(Connections all) throws Exception {
    ConcurrentLinkedQueue<String> texts = new ConcurrentLinkedQueue<>();
    AtomicIntegerArray counts = new AtomicIntegerArray(3);
    for (int member = 0; member < 3; member++) {
      int index = member;
      Connection connection = all.open();
      Dispatcher dispatcher =
          connection.createDispatcher(
              message -> {
                counts.incrementAndGet(index);
                texts.add(new String(message.getData(), UTF_8));
              });
      dispatcher.subscribe("work.>", "workers");
      connection.flush(WAIT_TIME);
    }
    Connection publisher = all.open();
    Subscription everything = subscribe(publisher, "work.*");
    List<String> wanted = numbered(300);
    for (int index = 0; index < wanted.size(); index++) {
      publisher.publish("work." + index % 7, wanted.get(index).getBytes(UTF_8));
    }
    expect(everything, wanted);
    until(() -> texts.size() >= 300, "300 shared messages");
    Thread.sleep(QUIET_TIME.toMillis());
    equal(texts.stream().sorted().toList(), wanted.stream().sorted().toList(), "each once");
    for (int index = 0; index < 3; index++) {
      truth(counts.get(index) > 0, "a member had none: " + counts);
    }
  }

  /** A service that answers `re: ` and the text of the request. */
  private static void answer(Connection connection, String subject) throws Exception {
    Dispatcher dispatcher =
        connection.createDispatcher(
            message -> {
              byte[] text = ("re: " + new String(message.getData(), UTF_8)).getBytes(UTF_8);
              connection.publish(message.getReplyTo(), text);
            });
    dispatcher.subscribe(subject);
    connection.flush(WAIT_TIME);
  }

  private static void requestReply(Connections all) throws Exception {
    answer(all.open(), "ask");
    Connection oldStyle = all.open(options(env("OPEN")).oldRequestStyle());
    for (Connection client : List.of(all.open(), oldStyle)) {
      for (String text : numbered(20)) {
        Message reply = client.request("ask", text.getBytes(UTF_8), WAIT_TIME);
        truth(reply != null, "no reply");
        equal(new String(reply.getData(), UTF_8), "re: " + text, "reply");
      }
    }
  }

  private static void requestConcurrent(Connections all) throws Exception {
    answer(all.open(), "many.*");
    Connection client = all.open();
    List<String> texts = numbered(200);
    List<CompletableFuture<Message>> replies = new ArrayList<>();
    for (int index = 0; index < texts.size(); index++) {
      replies.add(client.request("many." + index, texts.get(index).getBytes(UTF_8)));
    }
    for (int index = 0; index < texts.size(); index++) {
      Message reply = replies.get(index).get(WAIT_TIME.toMillis(), TimeUnit.MILLISECONDS);
      equal(new String(reply.getData(), UTF_8), "re: " + texts.get(index), "reply");
    }
  }

  private static void requestTimeout(Connections all) throws Exception {
    subscribe(all.open(), "silent");
    Duration brief = Duration.ofMillis(300);
    Options.Builder options = options(env("OPEN")).useTimeoutException();
    Connection client = all.open(options.requestCleanupInterval(brief));
    refused(
        () -> client.requestWithTimeout("silent", null, brief).get(10, TimeUnit.SECONDS),
        TimeoutException.class,
        "");
    equal(all.open().request("silent", null, brief), null, "the reply of a silent service");
  }

  /** Who asks there is told that nobody listens; its request is cancelled, as jnats says it. */
  private static void nobodyAt(Connection connection, String subject) throws Exception {
    refused(
        () -> connection.request(subject, new byte[0]).get(10, TimeUnit.SECONDS),
        CancellationException.class,
        "");
  }

  private static void noResponders(Connections all) throws Exception {
    Connection client = all.open();
    nobodyAt(client, "nobody.home");
    Connection reporting = all.open(options(env("OPEN")).reportNoResponders());
    refused(
        () -> reporting.request("nobody.home", new byte[0]).get(10, TimeUnit.SECONDS),
        JetStreamStatusException.class,
        "503");
    Subscription inbox = subscribe(client, "my.inbox");
    client.publish("nobody.home", "my.inbox", new byte[0]);
    Message status = next(inbox);
    truth(status.isStatusMessage(), "no status message");
    equal(status.getStatus().getCode(), 503, "status");
  }

  private static void headers(Connections all) throws Exception {
    Connection connection = all.open();
    Subscription subscription = subscribe(connection, "headers");
    Headers sent = new Headers();
    sent.put("One", "1");
    sent.put("Many", "first", "second");
    sent.put("lower-case", "a b  c");
    connection.publish("headers", sent, "body".getBytes(UTF_8));
    connection.publish("headers", new Headers().put("Only", "headers"), new byte[0]);
    connection.publish("headers", "plain".getBytes(UTF_8));
    Message first = next(subscription);
    equal(first.getHeaders().keySet(), Set.of("One", "Many", "lower-case"), "keys");
    equal(first.getHeaders().get("One"), List.of("1"), "One");
    equal(first.getHeaders().get("Many"), List.of("first", "second"), "Many");
    equal(first.getHeaders().get("lower-case"), List.of("a b  c"), "lower-case");
    equal(new String(first.getData(), UTF_8), "body", "payload");
    Message second = next(subscription);
    equal(second.getHeaders().getFirst("Only"), "headers", "headers alone");
    equal(second.getData().length, 0, "payload beside headers alone");
    Message third = next(subscription);
    truth(!third.hasHeaders(), "headers on a plain message");
    equal(new String(third.getData(), UTF_8), "plain", "payload");
  }

  private static void headersRequest(Connections all) throws Exception {
    Connection server = all.open();
    Dispatcher dispatcher =
        server.createDispatcher(
            message -> {
              Headers echoed = new Headers().put("Echo", message.getHeaders().getFirst("Ask"));
              server.publish(message.getReplyTo(), echoed, "yes".getBytes(UTF_8));
            });
    dispatcher.subscribe("ask.headers");
    server.flush(WAIT_TIME);
    Message asked =
        NatsMessage.builder()
            .subject("ask.headers")
            .headers(new Headers().put("Ask", "me"))
            .data("?")
            .build();
    Message reply = all.open().request(asked, WAIT_TIME);
    truth(reply != null, "no reply");
    equal(reply.getHeaders().getFirst("Echo"), "me", "the reply's header");
    equal(new String(reply.getData(), UTF_8), "yes", "reply");
  }

  private static void payload1Mib(Connections all) throws Exception {
    Connection publisher = all.open();
    Subscription subscription = subscribe(all.open(), "large");
    byte[] payload = new byte[MIB];
    new Random(7).nextBytes(payload);
    for (int index = 0; index < 5; index++) {
      publisher.publish("large", payload);
    }
    publisher.flush(WAIT_TIME);
    for (int index = 0; index < 5; index++) {
      truth(Arrays.equals(next(subscription).getData(), payload), "the bytes differ");
    }
  }

  private static void maxPayload(Connections all) throws Exception {
    Connection connection = all.open();
    equal(connection.getMaxPayload(), (long) MIB, "max_payload");
    refused(
        () -> {
          connection.publish("large", new byte[MIB + 1]);
          return "success";
        },
        IllegalArgumentException.class,
        "payload");
    connection.flush(WAIT_TIME);
  }

  private static void noEcho(Connections all) throws Exception {
    Connection silent = all.open(options(env("OPEN")).noEcho());
    Subscription subscription = subscribe(silent, "echo");
    publishAll(silent, "echo", List.of("own"));
    publishAll(all.open(), "echo", List.of("other's"));
    expect(subscription, List.of("other's"));
    expectNothing(silent, subscription);
  }

  private static void unsubscribe(Connections all) throws Exception {
    Connection connection = all.open();
    Connection publisher = all.open();
    AtomicInteger gone = new AtomicInteger();
    Dispatcher dispatcher = connection.createDispatcher(message -> gone.incrementAndGet());
    dispatcher.subscribe("un");
    Subscription second = subscribe(connection, "un");
    publishAll(publisher, "un", List.of("1"));
    expect(second, List.of("1"));
    until(() -> gone.get() == 1, "the first's message");
    dispatcher.unsubscribe("un");
    connection.flush(WAIT_TIME);
    publishAll(publisher, "un", List.of("2"));
    expect(second, List.of("2"));
    equal(gone.get(), 1, "messages of the first");
  }

  private static void autoUnsubscribe(Connections all) throws Exception {
    Connection connection = all.open();
    Connection publisher = all.open();
    Subscription subscription = subscribe(connection, "auto");
    subscription.unsubscribe(5);
    connection.flush(WAIT_TIME);
    publishAll(publisher, "auto", numbered(10));
    expect(subscription, numbered(5));
    refused(() -> subscription.nextMessage(WAIT_TIME), IllegalStateException.class, "");
    nobodyAt(publisher, "auto");
  }

  private static void drainSubscription(Connections all) throws Exception {
    Connection connection = all.open();
    Connection publisher = all.open();
    Subscription subscription = subscribe(connection, "drain");
    publishAll(publisher, "drain", numbered(100));
    CompletableFuture<Boolean> drained = subscription.drain(WAIT_TIME);
    expect(subscription, numbered(100));
    equal(drained.get(10, TimeUnit.SECONDS), true, "drained");
    nobodyAt(publisher, "drain");
  }

  private static void drainConnection(Connections all) throws Exception {
    Connection publisher = all.open();
    Connection connection = all.open();
    Subscription replies = subscribe(publisher, "drained.reply");
    Dispatcher dispatcher =
        connection.createDispatcher(
            message -> connection.publish("drained.reply", message.getData()));
    dispatcher.subscribe("drained");
    connection.flush(WAIT_TIME);
    publishAll(publisher, "drained", numbered(100));
    equal(connection.drain(WAIT_TIME).get(10, TimeUnit.SECONDS), true, "drained");
    until(() -> connection.getStatus() == Connection.Status.CLOSED, "the connection's end");
    expect(replies, numbered(100));
  }

  private static void flushRtt(Connections all) throws Exception {
    Connection connection = all.open();
    for (int index = 0; index < 20; index++) {
      connection.flush(WAIT_TIME);
    }
    Duration trip = connection.RTT();
    truth(!trip.isNegative() && trip.compareTo(WAIT_TIME) < 0, "round trip " + trip);
  }

  private static void verbosePedantic(Connections all) throws Exception {
    Connection connection = all.open(options(env("OPEN")).verbose().pedantic());
    Subscription subscription = subscribe(connection, "verbose");
    publishAll(connection, "verbose", numbered(50));
    expect(subscription, numbered(50));
  }

  private static void close(Connections all) throws Exception {
    Connection connection = all.open();
    connection.close();
    refused(
        () -> {
          connection.publish("closed", new byte[0]);
          return "success";
        },
        IllegalStateException.class,
        "closed");
  }

  private static void manySubscriptions(Connections all) throws Exception {
    Connection connection = all.open();
    List<Subscription> subscriptions = new ArrayList<>();
    for (int index = 0; index < 2000; index++) {
      subscriptions.add(connection.subscribe("many." + index + ".*"));
    }
    for (int index = 0; index < 2000; index++) {
      connection.publish("many." + index + ".x", String.valueOf(index).getBytes(UTF_8));
    }
    for (int index = 0; index < 2000; index++) {
      expect(subscriptions.get(index), List.of(String.valueOf(index)));
    }
  }

  private static void burst(Connections all) throws Exception {
    Connection publisher = all.open();
    Subscription subscription = subscribe(all.open(), "burst");
    int count = 50_000;
    String padding = "x".repeat(120);
    for (int index = 0; index < count; index++) {
      publisher.publish("burst", (String.format("%08d", index) + padding).getBytes(UTF_8));
    }
    publisher.flush(WAIT_TIME);
    for (int index = 0; index < count; index++) {
      String number = new String(next(subscription).getData(), 0, 8, UTF_8);
      equal(Integer.valueOf(number), index, "order");
    }
  }

  private static void reconnect(Connections all) throws Exception {
    Set<Events> seen = Collections.synchronizedSet(EnumSet.noneOf(Events.class));
    Options.Builder options =
        options(env("RESTART"))
            .maxReconnects(-1)
            .reconnectWait(Duration.ofMillis(50))
            .reconnectJitter(Duration.ofMillis(1))
            .connectionListener((connection, event) -> seen.add(event));
    Connection connection = all.open(options);
    Subscription plain = subscribe(connection, "again.*");
    Subscription queue = connection.subscribe("again.>", "workers");
    publishAll(connection, "again.before", List.of("before"));
    expect(plain, List.of("before"));
    expect(queue, List.of("before"));
    call("kill");
    until(() -> seen.contains(Events.DISCONNECTED), "the loss");
    call("start");
    until(() -> seen.contains(Events.RESUBSCRIBED), "the return");
    publishAll(connection, "again.after", List.of("after"));
    expect(plain, List.of("after"));
    expect(queue, List.of("after"));
  }
}
