// SPDX-License-Identifier: Apache-2.0
//
// Owns what tests of programs need: a broker of its own for each test, which is gone when it ends.
import { connect } from "./connect";
import type { NatsConnection } from "./connection";
import type { ConnectionOptions, ServerOptions } from "./options";
import { Server } from "./server";

/** What is needed of the context that `node:test` hands to a test, or of one like it. */
export interface TestContext {
  after(end: () => Promise<void>): void;
}

/** Starts a broker that stops when the test ends. */
export async function testServer(test: TestContext, options?: ServerOptions): Promise<Server> {
  const server = await Server.start(options);
  test.after(() => server.stop());
  return server;
}

/** Starts a broker and connects to it, without a socket unless `options` has `url: true`. Both end
 * with the test. */
export async function testConnection(
  test: TestContext, options: ConnectionOptions & { url?: boolean } = {},
): Promise<{ server: Server; connection: NatsConnection }> {
  const { url = false, ...others } = options;
  const server = await Server.start({ listen: url });
  const connection = await (url ? connect(server.url, others) : connect(server, others));
  // The hooks of node:test run in the order in which they were added.
  test.after(async () => {
    await connection.close();
    await server.stop();
  });
  return { server, connection };
}

/** Runs `body` with a broker of its own. */
export async function withServer<T>(
  body: (server: Server) => T | Promise<T>, options?: ServerOptions): Promise<T> {
  const server = await Server.start(options);
  try {
    return await body(server);
  } finally {
    await server.stop();
  }
}
