// SPDX-License-Identifier: Apache-2.0
//
// Measures the npm package beside the official client, in one run:
//
//   node tests/performance/node_bench.mjs [--rounds 3] [--messages 800000] [--json FILE]
//     [--server martlet | nats-server]
//
// Over TCP, both clients on one server in a process of its own – ours, because it is the less in
// the way, or $NATS_SERVER – 128 B: publish, callback and iterator rates, request p50, and how late
// a timer is while messages flood the loop. Inside the process, beside what users have without us
// – nats-server as a child with the official client ($NATS_JS_MODULES): the rate from one
// connection to another, the request p50, the time until a client is connected to a new broker; and
// beside what else a program can carry inside itself (node_peers.mjs), the first two. The
// contestants take turns.
// Prints medians and ratios with the load of the machine; it judges nothing.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as martlet from "martlet";
import { startPeers } from "./node_peers.mjs";

const PAYLOAD = Buffer.alloc(128, "x");
const SUBJECT = "bench.subject";
// One publisher feeds so many subscriptions of one connection: it alone would be the limit.
const SUBSCRIPTIONS = 8;
const REQUESTS = 3_000;
const WARM_UP = 300;
const STARTS = 20;
const LIVES = 100;
const TIMER_MS = 5;
const FLUSH_MS = 120_000;
const PEER_MESSAGES = 200_000; // They are slower: the round is to end.

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    messages: { type: "string", default: "800000" },
    server: { type: "string", default: "martlet" },
    json: { type: "string" },
    // What this program runs in processes of its own.
    publish: { type: "string" },
    serve: { type: "boolean", default: false },
  },
});
const count = Number(options.messages);

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const rate = (messages, began) => messages / ((performance.now() - began) / 1_000);

// --- the contestants ---

const places = mkdtempSync(path.join(tmpdir(), "martlet-bench-"));

/** nats-server as a child, when a client can connect to it. */
class Child {
  static async start() {
    const child = new Child();
    const folder = mkdtempSync(path.join(places, "server-"));
    const argv = ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder];
    child.process = spawn(process.env.NATS_SERVER, argv, { stdio: "ignore" });
    child.ended = new Promise((resolve) => child.process.once("exit", resolve));
    for (let tries = 0; child.url === undefined; tries++) {
      if (tries === 10_000) throw new Error("nats-server does not start");
      const file = readdirSync(folder).find((name) => name.endsWith(".ports"));
      const text = file === undefined ? "" : readFileSync(path.join(folder, file), "utf8");
      if (text.endsWith("}")) child.url = JSON.parse(text).nats[0];
      else await sleep(0.2);
    }
    return child;
  }

  async stop() {
    this.process.kill("SIGKILL");
    await this.ended;
  }
}

/** Our broker in a process of its own. */
class Ours extends Child {
  static async start() {
    const child = new Ours();
    const argv = [fileURLToPath(import.meta.url), "--serve"];
    child.process = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
    child.ended = new Promise((resolve) => child.process.once("exit", resolve));
    const said = await new Promise((resolve) => child.process.stdout.once("data", resolve));
    child.url = String(said).trim();
    return child;
  }
}

/** Until nobody holds the other end of our standard input. */
async function serve() {
  const server = await martlet.Server.start();
  console.log(server.url);
  process.stdin.resume().once("end", () => process.exit(0));
}

function officialClient() {
  const modules = process.env.NATS_JS_MODULES;
  const name = "@nats-io/transport-node";
  const file = path.join(modules, name, "package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8"));
  const { connect } = createRequire(`${modules}/x`)(name);
  // Who is cut off as a slow consumer would come back without what it has missed.
  return { connect: (url) => connect({ servers: url, reconnect: false }), version };
}

// --- what is measured; both clients have these names ---

/** Publishes as fast as the connection takes it; the official one has no bound, and never says
 * false. */
async function publishAll(connection, messages) {
  for (let i = 0; i < messages; i++) {
    if (connection.publish(SUBJECT, PAYLOAD) === false) await connection.ready();
    // The official client writes when the event loop has its turn.
    if (i % 1024 === 1023) await new Promise(setImmediate);
  }
  await connection.flush({ timeout: FLUSH_MS });
}

async function publishes(connect) {
  const connection = await connect();
  const began = performance.now();
  await publishAll(connection, count);
  const result = rate(count, began);
  await connection.close();
  return result;
}

async function publishWhenTold(url) {
  const connection = await martlet.connect(url);
  console.log("ready");
  process.stdin.once("data", async () => {
    await publishAll(connection, count / SUBSCRIPTIONS);
    await connection.close();
  });
}

/** Another process publishes when `begin` is called. */
async function publisherOf(url) {
  const program = fileURLToPath(import.meta.url);
  const argv = [program, "--publish", url, "--messages", String(count)];
  const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return { begin: () => child.stdin.end("go\n"), ended };
}

/** What is read of a flood: begins now; what it gives says the figure when the flood is over. */
function rateOfFlood() {
  const began = performance.now();
  return () => rate(count, began);
}

/** How late, in ms, a timer is that is set again and again. */
function latenessOfTimer() {
  const late = [];
  let due;
  let timer;
  const set = () => {
    due = performance.now() + TIMER_MS;
    timer = setTimeout(() => {
      late.push(performance.now() - due);
      set();
    }, TIMER_MS);
  };
  set();
  return () => {
    clearTimeout(timer);
    late.push(performance.now() - due); // One that never had its turn counts too.
    late.sort((a, b) => a - b);
    return { p99: late[Math.ceil(late.length * 0.99) - 1], largest: late.at(-1) };
  };
}

async function received(connect, url, subscribe, beginReading) {
  const connection = await connect();
  const done = subscribe(connection);
  await connection.flush();
  const publisher = await publisherOf(url);
  const lost = connection.closed().then((reason) => {
    throw new Error(`a connection ended before all had come: ${reason}`);
  });
  const read = beginReading();
  publisher.begin();
  await Promise.race([done, lost]);
  const result = read();
  await publisher.ended;
  await connection.close();
  return result;
}

// Nothing is lost: ours lets the server wait, the official one has no bound.
const BOUNDS = { policy: "block_reader" };

function calledBack(connect, url, bounds, beginReading = rateOfFlood) {
  const subscribe = (connection) => new Promise((resolve) => {
    let seen = 0;
    const callback = (_, message) => {
      if (message.data.length > 0 && ++seen === count) resolve();
    };
    for (let i = 0; i < SUBSCRIPTIONS; i++) connection.subscribe(SUBJECT, { ...bounds, callback });
  });
  return received(connect, url, subscribe, beginReading);
}

function iterated(connect, url, bounds, beginReading = rateOfFlood) {
  const read = async (subscription) => {
    let bytes = 0;
    for await (const message of subscription) bytes += message.data.length;
    return bytes;
  };
  const max = count / SUBSCRIPTIONS;
  const subscribe = (connection) => Promise.all(Array.from({ length: SUBSCRIPTIONS }, () =>
    read(connection.subscribe(SUBJECT, { ...bounds, max }))));
  return received(connect, url, subscribe, beginReading);
}

/** Of each flood two figures, by the names of bench_programs.py. */
function timerRows(url, official) {
  const ours = () => martlet.connect(url);
  const theirs = () => official.connect(url);
  const floods = {
    "callback martlet": () => calledBack(ours, url, BOUNDS, latenessOfTimer),
    "iterator martlet": () => iterated(ours, url, BOUNDS, latenessOfTimer),
    "callback nats.js": () => calledBack(theirs, url, {}, latenessOfTimer),
  };
  return Object.entries(floods).map(([name, flood]) => ["ms", async () => {
    const { p99, largest } = await flood();
    const row = "timers of a busy loop";
    return { [`${row}, p99 ${name}`]: p99, [`${row}, largest ${name}`]: largest };
  }]);
}

/** The p50 in µs. */
async function requests(connect) {
  const service = await connect();
  const connection = await connect();
  service.subscribe("bench.echo", { callback: (_, message) => message.respond(message.data) });
  await service.flush();
  const samples = [];
  for (let i = 0; i < REQUESTS + WARM_UP; i++) {
    const began = performance.now();
    await connection.request("bench.echo", PAYLOAD, { timeout: 10_000 });
    if (i >= WARM_UP) samples.push((performance.now() - began) * 1_000);
  }
  await connection.close();
  await service.close();
  return median(samples);
}

/** From one connection to another of the same process. */
async function oneToOne(connect, bounds) {
  const connection = await connect();
  const publisher = await connect();
  let seen = 0;
  const done = new Promise((resolve) => {
    connection.subscribe(SUBJECT, {
      ...bounds,
      callback: (_, message) => {
        if (message.data.length > 0 && ++seen === count) resolve();
      },
    });
  });
  await connection.flush();
  const began = performance.now();
  await publishAll(publisher, count);
  await done;
  const result = rate(count, began);
  await connection.close();
  await publisher.close();
  return result;
}

/** What node_peers.mjs has: the same two figures of each, by the names of bench_programs.py. */
function peerRows(peers) {
  return Object.entries(peers).flatMap(([name, peer]) => [
    ["/s", async () => {
      const messages = Math.min(count, PEER_MESSAGES);
      const began = performance.now();
      await peer.oneToOne(messages, PAYLOAD);
      return { [`in-process ${name}`]: rate(messages, began) };
    }],
    ["µs", async () => {
      const samples = [];
      for (let i = 0; i < REQUESTS + WARM_UP; i++) {
        const began = performance.now();
        await peer.request(PAYLOAD);
        if (i >= WARM_UP) samples.push((performance.now() - began) * 1_000);
      }
      return { [`in-process request ${name}`]: median(samples) };
    }],
  ]);
}

async function live() {
  const server = await martlet.Server.start({ listen: false });
  const connection = await martlet.connect(server);
  await connection.flush();
  await connection.close();
  await server.stop();
}

/** How many threads and descriptors more there are after a hundred lives of each. */
function lifeRows(peers) {
  const lives = { martlet: live };
  for (const [name, peer] of Object.entries(peers)) if (peer.live) lives[name] = () => peer.live();
  const standing = () => ["task", "fd"].map((folder) => readdirSync(`/proc/self/${folder}`).length);
  return Object.entries(lives).map(([name, one]) => ["", async () => {
    await one();
    const before = standing();
    for (let i = 0; i < LIVES; i++) await one();
    const [threads, descriptors] = standing().map((count, index) => count - before[index]);
    return {
      [`threads left by 100 starts ${name}`]: threads,
      [`descriptors left by 100 starts ${name}`]: descriptors,
    };
  }]);
}

/** ms until a client is connected to a new broker. */
async function starts(start, connect) {
  const samples = [];
  for (let i = 0; i < STARTS; i++) {
    const began = performance.now();
    const broker = await start();
    const connection = await connect(broker);
    samples.push(performance.now() - began);
    await connection.close();
    await broker.stop();
  }
  return median(samples);
}

// --- the run ---

function rowsOf(url, childUrl, inside, official) {
  const ours = () => martlet.connect(url);
  const theirs = () => official.connect(url);
  const beside = () => official.connect(childUrl);
  const within = () => martlet.connect(inside);
  return [
    ["publish", "/s", () => publishes(ours), () => publishes(theirs)],
    ["callback", "/s", () => calledBack(ours, url, BOUNDS), () => calledBack(theirs, url, {})],
    ["iterator", "/s", () => iterated(ours, url, BOUNDS), () => iterated(theirs, url, {})],
    ["request p50", "µs", () => requests(ours), () => requests(theirs)],
    ["inside 1 -> 1", "/s", () => oneToOne(within, BOUNDS), () => oneToOne(beside, {})],
    ["inside request p50", "µs", () => requests(within), () => requests(beside)],
    ["broker start", "ms",
      () => starts(() => martlet.Server.start({ listen: false }), martlet.connect),
      () => starts(Child.start, ({ url: own }) => official.connect(own))],
  ];
}

const NAMES = {
  publish: ["publish martlet", "publish nats.js"],
  callback: ["callback martlet", "callback nats.js"],
  iterator: ["iterator martlet", "iterator nats.js"],
  "request p50": ["request martlet", "request nats.js"],
  "inside 1 -> 1": ["in-process martlet", "child nats-server, nats.js"],
  "inside request p50": ["in-process request martlet", "child request nats-server, nats.js"],
  "broker start": ["in-process start martlet", "child start nats-server"],
};

/** As tests/performance/bench.py reads them. */
function figuresOf(results) {
  return Object.fromEntries(results.flatMap(({ name, ours, theirs }) =>
    [[NAMES[name][0], ours], [NAMES[name][1], theirs]]));
}

async function measure() {
  const official = officialClient();
  const shared = await (options.server === "martlet" ? Ours : Child).start();
  const child = await Child.start();
  const inside = await martlet.Server.start({ listen: false });
  const version = execFileSync(process.env.NATS_SERVER, ["--version"], { encoding: "utf8" }).trim();
  console.log(`over TCP on ${options.server}; ${version}; nats.js ${official.version}; Node ` +
    `${process.version}; load before: ${loadavg().map((load) => load.toFixed(1)).join(" ")}`);
  const rows = rowsOf(shared.url, child.url, inside, official);
  const found = rows.map(() => ({ ours: [], theirs: [] }));
  const peers = await startPeers(process.env.NODE_BENCH_PEERS);
  const besides = [...timerRows(shared.url, official), ...peerRows(peers), ...lifeRows(peers)];
  const foundBesides = {}; // By the names of the figures: the unit, and what each round gave.
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [index, [, , ours, theirs]] of rows.entries()) {
      found[index].ours.push(await ours());
      found[index].theirs.push(await theirs());
    }
    for (const [unit, run] of besides) {
      for (const [name, value] of Object.entries(await run())) {
        (foundBesides[name] ??= { unit, samples: [] }).samples.push(value);
      }
    }
  }
  for (const peer of Object.values(peers)) await peer.close();
  await inside.stop();
  await child.stop();
  await shared.stop();
  const results = rows.map(([name, unit], index) => {
    const [ours, theirs] = [median(found[index].ours), median(found[index].theirs)];
    console.log(`${name.padEnd(18)}  martlet ${ours.toFixed(1)} ${unit}, ` +
      `nats.js ${theirs.toFixed(1)} ${unit}, ratio ${(ours / theirs).toFixed(2)}`);
    return { name, unit, ours, theirs, samples: found[index] };
  });
  const mediansBesides = {};
  for (const [name, { unit, samples }] of Object.entries(foundBesides)) {
    mediansBesides[name] = median(samples);
    console.log(`${name.padEnd(48)}  ${mediansBesides[name].toFixed(1)} ${unit}`);
  }
  console.log(`load after: ${loadavg().map((load) => load.toFixed(1)).join(" ")}`);
  if (options.json) writeFileSync(options.json, JSON.stringify({
    ...figuresOf(results), ...mediansBesides,
  }, null, 1));
}

try {
  if (options.serve) await serve();
  else if (options.publish) await publishWhenTold(options.publish);
  else await measure();
} finally {
  rmSync(places, { recursive: true, force: true });
}
