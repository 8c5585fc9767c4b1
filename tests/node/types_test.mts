// SPDX-License-Identifier: Apache-2.0
//
// Goal: the types say what the package does, and refuse what it refuses. Method: package_test.mjs
// lets tsc read this; it is never run. What must not compile is marked so, and tsc complains when
// it does.
import {
  connect, errorOf, headers, MartletError, Msg, NatsConnection, NoRespondersError, Server,
  Subscription,
} from "martlet";
import type { ConnectionOptions, MsgHdrs, Payload, ServerOptions, Status } from "martlet";
import { testConnection, testServer } from "martlet/testing";
import { test } from "node:test";

const serverOptions: ServerOptions = {
  port: 0, log: (level, line) => console.log(level.length, line),
};
const options: ConnectionOptions = { servers: ["nats://127.0.0.1:4222"], reconnect: false };

export async function everything(signal: AbortSignal): Promise<string> {
  await using server = await Server.start(serverOptions);
  await using connection: NatsConnection = await connect(server, { name: "inside" });
  const other = await connect(options);
  const third = await connect("nats://127.0.0.1:4222", { signal });
  const sent: MsgHdrs = headers();
  sent.append("A", "b");
  const taken: boolean = connection.publish("a", Buffer.from("x"), { headers: sent, reply: "r" });
  if (!taken) await connection.ready();
  const payloads: Payload[] = ["text", new Uint8Array(1), new ArrayBuffer(1), null, undefined];
  for (const payload of payloads) other.publish("a", payload);
  const called: Subscription = third.subscribe("b", {
    queue: "q", max: 3, policy: "drop_oldest",
    callback: (error: Error | null, message: Msg) => error ?? message.respond("x"),
  });
  await called.drain();
  for await (const message of connection.subscribe("c", { signal })) {
    const subject: string = message.subject;
    const reply: string | undefined = message.reply;
    const data: Uint8Array = message.data;
    const parsed: { a: number } = message.json<{ a: number }>();
    return subject + (reply ?? "") + data.length + parsed.a;
  }
  for await (const batch of connection.subscribe("d").batches()) console.log(batch.length);
  const answers = await connection.requestMany("e", "", { maxMessages: 2 });
  for await (const answer of answers) answer.string();
  try {
    await connection.request("f", undefined, { timeout: 5, signal, headers: sent });
  } catch (error) {
    if (error instanceof NoRespondersError) return `${error.code} ${error.status}`;
    if (error instanceof MartletError) throw errorOf(error.status, error.message);
  }
  for await (const event of connection.status()) told(event);
  const reason: void | Error = await connection.closed();
  return String(reason) + connection.stats().inMsgs + connection.info.server_id + server.port;
}

function told(event: Status): string {
  switch (event.type) {
    case "update": return event.added.join();
    case "slowConsumer": return event.message;
    case "error": return event.error.message;
    case "close": return String(event.error);
    default: return event.server;
  }
}

test("helpers", async (context) => {
  const server: Server = await testServer(context, { user: "a" });
  const { connection } = await testConnection(context, { url: true, name: "y" });
  connection.publish(server.url);
});

export function refused(connection: NatsConnection): void {
  // @ts-expect-error a number is no payload
  connection.publish("a", 1);
  // @ts-expect-error a subject is a string
  connection.publish(1);
  // @ts-expect-error no such option
  void connect({ nam: "x" });
  // @ts-expect-error no such option
  new Server({ porth: 1 });
  // @ts-expect-error no such policy
  connection.subscribe("a", { policy: "none" });
  // @ts-expect-error a callback gets an error first
  connection.subscribe("a", { callback: (message: Msg) => message.data });
}
