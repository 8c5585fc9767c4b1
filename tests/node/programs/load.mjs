// SPDX-License-Identifier: Apache-2.0
//
// Owns a program that publishes at a steady pace to the broker of its first argument, and ends when
// that has gone.
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "martlet";

const MESSAGES_A_MS = 250;
const GONE = ["ERR_CLOSED", "ERR_DISCONNECTED"];
const BEHIND_MAX = 10_000; // What a busy machine has kept it from sending is not all made up for.

const connection = await connect(process.argv[2], { reconnect: false });
const payload = Buffer.alloc(128);
let isOver = false;
void connection.closed().then(() => (isOver = true));
let due = 0;
for (let last = performance.now(); !isOver; await sleep(1)) {
  const now = performance.now();
  due = Math.min(due + (now - last) * MESSAGES_A_MS, BEHIND_MAX);
  last = now;
  try {
    for (; due >= 1; due--) if (!connection.publish("load", payload)) await connection.ready();
  } catch (error) {
    if (!GONE.includes(error.code)) throw error;
  }
}
