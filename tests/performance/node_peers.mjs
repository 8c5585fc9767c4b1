// SPDX-License-Identifier: Apache-2.0
//
// Owns what else a program of Node.js can carry inside itself to pass messages, as node_bench.mjs
// measures it beside us: the broker aedes with mqtt.js on a pair of streams, and zeromq.js over
// inproc. $NODE_BENCH_PEERS is the folder that has them.
import { createRequire } from "node:module";
import { duplexPair } from "node:stream";

/**
 * Each peer: `oneToOne(count, payload)` resolves when so many messages have come from one end to
 * the other, `request(payload)` when an answer has come, `close()` ends it.
 */
export async function startPeers(folder) {
  const require = createRequire(`${folder}/x`);
  return { aedes: await startAedes(require), "zeromq.js": await startZeromq(require) };
}

async function startAedes(require) {
  const { Aedes } = require("aedes");
  const { MqttClient } = require("mqtt");
  const broker = await Aedes.createBroker();
  const join = () => {
    const [ours, theirs] = duplexPair();
    broker.handle(theirs);
    const client = new MqttClient(() => ours, { keepalive: 0, reconnectPeriod: 0 });
    return new Promise((resolve, reject) => {
      client.once("connect", () => resolve(client)).once("error", reject);
    });
  };
  const [publisher, subscriber, service, asker] = [
    await join(), await join(), await join(), await join(),
  ];
  await subscriber.subscribeAsync("bench/subject");
  await service.subscribeAsync("bench/echo");
  await asker.subscribeAsync("bench/reply");
  service.on("message", (_, payload) => service.publish("bench/reply", payload));
  return {
    async oneToOne(count, payload) {
      let seen = 0;
      const done = new Promise((resolve) => {
        subscriber.on("message", () => {
          if (++seen === count) resolve();
        });
      });
      // Each waits until the stream has taken it, which is several times faster than not to wait.
      for (let i = 0; i < count; i++) await publisher.publishAsync("bench/subject", payload);
      await done;
      subscriber.removeAllListeners("message");
    },
    async request(payload) {
      const answer = new Promise((resolve) => asker.once("message", resolve));
      asker.publish("bench/echo", payload);
      await answer;
    },
    async close() {
      await Promise.all([publisher, subscriber, service, asker].map((each) => each.endAsync(true)));
      await new Promise((resolve) => broker.close(resolve));
    },
  };
}

async function startZeromq(require) {
  const zmq = require("zeromq");
  const [push, pull] = [new zmq.Push(), new zmq.Pull()];
  await push.bind("inproc://bench.subject");
  pull.connect("inproc://bench.subject");
  const [service, asker] = [new zmq.Reply(), new zmq.Request()];
  await service.bind("inproc://bench.echo");
  asker.connect("inproc://bench.echo");
  const served = (async () => {
    for await (const [payload] of service) await service.send(payload);
  })();
  let lives = 0;
  return {
    /** What a hundred times leave behind is counted. A closed socket keeps its address a while. */
    async live() {
      const [sender, receiver] = [new zmq.Push(), new zmq.Pull()];
      const address = `inproc://bench.life.${lives++}`;
      await sender.bind(address);
      receiver.connect(address);
      await sender.send("x");
      await receiver.receive();
      sender.close();
      receiver.close();
    },
    async oneToOne(count, payload) {
      const received = (async () => {
        for (let i = 0; i < count; i++) await pull.receive();
      })();
      for (let i = 0; i < count; i++) await push.send(payload);
      await received;
    },
    async request(payload) {
      await asker.send(payload);
      await asker.receive();
    },
    async close() {
      for (const socket of [push, pull, service, asker]) socket.close();
      await served;
    },
  };
}
