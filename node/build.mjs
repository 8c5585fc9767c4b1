// SPDX-License-Identifier: Apache-2.0
//
// Owns the building of the npm package in a checkout: the addon by CMake into build/node, what is
// written in TypeScript by tsc, both into node/dist. npm runs it as `prepare`; an installed package
// never does. `--types` leaves the addon as it is.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const build = path.join(root, "build", "node");
const dist = path.join(root, "node", "dist");

function run(program, ...args) {
  execFileSync(program, args, { cwd: root, stdio: "inherit" });
}

function buildAddon() {
  const options = ["-DCMAKE_BUILD_TYPE=Release", "-DMARTLET_LTO=ON", "-DMARTLET_TESTS=OFF"];
  // Compiled as the release preset is: the compiler cache then has its objects.
  if (existsSync(path.join(root, "build", "release", "CMakeCache.txt"))) {
    options.push("-DMARTLET_FAT_OBJECTS=ON");
  }
  if (process.env.CI) options.push("-DMARTLET_WERROR=ON");
  run("cmake", "-S", root, "-B", build, "-G", "Ninja", "-DMARTLET_NODE=ON", ...options);
  const jobs = process.env.MARTLET_JOBS ?? String(availableParallelism());
  run("cmake", "--build", build, "-j", jobs, "--target", "martlet_node");
  mkdirSync(dist, { recursive: true });
  // By a new name first: a program that has the old one loaded keeps it.
  const target = path.join(dist, "martlet.node");
  copyFileSync(path.join(build, "lib", "martlet.node"), `${target}.new`);
  renameSync(`${target}.new`, target);
}

function compile() {
  const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
  run(process.execPath, path.join(path.dirname(typescript), "bin", "tsc"), "-p", "node");
}

if (!process.argv.includes("--types")) buildAddon();
compile();
