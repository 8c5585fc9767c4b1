// SPDX-License-Identifier: Apache-2.0
//
// A receiver on nats.js: `receiver_nats_js.mjs URL SUBJECT [QUEUE]`, with the client in the folder
// $NATS_JS_MODULES. Knows nothing of Martlet. Says the same on its output as receiver_nats_py.py,
// and ends as it does.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.env.NATS_JS_MODULES + "/");
const { connect } = require("@nats-io/transport-node");

const STAMP_BYTES = 17;
const MARKS = new Set(["flight.begin.JFK.mark", "flight.end.JFK.mark"]);
const PROGRESS_EVERY = 250;
const [url, subject, queue] = process.argv.slice(2);

const tell = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));

// The same notes as tally.py takes, worked out again.
class Tally {
  messages = 0;
  bytes = 0;
  chain = createHash("sha256");
  sum = 0n;
  latencies = [];
  first = 0;
  last = 0;

  add(subject, data) {
    const now = Number(process.hrtime.bigint());
    const payload = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (this.messages === 0) this.first = now;
    this.last = now;
    this.messages += 1;
    this.bytes += payload.length;
    this.latencies.push(now - parseInt(payload.toString("latin1", 0, 16), 16));
    const hash = queue ? createHash("sha256") : this.chain;
    hash.update(subject + " ").update(payload.subarray(STAMP_BYTES)).update("\n");
    if (queue) {
      const number = BigInt("0x" + hash.digest("hex").slice(0, 32));
      this.sum = (this.sum + number) % 2n ** 128n;
    }
  }

  result() {
    const times = Float64Array.from(this.latencies).sort();
    const at = (share) => (times.length ? times[Math.floor(times.length * share)] / 1e6 : 0);
    return {
      messages: this.messages,
      bytes: this.bytes,
      digest: queue ? this.sum.toString(16).padStart(32, "0") : this.chain.digest("hex"),
      seconds: (this.last - this.first) / 1e9,
      p50_ms: at(0.5),
      p99_ms: at(0.99),
    };
  }
}

const tally = new Tally();
const connection = await connect({ servers: url, reconnect: false });
const subscription = connection.subscribe(subject, queue ? { queue } : {});
const reading = (async () => {
  for await (const message of subscription) {
    if (MARKS.has(message.subject)) continue;
    tally.add(message.subject, message.data);
    if (tally.messages % PROGRESS_EVERY === 0) tell("progress", { messages: tally.messages });
  }
})();
await connection.flush();
tell("ready");
const input = createInterface({ input: process.stdin });
await new Promise((resolve) => input.once("line", resolve).once("close", resolve));
await subscription.drain();
await reading;
tell("result", { problems: [], ...tally.result() });
await connection.close();
process.exit(0);
