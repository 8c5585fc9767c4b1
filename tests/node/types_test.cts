// SPDX-License-Identifier: Apache-2.0
//
// Goal: a CommonJS program gets the same types. Method: as types_test.mts.
import martlet = require("martlet");
import testing = require("martlet/testing");

export async function program(): Promise<number> {
  const server: martlet.Server = await martlet.Server.start();
  const connection: martlet.NatsConnection = await martlet.connect(server.url);
  const message: martlet.Msg = await connection.request("a", "b");
  await testing.withServer(async (own: martlet.Server) => own.stop());
  return message.data.length;
}
