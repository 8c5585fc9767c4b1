// SPDX-License-Identifier: Apache-2.0
//
// Goal: what is packed runs where nothing of the checkout is, on other runtimes of JavaScript too.
// Method: the packed files and the addon in a folder of their own, in which smoke.mjs runs with
// each runtime of $NODE_VERSIONS (tools/dev/peers/node_versions) and with this one; it must end by
// itself.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const modules = process.env.NODE_VERSIONS;
assert.ok(modules, "NODE_VERSIONS names no folder");
const folder = mkdtempSync(path.join(tmpdir(), "martlet-node-"));
after(() => rmSync(folder, { recursive: true }));

function install() {
  const told = execFileSync("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination",
    folder], { cwd: root, encoding: "utf8" });
  const target = path.join(folder, "node_modules", "martlet");
  mkdirSync(target, { recursive: true });
  execFileSync("tar", ["-xzf", path.join(folder, JSON.parse(told)[0].filename), "-C", target,
    "--strip-components", "1"]);
  copyFileSync(path.join(root, "node/dist/martlet.node"),
    path.join(target, "node/dist/martlet.node"));
  copyFileSync(path.join(root, "tests/node/runtimes/smoke.mjs"), path.join(folder, "smoke.mjs"));
}
install();

const runtimes = {
  "this one": [process.execPath],
  "Node 18": [path.join(modules, "node-18/bin/node")],
  "Node 20": [path.join(modules, "node-20/bin/node")],
  "Node 22": [path.join(modules, "node-22/bin/node")],
  "Node 24": [path.join(modules, "node-24/bin/node")],
  bun: [path.join(modules, "@oven/bun-linux-x64-baseline/bin/bun"), "run"],
  deno: [path.join(modules, "@deno/linux-x64-glibc/deno"), "run", "--allow-all",
    "--node-modules-dir=manual"],
};

for (const [name, [program, ...options]] of Object.entries(runtimes)) {
  test(`the smoke program runs on ${name}`, { timeout: 120_000 }, () => {
    assert.ok(existsSync(program), program);
    const done = spawnSync(program, [...options, "smoke.mjs"], {
      cwd: folder, encoding: "utf8", timeout: 60_000,
    });
    assert.equal(done.stderr, "");
    assert.equal(done.stdout, "smoke passed\n");
    assert.equal(done.status, 0);
  });
}
