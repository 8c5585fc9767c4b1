// SPDX-License-Identifier: Apache-2.0
//
// Measures the npm package beside nats.js, in one run on one server:
//
//   node tests/performance/node_bench.mjs [--server URL] [--modules FOLDER] [--rounds 3]
//     [--messages 300000] [--json FILE]
//
// Over TCP: publish, callback and iterator rates of 128 B, request p50; inside the process the
// request p50 and the rate from one to one. FOLDER is a node_modules with @nats-io/transport-node
// ($NATS_JS_MODULES). Prints the medians and their ratios; it judges nothing. Without --server an
// embedded broker in a process of its own serves both clients.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as martlet from "martlet";

const PAYLOAD = Buffer.alloc(128, "x");
const SUBJECT = "bench.subject";
const REQUESTS = 3_000;
const WARM_UP = 300;

const { values: options } = parseArgs({
  options: {
    server: { type: "string" },
    modules: { type: "string", default: process.env.NATS_JS_MODULES },
    rounds: { type: "string", default: "3" },
    messages: { type: "string", default: "300000" },
    json: { type: "string" },
    // What this program runs in processes of its own.
    serve: { type: "boolean", default: false },
    publish: { type: "string" },
  },
});

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const rate = (count, began) => count / ((performance.now() - began) / 1_000);

/** A process of this program: what it says first, and how to tell it to go on or to end. */
async function beside(...argv) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...argv], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const said = await new Promise((resolve) => child.stdout.once("data", resolve));
  const end = () => new Promise((resolve) => {
    child.once("exit", resolve);
    child.stdin.end();
  });
  return { said: String(said).trim(), go: () => child.stdin.write("go\n"), end };
}

async function serve() {
  const server = await martlet.Server.start();
  console.log(server.url);
  process.stdin.resume().once("end", () => process.exit(0));
}

/** Publishes when it is told to, as fast as the connection takes it. */
async function publishWhenTold(url, count) {
  const connection = await martlet.connect(url);
  console.log("ready");
  process.stdin.once("data", async () => {
    for (let i = 0; i < count; i++) {
      if (!connection.publish(SUBJECT, PAYLOAD)) await connection.ready();
    }
    await connection.flush({ timeout: 120_000 });
    await connection.close();
  });
}

// --- what is measured; both clients have these names ---

async function publishes(connect, count) {
  const connection = await connect();
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    if (connection.publish(SUBJECT, PAYLOAD) === false) await connection.ready();
  }
  await connection.flush({ timeout: 120_000 });
  const result = rate(count, began);
  await connection.close();
  return result;
}

async function calledBack(connect, count, url) {
  const connection = await connect();
  let seen = 0;
  const done = new Promise((resolve) => {
    connection.subscribe(SUBJECT, {
      policy: "block_reader",
      callback: (_, message) => {
        if (message.data.length > 0 && ++seen === count) resolve();
      },
    });
  });
  return received(connection, count, url, () => done);
}

async function iterated(connect, count, url) {
  const connection = await connect();
  const subscription = connection.subscribe(SUBJECT, { policy: "block_reader", max: count });
  return received(connection, count, url, async () => {
    let bytes = 0;
    for await (const message of subscription) bytes += message.data.length;
    return bytes;
  });
}

async function received(connection, count, url, read) {
  await connection.flush();
  const publisher = await beside("--publish", url, "--messages", String(count));
  const began = performance.now();
  publisher.go();
  await read();
  const result = rate(count, began);
  await publisher.end();
  await connection.close();
  return result;
}

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

async function inside(count) {
  const server = await martlet.Server.start({ listen: false });
  const connect = () => martlet.connect(server);
  const connection = await connect();
  const publisher = await connect();
  let seen = 0;
  const done = new Promise((resolve) => {
    connection.subscribe(SUBJECT, {
      policy: "block_reader",
      callback: (_, message) => {
        if (message.data.length > 0 && ++seen === count) resolve();
      },
    });
  });
  await connection.flush();
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    if (!publisher.publish(SUBJECT, PAYLOAD)) await publisher.ready();
    else if (i % 256 === 0) await new Promise(setImmediate);
  }
  await done;
  const result = rate(count, began);
  const p50 = await requests(connect);
  await Promise.all([connection.close(), publisher.close()]);
  await server.stop();
  return { rate: result, p50 };
}

async function measure() {
  const rounds = Number(options.rounds);
  const count = Number(options.messages);
  const server = options.server ? undefined : await beside("--serve");
  const url = options.server ?? server.said;
  const natsJs = createRequire(`${options.modules}/x`)("@nats-io/transport-node");
  const clients = {
    martlet: () => martlet.connect(url),
    "nats.js": () => natsJs.connect({ servers: url }),
  };
  const rows = { publish: publishes, callback: calledBack, iterator: iterated, request: requests };
  const found = { inside_rate: [], inside_request: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [row, run] of Object.entries(rows)) {
      for (const [client, connect] of Object.entries(clients)) {
        (found[`${row} ${client}`] ??= []).push(await run(connect, count, url));
      }
    }
    const within = await inside(count);
    found.inside_rate.push(within.rate);
    found.inside_request.push(within.p50);
  }
  await server?.end();
  const medians = Object.fromEntries(
    Object.entries(found).map(([name, all]) => [name, median(all)]));
  for (const row of Object.keys(rows)) {
    const [ours, theirs] = [medians[`${row} martlet`], medians[`${row} nats.js`]];
    const unit = row === "request" ? "us" : "/s";
    console.log(`${row.padEnd(9)} martlet ${ours.toFixed(1)} ${unit}, ` +
      `nats.js ${theirs.toFixed(1)} ${unit}, ratio ${(ours / theirs).toFixed(2)}`);
  }
  console.log(`inside    rate ${medians.inside_rate.toFixed(1)} /s, request ` +
    `${medians.inside_request.toFixed(1)} us`);
  if (options.json) writeFileSync(options.json, JSON.stringify({ medians, found }, null, 1));
}

if (options.serve) await serve();
else if (options.publish) await publishWhenTold(options.publish, Number(options.messages));
else await measure();
