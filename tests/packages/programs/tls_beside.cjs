// SPDX-License-Identifier: Apache-2.0
//
// The TLS of Node beside ours: see ../host_tls.py.
const assert = require("node:assert");
const { once } = require("node:events");
const { readFileSync } = require("node:fs");
const https = require("node:https");
const path = require("node:path");

const [folder, trusted, password] = process.argv.slice(2);
const read = (name) => readFileSync(path.join(folder, name));
const count = { pages: 0, logins: 0 };
const web = https.createServer({ key: read("server.key"), cert: read("server.pem") },
  (request, response) => response.end(`answer to ${request.url}`));

/** A handshake and a page. */
async function ask(number) {
  const request = https.get({
    host: "127.0.0.1", port: web.address().port, path: `/${number}`, agent: false,
    ca: read(`${trusted}.pem`),
  });
  const [response] = await once(request, "response");
  assert.strictEqual((await response.toArray()).join(""), `answer to /${number}`);
  count.pages++;
}

async function logIn(martlet, server, pass) {
  const options = { servers: server.url, user: "u", pass, timeout: 60_000 };
  const connection = await martlet.connect(options);
  await connection.flush();
  await connection.close();
  count.logins++;
}

async function main() {
  await once(web.listen(0, "127.0.0.1"), "listening");
  for (let number = 0; number < 5; number++) await ask(number);
  const martlet = require("martlet");
  const start = (name) => martlet.Server.start({ config: read(`${name}.conf`).toString() });
  const [hashed, plain] = [await start("hashed"), await start("plain")];
  for (let number = 0; number < 20; number++) {
    const asked = ask(number);
    await logIn(martlet, hashed, password);
    await logIn(martlet, plain, "as it is");
    await asked;
  }
  await hashed.stop();
  await plain.stop();
  for (let number = 0; number < 5; number++) await ask(number);
  web.close();
  console.log(`${count.pages} pages, ${count.logins} logins`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
