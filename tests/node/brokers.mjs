// SPDX-License-Identifier: Apache-2.0
//
// Owns the brokers that the tests of the npm package run against: ours over TCP, ours inside the
// process, and nats-server ($NATS_SERVER; without it those tests fail). Each test gets one of its
// own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, Server } from "martlet";

const START_MS = 10_000;

/** Waits until `condition` answers something true; fails after `limit` ms. */
export async function until(condition, limit = 5_000) {
  const end = performance.now() + limit;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    assert.ok(performance.now() < end, `not within ${limit} ms: ${condition}`);
    await sleep(5);
  }
}

/** Fails unless the promise ends within `limit` ms. */
export async function within(limit, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Starts nats-server for one test; its URL. */
export async function startNatsServer(context, ...options) {
  const program = process.env.NATS_SERVER;
  assert.ok(program, "NATS_SERVER names no nats-server");
  const folder = await mkdtemp(path.join(tmpdir(), "martlet-node-"));
  const places = ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder];
  const child = spawn(program, [...places, ...options], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  context.after(async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const ports = await until(async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith(".ports"));
    if (files.length === 0) return undefined;
    const text = await readFile(path.join(folder, files[0]), "utf8");
    return text.endsWith("}") ? JSON.parse(text) : undefined;
  }, START_MS);
  return ports.nats[0];
}

async function closing(context, connecting) {
  const connection = await connecting;
  context.after(() => connection.close());
  return connection;
}

/** How to open connections to a broker that is the test's own. */
export const BROKERS = {
  "martlet over TCP": async (context) => {
    const server = await Server.start();
    context.after(() => server.stop());
    return (options) => closing(context, connect(server.url, options));
  },
  "martlet in process": async (context) => {
    const server = await Server.start({ listen: false });
    context.after(() => server.stop());
    return (options) => closing(context, connect(server, options));
  },
  "nats-server": async (context) => {
    const url = await startNatsServer(context);
    return (options) => closing(context, connect(url, options));
  },
};

/** One test for each broker: `body` gets a function that opens connections, and the context. */
export function onEachBroker(name, body) {
  for (const [broker, make] of Object.entries(BROKERS)) {
    test(`${name}: ${broker}`, { timeout: 60_000 }, async (context) => {
      await body(await make(context), context);
    });
  }
}
