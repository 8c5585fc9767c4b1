// SPDX-License-Identifier: Apache-2.0
//
// Goal: what core messaging is, from Node, means the same on our broker over TCP, inside the
// process and on nats-server. Method: each test runs on each broker, with connections of its own.
import assert from "node:assert/strict";
import { inspect } from "node:util";
import {
  BadSubjectError, DrainingError, headers, InvalidArgumentError, MaxPayloadError,
  NoRespondersError, TimeoutError,
} from "martlet";
import { onEachBroker, until, within } from "./brokers.mjs";

onEachBroker("a callback gets what is published", async (open) => {
  const connection = await open();
  const got = [];
  connection.subscribe("greet.*", {
    callback: (error, message) => got.push([error, message.subject, message.string()]),
  });
  connection.publish("greet.joe", "hello");
  connection.publish("greet.sue", Buffer.from("hi"));
  connection.publish("greet.ann");
  connection.publish("greet.bob", new Uint16Array([0x4241]));
  await connection.flush();
  await until(() => got.length === 4);
  assert.deepEqual(got, [
    [null, "greet.joe", "hello"], [null, "greet.sue", "hi"], [null, "greet.ann", ""],
    [null, "greet.bob", "AB"],
  ]);
});

onEachBroker("a message shows what it holds, and not its memory", async (open) => {
  const connection = await open();
  const shown = connection.subscribe("shown");
  connection.publish("shown", "x", { reply: "back" });
  const message = await shown.next({ timeout: 10_000 });
  assert.equal(
    inspect(message, { breakLength: Infinity }),
    "Msg { subject: 'shown', reply: 'back', headers: undefined, data: <Buffer 78> }");
});

onEachBroker("the subject of the last message is not taken for another", async (open) => {
  const connection = await open();
  const other = await open();
  const got = [];
  const callback = (_, message) => got.push([message.subject, message.reply, message.string()]);
  connection.subscribe("last.>", { callback });
  await connection.flush();
  const made = ["last", "b"].join("."); // Equal to "last.b", and another string.
  const long = `last.${"x".repeat(600)}`;
  const sent = [
    ["last.a", "1"], ["last.a", "2"], ["last.b", "3"], [made, "4"], ["last.\u00fc", "5"],
    ["last.\u00fc", "6"], [long, "7"], [long, "8"], ["last.a", "9", "last.reply"],
    ["last.a", "10"], ["last.a", "11", "last.b"], ["last.b", "12"],
  ];
  for (const [index, [subject, data, reply]] of sent.entries()) {
    if (reply === undefined) connection.publish(subject, data);
    else connection.publish(subject, data, { reply });
    // What is refused, and what another connection publishes, is not the last one.
    assert.throws(() => connection.publish("last. ", "x"), BadSubjectError);
    assert.throws(() => connection.publish(undefined, "x"), InvalidArgumentError);
    assert.throws(() => connection.publish("last.c", 5), InvalidArgumentError);
    if (index % 2 === 0) other.publish("other", "x");
  }
  await connection.flush();
  await until(() => got.length === sent.length);
  assert.deepEqual(got, sent.map(([subject, data, reply]) => [subject, reply, data]));
});

onEachBroker("views of bytes are sent as the bytes that they show", async (open) => {
  const connection = await open();
  const got = [];
  const callback = (_, message) => got.push(message.data.toString("hex"));
  connection.subscribe("view", { callback });
  const memory = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]).buffer;
  const views = [
    new Uint8Array(memory, 1, 3), new Uint16Array(memory, 2, 2), new Float64Array(memory, 8, 1),
    new DataView(memory, 5, 2), Buffer.from(memory, 3, 4), new Uint8ClampedArray(memory, 15),
    new BigInt64Array(memory, 0, 1), new Uint8Array(0), memory, new Uint8Array([7, 8]),
  ];
  for (const view of views) connection.publish("view", view);
  await connection.flush();
  await until(() => got.length === views.length);
  assert.deepEqual(got, [
    "010203", "02030405", "08090a0b0c0d0e0f", "0506", "03040506", "0f", "0001020304050607", "",
    "000102030405060708090a0b0c0d0e0f", "0708",
  ]);
});

onEachBroker("what a message shows is a Buffer of its payload alone", async (open) => {
  const connection = await open();
  const large = Buffer.alloc(100_000, "l");
  const subscription = connection.subscribe("shown", { max: 4 });
  for (const data of ["first", "", "second", large]) connection.publish("shown", data);
  const got = [];
  for await (const message of subscription) got.push(message.data);
  assert.ok(got.every((data) => Buffer.isBuffer(data) && data.constructor === Buffer));
  assert.deepEqual(got.map((data) => data.length), [5, 0, 6, 100_000]);
  assert.deepEqual(got.slice(0, 3).map(String), ["first", "", "second"]);
  assert.ok(got[3].equals(large));
  assert.equal(got[0].subarray(1, 3).toString(), "ir");
});

onEachBroker("for await reads in order, and leaving the loop unsubscribes", async (open) => {
  const connection = await open();
  const subscription = connection.subscribe("count");
  for (let i = 0; i < 5_000; i++) connection.publish("count", String(i));
  let next = 0;
  for await (const message of subscription) {
    assert.equal(message.string(), String(next++));
    if (next === 5_000) break;
  }
  assert.equal(subscription.isClosed(), true);
  assert.equal(subscription.getProcessed(), 5_000);
});

onEachBroker("batches read everything", async (open) => {
  const connection = await open();
  const subscription = connection.subscribe("many", { max: 3_000 });
  for (let i = 0; i < 3_000; i++) connection.publish("many", String(i));
  const read = [];
  for await (const batch of subscription.batches()) read.push(...batch.map((m) => m.string()));
  assert.deepEqual(read, Array.from({ length: 3_000 }, (_, i) => String(i)));
});

onEachBroker("next() waits, times out and is aborted", async (open) => {
  const connection = await open();
  const subscription = connection.subscribe("one");
  await assert.rejects(subscription.next({ timeout: 20 }), TimeoutError);
  const controller = new AbortController();
  const aborted = subscription.next({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  const waits = subscription.next();
  connection.publish("one", "1");
  assert.equal((await within(5_000, waits)).string(), "1");
  await assert.rejects(subscription.next({ signal: AbortSignal.abort() }), { name: "AbortError" });
});

onEachBroker("a callback that waits gets one message at a time, under its bound", async (open) => {
  const connection = await open();
  const other = await open();
  const got = [];
  let open_ = () => {};
  const opened = new Promise((resolve) => (open_ = resolve));
  let running = 0;
  const subscription = connection.subscribe("slow", {
    maxPendingMessages: 5,
    callback: async (_, message) => {
      running++;
      assert.equal(running, 1);
      got.push(message.string());
      await opened;
      running--;
    },
  });
  await connection.flush();
  other.publish("slow", "first");
  await until(() => got.length === 1);
  for (let i = 0; i < 20; i++) other.publish("slow", String(i));
  await other.flush();
  await connection.flush();
  assert.equal(subscription.getPending(), 5);
  assert.equal(subscription.getDropped(), 15);
  open_();
  await until(() => got.length === 6);
  assert.deepEqual(got, ["first", "0", "1", "2", "3", "4"]);
});

onEachBroker("a promise that ends at once lets other things have their turn", async (open) => {
  const connection = await open();
  let calls = 0;
  connection.subscribe("busy", {
    callback: async () => {
      for (const end = performance.now() + 0.05; performance.now() < end;);
      calls++;
    },
  });
  for (let i = 0; i < 2_000; i++) connection.publish("busy");
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  await until(() => calls === 2_000, 20_000);
  clearInterval(timer);
  assert.ok(ticks >= 5, `${ticks} ticks`);
});

onEachBroker("what came before unsubscribe can be read, once", async (open) => {
  const connection = await open();
  const subscription = connection.subscribe("u");
  connection.publish("u", "before");
  await connection.flush();
  await until(() => subscription.getPending() === 1);
  subscription.unsubscribe();
  assert.equal(subscription.isClosed(), true);
  await within(5_000, subscription.closed);
  connection.publish("u", "after");
  await connection.flush();
  const read = [];
  for await (const message of subscription) read.push(message.string());
  assert.deepEqual(read, ["before"]);
  assert.throws(() => subscription.unsubscribe(), { code: "ERR_CLOSED" });
  const aborted = new AbortController();
  const ends = connection.subscribe("v", { signal: aborted.signal });
  const waits = ends.next();
  aborted.abort();
  await assert.rejects(within(5_000, waits), { code: "ERR_CLOSED" });
});

onEachBroker("a queue group shares", async (open) => {
  const connection = await open();
  const counts = [0, 0, 0];
  for (const index of [0, 1, 2]) {
    connection.subscribe("work", { queue: "workers", callback: () => counts[index]++ });
  }
  for (let i = 0; i < 600; i++) connection.publish("work");
  await until(() => counts[0] + counts[1] + counts[2] === 600);
  assert.ok(counts.every((count) => count > 50), String(counts));
});

onEachBroker("requests are answered, and fail by their names", async (open) => {
  const connection = await open();
  const other = await open();
  connection.subscribe("double", {
    callback: (_, message) => message.respond(String(Number(message.string()) * 2)),
  });
  connection.subscribe("silent", { callback: () => {} });
  await connection.flush();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => other.request("double", String(i))));
  assert.deepEqual(answers.map((m) => Number(m.string())),
    Array.from({ length: 100 }, (_, i) => 2 * i));
  await assert.rejects(other.request("nobody"), NoRespondersError);
  await assert.rejects(other.request("silent", "", { timeout: 30 }), TimeoutError);
  const controller = new AbortController();
  const request = other.request("silent", "", { signal: controller.signal, timeout: 5_000 });
  controller.abort();
  await assert.rejects(request, { name: "AbortError" });
});

onEachBroker("requestMany gives every answer", async (open) => {
  const connection = await open();
  const other = await open();
  for (const name of ["a", "b", "c"]) {
    connection.subscribe("who", { callback: (_, message) => message.respond(name) });
  }
  await connection.flush();
  const names = [];
  for await (const m of await other.requestMany("who", "", { maxMessages: 3, maxWait: 5_000 })) {
    names.push(m.string());
  }
  assert.deepEqual(names.sort(), ["a", "b", "c"]);
  const timed = [];
  for await (const m of await other.requestMany("who", "", { maxWait: 100 })) timed.push(m);
  assert.equal(timed.length, 3);
});

onEachBroker("headers go and come", async (open) => {
  const connection = await open();
  const subscription = connection.subscribe("h");
  const sent = headers();
  sent.set("X", "1");
  sent.append("Y", "a");
  sent.append("Y", "b: c");
  connection.publish("h", "data", { headers: sent, reply: "back" });
  connection.publish("h", "none");
  const message = await within(5_000, subscription.next());
  assert.equal(message.headers.get("X"), "1");
  assert.deepEqual(message.headers.values("Y"), ["a", "b: c"]);
  assert.equal(message.headers.last("Y"), "b: c");
  assert.deepEqual(message.headers.keys(), ["X", "Y"]);
  assert.equal(message.headers.has("x"), false);
  assert.equal(message.reply, "back");
  assert.equal(message.string(), "data");
  assert.equal((await within(5_000, subscription.next())).headers, undefined);
});

onEachBroker("auto-unsubscribe ends a subscription by itself", async (open) => {
  const connection = await open();
  const got = [];
  const subscription = connection.subscribe("few", {
    max: 3, callback: (_, message) => got.push(message.string()),
  });
  for (let i = 0; i < 10; i++) connection.publish("few", String(i));
  await within(5_000, subscription.closed);
  assert.deepEqual(got, ["0", "1", "2"]);
  const read = connection.subscribe("few");
  read.unsubscribe(2);
  for (let i = 0; i < 10; i++) connection.publish("few", String(i));
  const seen = [];
  for await (const message of read) seen.push(message.string());
  assert.deepEqual(seen, ["0", "1"]);
});

onEachBroker("a loop whose body takes long ends when its subscription does", async (open) => {
  const connection = await open();
  for (let round = 0; round < 20; round++) {
    const subscription = connection.subscribe("slow", { max: 2 });
    connection.publish("slow", "1");
    connection.publish("slow", "2");
    await connection.flush();
    let bodies = 0;
    const reading = (async () => {
      for await (const message of subscription) {
        bodies += message.string().length;
        for (const end = performance.now() + 6; performance.now() < end;);
      }
    })();
    await within(5_000, reading);
    assert.equal(bodies, 2);
  }
});

onEachBroker("a large payload arrives whole, in either way of reading", async (open) => {
  const connection = await open();
  const payload = Buffer.alloc(900_000, "martlet ");
  const subscription = connection.subscribe("large");
  const got = [];
  connection.subscribe("large", { callback: (_, message) => got.push(message.data) });
  for (let i = 0; i < 20; i++) {
    connection.publish("large", payload);
    connection.publish("large", "small");
  }
  for (let i = 0; i < 20; i++) {
    assert.ok((await within(10_000, subscription.next())).data.equals(payload));
    assert.equal((await within(10_000, subscription.next())).string(), "small");
  }
  await until(() => got.length === 40);
  assert.ok(got.every((data, i) => (i % 2 === 0 ? data.equals(payload) : data.length === 5)));
  assert.throws(
    () => connection.publish("large", Buffer.alloc(connection.info.max_payload + 1)),
    MaxPayloadError);
});

onEachBroker("what is published faster than it is taken waits, in order", async (open) => {
  const connection = await open({ maxPendingBytes: 65_536 });
  const other = await open();
  const seen = [];
  other.subscribe("fast", { callback: (_, message) => seen.push(message.string()) });
  await other.flush();
  let full = 0;
  for (let i = 0; i < 20_000; i++) {
    if (!connection.publish("fast", `${i}`.padEnd(100))) full++;
  }
  assert.ok(full > 0);
  assert.equal((await connection.request("fast", "", { timeout: 5_000 }).catch((e) => e)).code,
    "ERR_TIMEOUT");
  await connection.ready();
  await connection.flush();
  await until(() => seen.length === 20_001, 20_000);
  seen.slice(0, 20_000).forEach((text, i) => assert.equal(Number(text), i));
});

onEachBroker("drain hands out what came and sends what was published", async (open) => {
  const connection = await open();
  const other = await open();
  const answers = other.subscribe("answers");
  const read = [];
  connection.subscribe("ask", {
    callback: async (_, message) => {
      await new Promise((end) => setTimeout(end, 20));
      connection.publish("answers", message.data);
    },
  });
  const subscription = connection.subscribe("ask");
  const reading = (async () => {
    for await (const message of subscription) {
      read.push(message.string());
      await new Promise(setImmediate);
    }
  })();
  await connection.flush();
  for (let i = 0; i < 50; i++) other.publish("ask", String(i));
  await other.flush();
  const drained = connection.drain();
  assert.equal(connection.isDraining(), true);
  assert.throws(() => connection.subscribe("late"), DrainingError);
  await within(10_000, drained);
  await within(5_000, reading);
  assert.equal(read.length, 50);
  assert.equal(connection.isClosed(), true);
  await until(() => answers.getPending() === 50);
});

onEachBroker("a subscription drains alone", async (open) => {
  const connection = await open();
  const got = [];
  const subscription = connection.subscribe("d", { callback: (_, m) => got.push(m.string()) });
  for (let i = 0; i < 1_000; i++) connection.publish("d", String(i));
  await within(5_000, subscription.drain());
  assert.equal(got.length, 1_000);
  assert.equal(connection.isClosed(), false);
});

onEachBroker("status, statistics, rtt, inbox and the end", async (open) => {
  const connection = await open({ name: "seen" });
  const events = [];
  const listening = (async () => {
    for await (const event of connection.status()) events.push(event.type);
  })();
  assert.ok((await connection.rtt()) > 0);
  assert.notEqual(connection.newInbox(), connection.newInbox());
  connection.publish("x", "1234");
  await connection.flush();
  const stats = connection.stats();
  assert.equal(stats.outMsgs, 1);
  assert.ok(stats.outBytes >= 4);
  assert.ok(connection.info.client_id > 0);
  assert.ok(connection.info.max_payload > 0);
  const closed = connection.closed();
  await connection.close();
  assert.equal(await within(5_000, closed), undefined);
  await within(5_000, listening);
  assert.equal(events.at(-1), "close");
  assert.equal(connection.isClosed(), true);
  assert.equal(connection.stats().outMsgs, 1);
  await connection.close();
});

onEachBroker("await using closes", async (open) => {
  const connection = await open();
  const other = await open();
  const subscription = other.subscribe("last");
  await other.flush();
  connection.publish("last", "words");
  await connection[Symbol.asyncDispose]();
  assert.equal(connection.isClosed(), true);
  assert.equal((await within(5_000, subscription.next())).string(), "words");
});
