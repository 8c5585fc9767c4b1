// SPDX-License-Identifier: Apache-2.0
//
// nats.js against the servers named in the environment. One line a check, a closing line, and
// `call WORD` lines by which it asks the runner to kill or start a server. See ../README.md.

import { deepStrictEqual, ok as truth } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { connect, headers as newHeaders } from "@nats-io/transport-node";
import {
  AuthorizationError,
  ClosedConnectionError,
  InvalidArgumentError,
  NoRespondersError,
  RequestError,
  TimeoutError,
} from "@nats-io/nats-core";

const OPEN = process.env.INTEROP_OPEN;
const USER = process.env.INTEROP_USER;
const TOKEN = process.env.INTEROP_TOKEN;
const RESTART = process.env.INTEROP_RESTART;
const USER_NAME = process.env.INTEROP_USER_NAME;
const USER_PASSWORD = process.env.INTEROP_USER_PASSWORD;
const TOKEN_WORD = process.env.INTEROP_TOKEN_WORD;

const CHECK_MS_MAX = 30_000;
const WAIT_MS_MAX = 10_000;
const QUIET_MS = 150; // Nothing more may come; a flush before it makes that a sure thing.
const MIB = 1024 * 1024;

const encode = (text) => new TextEncoder().encode(text);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function until(condition, what) {
  const end = Date.now() + WAIT_MS_MAX;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await sleep(5);
  }
}

function equal(found, wanted, what) {
  deepStrictEqual(found, wanted, `${what}: ${String(found).slice(0, 120)} instead of ` +
    `${String(wanted).slice(0, 120)}`);
}

/// Opens connections of one check; the check's end closes them all, however it ended.
class Connections {
  opened = [];

  async open(options = {}) {
    const connection = await connect({
      servers: OPEN, timeout: 5000, reconnect: false, ...options,
    });
    this.opened.push(connection);
    return connection;
  }

  async close() {
    for (const connection of this.opened) await connection.close();
  }
}

/// The connection refuses with an error of this kind, itself or as its cause.
async function refused(action, kind, words = "") {
  let result;
  try {
    result = await action();
  } catch (error) {
    const kinds = [error, error.cause];
    truth(kinds.some((one) => one instanceof kind), `${error.name} (${error.message}), ` +
      `not ${kind.name}`);
    truth(String(error.message).toLowerCase().includes(words), `words: ${error.message}`);
    return;
  }
  await result?.close?.();
  throw new Error(`no ${kind.name}`);
}

/// A subscription whose messages are kept in order.
function keep(connection, subject, options = {}) {
  const messages = [];
  const subscription = connection.subscribe(subject, {
    ...options,
    callback: (error, message) => {
      if (!error) messages.push(message);
    },
  });
  return { messages, subscription };
}

async function expect(kept, wanted, what = subjectOf(kept)) {
  await until(() => kept.messages.length >= wanted.length, `${what}: ${kept.messages.length} of ` +
    `${wanted.length}`);
  equal(kept.messages.map((message) => message.string()), wanted, what);
}

const subjectOf = (kept) => kept.subscription.getSubject();

const numbered = (count) => Array.from({ length: count }, (_, index) => `message ${index}`);

async function matching(all, pattern, inside, outside) {
  const connection = await all.open();
  const kept = keep(connection, pattern);
  for (const subject of [...outside, ...inside]) connection.publish(subject, subject);
  await connection.flush();
  await sleep(QUIET_MS);
  equal(kept.messages.map((message) => message.subject), inside, "subjects");
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function call(word) {
  console.log(`call ${word}`);
  equal((await lines.next()).value, "done", "the runner's answer");
}

const checks = {
  async connect_plain(all) {
    const connection = await all.open();
    truth(!connection.isClosed());
  },

  async server_info(all) {
    const connection = await all.open();
    const info = connection.info;
    equal([info.proto, info.headers, info.max_payload, info.client_ip],
      [1, true, MIB, "127.0.0.1"], "info");
    equal(info.server_id.length, 56, "length of server_id");
    const [major, minor] = info.version.split(".").map(Number);
    truth(major > 2 || (major === 2 && minor >= 15), `version ${info.version}`);
    truth((await all.open()).info.client_id > info.client_id, "client ids rise");
  },

  async connect_user(all) {
    await (await all.open({ servers: USER, user: USER_NAME, pass: USER_PASSWORD })).flush();
  },

  async connect_user_callback(all) {
    const authenticator = () => ({ user: USER_NAME, pass: USER_PASSWORD });
    await (await all.open({ servers: USER, authenticator })).flush();
  },

  async connect_user_wrong(all) {
    await refused(() => all.open({ servers: USER, user: USER_NAME, pass: "wrong" }),
      AuthorizationError, "authorization violation");
  },

  async connect_user_missing(all) {
    await refused(() => all.open({ servers: USER }), AuthorizationError,
      "authorization violation");
  },

  async connect_token(all) {
    await (await all.open({ servers: TOKEN, token: TOKEN_WORD })).flush();
  },

  async connect_token_wrong(all) {
    await refused(() => all.open({ servers: TOKEN, token: "wrong" }), AuthorizationError,
      "authorization violation");
  },

  async publish_subscribe(all) {
    const publisher = await all.open();
    const subscriber = await all.open();
    const kept = keep(subscriber, "ps.one");
    await subscriber.flush();
    for (const text of numbered(1000)) publisher.publish("ps.one", text);
    publisher.publish("ps.two", "elsewhere");
    await publisher.flush();
    await expect(kept, numbered(1000));
    await subscriber.flush();
    await sleep(QUIET_MS);
    equal(kept.messages.length, 1000, "messages");
  },

  async binary_payload(all) {
    const connection = await all.open();
    const kept = keep(connection, "binary");
    const payload = new Uint8Array([...Array(256).keys(), ...encode("\r\nMSG x 1 1\r\nPING\r\n")]);
    connection.publish("binary", payload);
    await connection.flush();
    await until(() => kept.messages.length === 1, "the message");
    equal(Buffer.from(kept.messages[0].data).equals(Buffer.from(payload)), true, "bytes");
  },

  async empty_payload(all) {
    const connection = await all.open();
    const kept = keep(connection, "empty");
    connection.publish("empty");
    connection.publish("empty", "after");
    await expect(kept, ["", "after"]);
  },

  async wildcard_star(all) {
    await matching(all, "star.*.end", ["star.a.end", "star.b-1.end"],
      ["star.end", "star.a.b.end", "star.a.other", "star.a.end.more"]);
  },

  async wildcard_full(all) {
    await matching(all, "full.>", ["full.a", "full.a.b.c.d"], ["full", "fuller.a", "other.full.a"]);
  },

  async queue_group(all) {
    const members = [];
    for (let index = 0; index < 3; index++) {
      const connection = await all.open();
      members.push(keep(connection, "work.>", { queue: "workers" }));
      await connection.flush();
    }
    const publisher = await all.open();
    const everything = keep(publisher, "work.*");
    const wanted = numbered(300);
    wanted.forEach((text, index) => publisher.publish(`work.${index % 7}`, text));
    await expect(everything, wanted);
    const shared = () => members.flatMap((kept) => kept.messages.map((one) => one.string()));
    await until(() => shared().length >= 300, "300 shared messages");
    await sleep(QUIET_MS);
    equal(shared().sort(), [...wanted].sort(), "each message once");
    truth(members.every((kept) => kept.messages.length > 0), "every member worked");
  },

  async request_reply(all) {
    const server = await all.open();
    const client = await all.open();
    server.subscribe("ask", {
      callback: (_, message) => message.respond(`re: ${message.string()}`),
    });
    await server.flush();
    for (const noMux of [false, true]) {
      for (const text of numbered(20)) {
        const reply = await client.request("ask", text, { timeout: WAIT_MS_MAX, noMux });
        equal(reply.string(), `re: ${text}`, "reply");
      }
    }
  },

  async request_concurrent(all) {
    const server = await all.open();
    const client = await all.open();
    server.subscribe("many.*", {
      callback: (_, message) => message.respond(message.data.reverse()),
    });
    await server.flush();
    const asked = numbered(200);
    const replies = await Promise.all(asked.map((text, index) =>
      client.request(`many.${index}`, text, { timeout: WAIT_MS_MAX })));
    equal(replies.map((reply) => reply.string()),
      asked.map((text) => [...text].reverse().join("")), "replies");
  },

  async request_timeout(all) {
    const server = await all.open();
    server.subscribe("silent", { callback: () => {} });
    await server.flush();
    const client = await all.open();
    for (const noMux of [false, true]) {
      await refused(() => client.request("silent", "", { timeout: 300, noMux }), TimeoutError);
    }
  },

  async no_responders(all) {
    const client = await all.open();
    for (const noMux of [false, true]) {
      const options = { timeout: WAIT_MS_MAX, noMux };
      await refused(() => client.request("nobody.home", "", options), NoRespondersError);
      await client.request("nobody.home", "", options).catch((error) => {
        truth(error instanceof RequestError && error.isNoResponders(), "RequestError");
      });
    }
    const messages = [];
    client.subscribe("my.inbox", { callback: (error, message) => messages.push([error, message]) });
    client.publish("nobody.home", "", { reply: "my.inbox" });
    await until(() => messages.length === 1, "the status");
    equal(messages[0][1].headers.code, 503, "status");
  },

  async headers(all) {
    const connection = await all.open();
    const kept = keep(connection, "headers");
    const sent = newHeaders();
    sent.append("One", "1");
    sent.append("Many", "first");
    sent.append("Many", "second");
    sent.append("lower-case", "a b  c");
    sent.append("Word", "слово");
    connection.publish("headers", "body", { headers: sent });
    const alone = newHeaders();
    alone.set("Only", "headers");
    connection.publish("headers", "", { headers: alone });
    connection.publish("headers", "plain");
    await expect(kept, ["body", "", "plain"]);
    const got = kept.messages[0].headers;
    equal(got.get("One"), "1", "One");
    equal(got.values("Many"), ["first", "second"], "Many");
    equal(got.get("lower-case"), "a b  c", "lower-case");
    equal(got.get("Word"), "слово", "Word");
    equal(got.keys().sort(), ["Many", "One", "Word", "lower-case"], "keys");
    equal(kept.messages[1].headers.get("Only"), "headers", "headers alone");
    equal(kept.messages[2].headers, undefined, "no headers");
  },

  async headers_request(all) {
    const server = await all.open();
    server.subscribe("ask.headers", {
      callback: (_, message) => {
        const echoed = newHeaders();
        echoed.set("Echo", message.headers.get("Ask"));
        message.respond("yes", { headers: echoed });
      },
    });
    await server.flush();
    const asked = newHeaders();
    asked.set("Ask", "me");
    const client = await all.open();
    const options = { timeout: WAIT_MS_MAX, headers: asked };
    const reply = await client.request("ask.headers", "?", options);
    equal([reply.headers.get("Echo"), reply.string()], ["me", "yes"], "reply");
  },

  async payload_1mib(all) {
    const publisher = await all.open();
    const subscriber = await all.open();
    const kept = keep(subscriber, "large");
    await subscriber.flush();
    const payload = randomBytes(MIB);
    for (let index = 0; index < 5; index++) publisher.publish("large", payload);
    await publisher.flush();
    await until(() => kept.messages.length === 5, "five messages");
    for (const message of kept.messages) equal(payload.equals(message.data), true, "bytes");
  },

  async max_payload(all) {
    const connection = await all.open();
    equal(connection.info.max_payload, MIB, "max_payload");
    await refused(async () => connection.publish("large", new Uint8Array(MIB + 1)),
      InvalidArgumentError, "max_payload");
    await connection.flush();
  },

  async no_echo(all) {
    const silent = await all.open({ noEcho: true });
    const other = await all.open();
    const kept = keep(silent, "echo");
    silent.publish("echo", "own");
    await silent.flush();
    other.publish("echo", "other's");
    await other.flush();
    await expect(kept, ["other's"]);
    await silent.flush();
    await sleep(QUIET_MS);
    equal(kept.messages.length, 1, "messages");
  },

  async unsubscribe(all) {
    const connection = await all.open();
    const publisher = await all.open();
    const first = keep(connection, "un");
    const second = keep(connection, "un");
    await connection.flush();
    publisher.publish("un", "1");
    await expect(second, ["1"]);
    first.subscription.unsubscribe();
    await connection.flush();
    publisher.publish("un", "2");
    await expect(second, ["1", "2"]);
    await expect(first, ["1"]);
  },

  async auto_unsubscribe(all) {
    const connection = await all.open();
    const publisher = await all.open();
    const kept = keep(connection, "auto", { max: 5 });
    await connection.flush();
    for (const text of numbered(10)) publisher.publish("auto", text);
    await publisher.flush();
    await expect(kept, numbered(5));
    await connection.flush();
    equal(kept.messages.length, 5, "messages");
    truth(kept.subscription.isClosed(), "closed");
    await refused(() => publisher.request("auto", "", { timeout: WAIT_MS_MAX }), NoRespondersError);
  },

  async drain_subscription(all) {
    const connection = await all.open();
    const publisher = await all.open();
    const subscription = connection.subscribe("drain");
    await connection.flush();
    const wanted = numbered(100);
    for (const text of wanted) publisher.publish("drain", text);
    await publisher.flush();
    const got = [];
    const reader = (async () => {
      for await (const message of subscription) {
        await sleep(1);
        got.push(message.string());
      }
    })();
    await subscription.drain();
    await within(WAIT_MS_MAX, reader, "the iterator's end");
    equal(got, wanted, "what had come before the drain");
    await refused(() => publisher.request("drain", "", { timeout: WAIT_MS_MAX }),
      NoRespondersError);
  },

  async drain_connection(all) {
    const publisher = await all.open();
    const replies = keep(publisher, "drained.reply");
    const connection = await all.open();
    // A callback may still answer while the connection drains; who iterates may come too late.
    connection.subscribe("drained", { callback: (_, message) => {
      connection.publish("drained.reply", message.data);
    } });
    const iterated = connection.subscribe("drained");
    await connection.flush();
    const wanted = numbered(100);
    for (const text of wanted) publisher.publish("drained", text);
    await publisher.flush();
    const got = [];
    const reader = (async () => {
      for await (const message of iterated) got.push(message.string());
    })();
    await within(WAIT_MS_MAX, connection.drain(), "the drain");
    await within(WAIT_MS_MAX, reader, "the iterator's end");
    truth(connection.isClosed(), "closed");
    equal(got, wanted, "what had come before the drain");
    await expect(replies, wanted);
  },

  async flush_rtt(all) {
    const connection = await all.open();
    for (let index = 0; index < 20; index++) await connection.flush();
    const ms = await connection.rtt();
    truth(ms >= 0 && ms < WAIT_MS_MAX, `round trip ${ms}`);
  },

  async verbose_pedantic(all) {
    const connection = await all.open({ verbose: true, pedantic: true });
    const kept = keep(connection, "verbose");
    for (const text of numbered(50)) connection.publish("verbose", text);
    await connection.flush();
    await expect(kept, numbered(50));
  },

  async close(all) {
    const connection = await all.open();
    await connection.close();
    await refused(async () => connection.publish("closed"), ClosedConnectionError);
  },

  async many_subscriptions(all) {
    const connection = await all.open();
    const kept = [];
    for (let index = 0; index < 2000; index++) kept.push(keep(connection, `many.${index}.*`));
    for (let index = 0; index < 2000; index++) connection.publish(`many.${index}.x`, `${index}`);
    await connection.flush();
    for (let index = 0; index < 2000; index++) await expect(kept[index], [`${index}`]);
  },

  async burst(all) {
    const publisher = await all.open();
    const subscriber = await all.open();
    const count = 50_000;
    let taken = 0;
    let misplaced = 0;
    subscriber.subscribe("burst", {
      callback: (_, message) => {
        if (Number(message.string().slice(0, 8)) !== taken) misplaced++;
        taken++;
      },
    });
    await subscriber.flush();
    for (let index = 0; index < count; index++) {
      publisher.publish("burst", String(index).padStart(8, "0").padEnd(128, "x"));
      if (index % 5000 === 4999) await publisher.flush();
    }
    await until(() => taken >= count, `all of the burst: ${taken}`);
    equal([taken, misplaced], [count, 0], "messages, misplaced");
  },

  async reconnect(all) {
    const connection = await all.open({
      servers: RESTART, reconnect: true, maxReconnectAttempts: -1, reconnectTimeWait: 50,
      waitOnFirstConnect: false,
    });
    const seen = [];
    const watcher = (async () => {
      for await (const status of connection.status()) seen.push(status.type);
    })();
    const plain = keep(connection, "again.*");
    const queue = keep(connection, "again.>", { queue: "workers" });
    connection.publish("again.before", "before");
    await expect(plain, ["before"]);
    await expect(queue, ["before"]);
    await call("kill");
    await until(() => seen.includes("disconnect"), "the loss");
    await call("start");
    await until(() => seen.includes("reconnect"), "the return");
    await connection.flush();
    connection.publish("again.after", "after");
    await expect(plain, ["before", "after"]);
    await expect(queue, ["before", "after"]);
    await connection.close();
    await within(WAIT_MS_MAX, watcher, "the end of the events");
  },
};

// What a failed check left running must not end the others.
process.on("unhandledRejection", (error) => console.error(error));

let passed = 0;
let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const all = new Connections();
  try {
    await within(CHECK_MS_MAX, check(all), name);
    console.log(`ok ${name}`);
    passed++;
  } catch (error) {
    console.error(error);
    console.log(`not ok ${name}: ${error.name} ${String(error.message).replaceAll("\n", " ")}`);
    failed++;
  }
  await within(CHECK_MS_MAX, all.close(), "closing").catch((error) => console.error(error));
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
