// SPDX-License-Identifier: Apache-2.0
//
// Goal: the package is one for `import` and `require`, its types say what it does, it runs nothing
// when it is installed, and its addon shows nothing but what Node asks for. Method: the checkout's
// own package, by its name; tsc 5 and 7 on types_test.mts and .cts; attw and publint ($NODE_CHECKS)
// on what npm packs; nm on the addon.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as imported from "martlet";
import * as testing from "martlet/testing";

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

test("import and require give the same package", () => {
  const required = require("martlet");
  const names = Object.keys(required).filter((name) => name !== "__esModule");
  assert.ok(names.length > 30);
  for (const name of names) assert.equal(imported[name], required[name], name);
  for (const name of ["testServer", "testConnection", "withServer"]) {
    assert.equal(testing[name], require("martlet/testing")[name]);
  }
  assert.match(imported.version, /^\d+\.\d+\.\d+$/);
  assert.equal(imported.version, manifest.version);
});

test("nothing runs when it is installed, and it needs no other package", () => {
  for (const script of ["preinstall", "install", "postinstall"]) {
    assert.equal(manifest.scripts[script], undefined);
  }
  assert.equal(manifest.dependencies, undefined);
  assert.ok(manifest.scripts.prepare);
  assert.ok(!existsSync(path.join(root, "binding.gyp")));
});

test("every file that the package names is there", () => {
  const files = [];
  const walk = (value) => {
    if (typeof value === "string") files.push(value);
    else Object.values(value).forEach(walk);
  };
  walk(manifest.exports);
  files.push(manifest.main, manifest.types);
  for (const file of files) assert.ok(existsSync(path.join(root, file)), file);
});

for (const compiler of ["typescript", "typescript-7"]) {
  for (const module of ["node16", "nodenext"]) {
    test(`the types hold in ${compiler}, --strict, ${module}`, { timeout: 240_000 }, () => {
      const folder = path.dirname(require.resolve(`${compiler}/package.json`));
      const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022",
        "--lib", "es2022,esnext.disposable", "--module", module, "--moduleResolution", module,
        "--types", "node", "--skipLibCheck", "false"];
      const files = ["types_test.mts", "types_test.cts"].map((name) =>
        path.join(root, "tests/node", name));
      const tsc = path.join(folder, "bin", "tsc");
      const done = spawnSync(process.execPath, [tsc, ...options, ...files], {
        cwd: root, encoding: "utf8",
      });
      assert.equal(done.stdout + done.stderr, "");
      assert.equal(done.status, 0);
    });
  }
}

/** What npm packs of this checkout, in a folder that goes with the test. */
function packed(context) {
  const folder = mkdtempSync(path.join(tmpdir(), "martlet-node-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const told = execFileSync("npm",
    ["pack", "--ignore-scripts", "--json", "--pack-destination", folder],
    { cwd: root, encoding: "utf8" });
  const [{ filename, files }] = JSON.parse(told);
  return { file: path.join(folder, filename), names: files.map((file) => file.path) };
}

/** A program of $NODE_CHECKS; its output. */
function check(name, ...argv) {
  const modules = process.env.NODE_CHECKS;
  assert.ok(modules, "NODE_CHECKS names no folder");
  const done = spawnSync(path.join(modules, ".bin", name), argv, { encoding: "utf8" });
  assert.equal(done.status, 0, done.stdout + done.stderr);
  return done.stdout;
}

test("what is packed has its types for every way to resolve it, and no native part",
  { timeout: 240_000 }, (context) => {
    const { file, names } = packed(context);
    assert.ok(names.includes("node/dist/index.mjs") && names.includes("LICENSE"));
    assert.deepEqual(names.filter((name) => name.endsWith(".node") || name.includes("src/")), []);
    const told = JSON.parse(check("attw", "--format", "json", file));
    assert.equal(told.analysis.packageName, "martlet");
    assert.deepEqual(told.problems, {});
    assert.match(check("publint", file, "--strict"), /All good!/);
  });

test("the addon shows the functions that Node asks for and carries its own of the ABI",
  () => {
    const addon = process.env.MARTLET_NODE_ADDON || path.join(root, "node/dist/martlet.node");
    const symbols = (option) => execFileSync("nm", ["-D", option, addon], { encoding: "utf8" })
      .trim().split("\n").map((line) => line.trim().split(/\s+/).at(-1).split("@")[0]);
    assert.deepEqual(symbols("--defined-only").sort(),
      ["napi_register_module_v1", "node_api_module_get_api_version_v1"]);
    const wanted = symbols("--undefined-only");
    assert.deepEqual(wanted.filter((name) => name.startsWith("martlet_")), []);
    assert.ok(wanted.includes("napi_create_threadsafe_function"));
  });

/** Node's HTTPS without certificates: both ends share a key. What the server answered. */
async function overHttps(asked) {
  const psk = Buffer.from("0123456789abcdef");
  const common = { ciphers: "PSK-AES128-GCM-SHA256", maxVersion: "TLSv1.2" };
  const server = https.createServer({ ...common, pskCallback: () => psk },
    (request, response) => response.end(`answer to ${request.url}`)).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const request = https.get({
      ...common, host: "127.0.0.1", port: server.address().port, path: asked, agent: false,
      checkServerIdentity: () => undefined, pskCallback: () => ({ psk, identity: "a" }),
    });
    const [response] = await once(request, "response");
    return (await response.toArray()).join("");
  } finally {
    server.close();
  }
}

test("Node's own HTTPS and hashes work beside ours", { timeout: 60_000 }, async () => {
  const server = await imported.Server.start({ user: "u", pass: "p" });
  const connection = await imported.connect(server.url, { user: "u", pass: "p" });
  const subscription = connection.subscribe("beside");
  assert.equal(createHash("sha256").update("x").digest("hex").slice(0, 8), "2d711642");
  assert.equal(await overHttps("/page"), "answer to /page");
  connection.publish("beside", "ours");
  assert.equal((await subscription.next()).string(), "ours");
  await connection.close();
  await server.stop();
});
