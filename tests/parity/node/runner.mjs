// SPDX-License-Identifier: Apache-2.0
//
// The parity runner over the npm package: see tests/parity/README.md.
//
//   node --expose-gc runner.mjs --scenarios FOLDER --mode MODE --out FILE [--only NAME[,NAME...]]
//
// Its end is the event loop's own: whatever of the package stayed alive would keep it from ending.
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { connect, Server } from "martlet";
import { Gate, Log, within } from "./log.mjs";
import * as text from "./scenario_text.mjs";

const UNTIL_MS = 10_000;
const END_MS = 30_000;
const EVENTS = {
  disconnect: "disconnected", reconnect: "reconnected", close: "closed", ldm: "lame_duck",
  update: "discovered_servers",
};

const input = createInterface({ input: process.stdin });
const answers = input[Symbol.asyncIterator]();

/** Asks run.py for something of a server process; its URL. */
async function ask(request) {
  process.stdout.write(`${JSON.stringify(request)}\n`);
  const answer = JSON.parse((await answers.next()).value ?? '{"error": "no answer"}');
  if (answer.error !== undefined) {
    console.error(`no server: ${answer.error}`);
    process.exit(1);
  }
  return answer.url ?? "";
}

/** A server of the scenario: an object of this process, or the URL of one that run.py starts. */
class Broker {
  object = undefined;
  url = "";
  lines = [];

  static async start(step, inProcess) {
    const broker = new Broker();
    broker.name = step.as ?? "server";
    if (!inProcess) {
      broker.url = await ask({ ...step, as: broker.name });
      return broker;
    }
    const log = step.log ? { log: (_, line) => broker.lines.push(line) } : {};
    broker.object = new Server({ ...text.serverOptions(step), ...log });
    await broker.object.start();
    broker.url = broker.object.url;
    return broker;
  }

  async do(what) {
    if (this.object === undefined) await ask({ do: what, on: this.name });
    else if (what === "stop") await this.object.stop();
    else await this.object.start();
  }

  get({ what, keys }) {
    if (what === "port") return this.object.port > 0;
    if (what === "url") return this.object.url.replace(/:\d+$/, ":PORT");
    const counted = this.object.statistics();
    return Object.fromEntries(keys.map((key) => [key, counted[key]]));
  }
}

/** A connection and what it has told. */
class Client {
  events = new Log();
  errors = new Log();

  static async connect(target, options) {
    const client = new Client();
    client.connection = await connect(target, options);
    void client.#listen(client.connection.status());
    return client;
  }

  async #listen(status) {
    for await (const event of status) {
      if (event.error !== undefined) this.errors.put(text.statusOf(event.error));
      if (event.type === "slowConsumer") this.errors.put("ERR_SLOW_CONSUMER");
      if (event.type in EVENTS) this.events.put(EVENTS[event.type]);
    }
  }
}

/** One scenario. */
class Runner {
  brokers = new Map();
  clients = new Map();
  subscriptions = new Map();
  logs = new Map();
  gates = new Map();
  inboxes = new Map();
  begun = new Map();
  opened = [];
  made = [];

  constructor(inProcess) {
    this.inProcess = inProcess;
  }

  async finish() {
    for (const gate of this.gates.values()) gate.open();
    for (const client of this.opened) await client.connection.close();
    for (const broker of this.made) await broker.object?.stop();
    if (!this.inProcess) await ask({ do: "end" });
  }

  async give(step, message) {
    let given = await this.#tryOnce(step, message);
    const end = performance.now() + UNTIL_MS;
    while ("until" in step && !isDeepStrictEqual(given, step.until) && performance.now() < end) {
      await sleep(20);
      given = await this.#tryOnce(step, message);
    }
    return given;
  }

  async #tryOnce(step, message) {
    try {
      return (await this[`do_${step.do}`](step, message)) ?? "OK";
    } catch (error) {
      if (error instanceof text.Thrown) throw error;
      return text.statusOf(error);
    }
  }

  #subject(step, key = "subject") {
    let subject = step[key] ?? "";
    for (const [name, inbox] of this.inboxes) subject = subject.replaceAll(`{${name}}`, inbox);
    return subject;
  }

  #client(step) {
    return this.clients.get(step.on ?? "c");
  }

  #connection(step) {
    return this.#client(step).connection;
  }

  #broker(step) {
    return this.brokers.get(step.on ?? "server");
  }

  // --- servers ---

  async do_server(step) {
    const broker = await Broker.start(step, this.inProcess);
    this.made.push(broker);
    this.brokers.set(broker.name, broker);
  }

  do_server_do(step) {
    return this.#broker(step).do(step.what);
  }

  do_server_get(step) {
    return this.#broker(step).get(step);
  }

  async do_server_log(step) {
    const { lines } = this.#broker(step);
    for (let left = text.timeoutOf(step) / 10; left > 0; left--) {
      if (lines.some((line) => line.includes(step.has))) return true;
      await sleep(10);
    }
    return "ERR_TIMEOUT";
  }

  // --- connections ---

  #target(step) {
    const broker = this.brokers.get(step.to ?? "server");
    if (step.urls === undefined) return broker.object ?? broker.url;
    return step.urls.map((url) => [...this.brokers].reduce((given, [name, one]) =>
      given.replaceAll(`{${name}}`, one.url.replace("nats://", "")), url));
  }

  async do_connect(step) {
    const client = await Client.connect(this.#target(step), text.connectionOptions(step));
    this.opened.push(client);
    this.clients.set(step.as ?? "c", client);
  }

  async do_publish(step, message) {
    const connection = this.#connection(step);
    const subject = this.#subject(step);
    const reply = step.reply === undefined ? {} : { reply: this.#subject(step, "reply") };
    const options = { ...reply, headers: text.headersOf(step) };
    for (let number = 0; number < (step.count ?? 1); number++) {
      const payload = text.payloadOf(step, message, number);
      if (!connection.publish(subject, payload, options)) await connection.ready();
    }
  }

  do_respond(step, message) {
    // Without a reply subject the package answers false, where C refuses the empty subject.
    const headers = text.headersOf(step);
    return message.respond(text.payloadOf(step, message), { headers }) ? "OK" : "ERR_SUBJECT";
  }

  async do_flush(step) {
    await this.#connection(step).flush({ timeout: text.timeoutOf(step) });
  }

  async do_request(step, message) {
    const options = { timeout: text.timeoutOf(step), headers: text.headersOf(step) };
    const payload = text.payloadOf(step, message);
    return text.shown(await this.#connection(step).request(this.#subject(step), payload, options));
  }

  do_inbox(step) {
    const inbox = this.#connection(step).newInbox();
    this.inboxes.set(step.as, inbox);
    return inbox.split(".")[0];
  }

  do_statistics(step) {
    const { info } = this.#connection(step);
    const stats = this.#connection(step).stats();
    const known = {
      in_msgs: stats.inMsgs, out_msgs: stats.outMsgs, in_bytes: stats.inBytes,
      out_bytes: stats.outBytes, reconnects: stats.reconnects,
      subscriptions: stats.subscriptions, server_name: info.server_name,
    };
    return Object.fromEntries(step.keys.map((key) => [key, known[key]]));
  }

  do_state(step) {
    return text.stateOf(this.#connection(step));
  }

  do_max_payload(step) {
    return this.#connection(step).info.max_payload;
  }

  async do_rtt(step) {
    return (await this.#connection(step).rtt({ timeout: text.timeoutOf(step) })) > 0;
  }

  do_event(step) {
    return this.#client(step).events.take(text.timeoutOf(step));
  }

  async do_error(step) {
    const { errors } = this.#client(step);
    const given = await errors.take(text.timeoutOf(step), (status) => status === step.status);
    return given === step.status ? "OK" : given;
  }

  async do_drain(step, message) {
    const drained = this.#connection(step).drain({ timeout: text.timeoutOf(step) });
    if (message === undefined) await drained;
    else drained.catch((error) => this.#client(step).errors.put(text.statusOf(error)));
  }

  async do_close(step, message) {
    const closed = this.#connection(step).close();
    if (message === undefined) await closed;
  }

  // --- subscriptions ---

  do_subscribe(step) {
    const options = text.subscribeOptions(step);
    if (step.handler !== undefined) options.callback = this.#callback(step);
    const subscription = this.#connection(step).subscribe(this.#subject(step), options);
    this.subscriptions.set(step.as, subscription);
  }

  #callback(step) {
    const name = step.into ?? step.as;
    const log = this.logs.get(name) ?? new Log();
    const gate = new Gate();
    this.logs.set(name, log);
    this.gates.set(step.as, gate);
    if (step.handler.length === 0) return (_, message) => log.put(text.shown(message));
    return async (_, message) => {
      log.put(text.shown(message));
      for (const inner of step.handler) {
        const given = inner.do === "hold" ? await gate.wait() : await this.give(inner, message);
        if (given !== undefined && given !== "OK") log.put(given);
      }
    };
  }

  do_throw() {
    throw new text.Thrown();
  }

  async do_next(step) {
    const payloads = [];
    if (step.count === undefined) return this.#nextOne(step, payloads);
    const given = [];
    while (given.length < step.count && typeof given.at(-1) !== "string") {
      given.push(await this.#nextOne(step, payloads));
    }
    return text.gathered(step, given, payloads);
  }

  async #nextOne(step, payloads) {
    const timeout = text.timeoutOf(step);
    if (this.logs.has(step.on)) return this.logs.get(step.on).take(timeout);
    try {
      const message = await this.subscriptions.get(step.on).next({ timeout });
      payloads.push(message.data);
      return text.shown(message);
    } catch (error) {
      return text.statusOf(error);
    }
  }

  do_unsubscribe(step) {
    this.subscriptions.get(step.on).unsubscribe(step.after);
  }

  do_drain_subscription(step) {
    this.subscriptions.get(step.on).beginDrain();
  }

  /** What was used in this turn of the event loop is not collected in it. */
  async do_drop(step) {
    this.subscriptions.delete(step.on);
    await turn();
    globalThis.gc();
    await turn();
  }

  do_counts(step) {
    const subscription = this.subscriptions.get(step.on);
    return {
      pending: subscription.getPending(), dropped: subscription.getDropped(),
      delivered: subscription.getReceived(),
    };
  }

  // --- beside each other ---

  do_begin(step) {
    this.begun.set(step.as, this.give(step.step));
  }

  do_end(step) {
    return within(END_MS, this.begun.get(step.on), "ERR_TIMEOUT");
  }

  do_release(step) {
    this.gates.get(step.on).open();
  }
}

async function play(steps, inProcess) {
  const runner = new Runner(inProcess);
  const transcript = [];
  try {
    for (const step of steps) transcript.push(await runner.give(step));
  } finally {
    await runner.finish();
  }
  return transcript;
}

async function main() {
  const option = { type: "string" };
  const { values } = parseArgs({
    options: { scenarios: option, mode: option, out: option, only: option },
  });
  const only = values.only?.split(",");
  const out = openSync(values.out, "w");
  const files = readdirSync(values.scenarios).filter((name) => name.endsWith(".json"));
  for (const file of files.sort()) {
    const scenario = path.basename(file, ".json");
    if (only !== undefined && !only.includes(scenario)) continue;
    const { steps, not_in: notIn } = JSON.parse(
      readFileSync(path.join(values.scenarios, file), "utf8"));
    const skipped = notIn?.[values.mode];
    const line = skipped !== undefined
      ? { scenario, skipped }
      : { scenario, transcript: await play(steps, values.mode === "in_process") };
    writeSync(out, `${JSON.stringify(line)}\n`);
  }
  closeSync(out);
  input.close();
}

await main();
