// SPDX-License-Identifier: Apache-2.0
//
// Prints the raw surface of the npm package, as README.md describes it.
import { createRequire } from "node:module";
import path from "node:path";
import { errorOf, version } from "martlet";

// The raw layer is no export of the package: it is found beside what is.
const require = createRequire(import.meta.url);
const folder = path.dirname(require.resolve("martlet"));
const constants = require(path.join(folder, "constants.js"));
const { raw } = require(path.join(folder, "raw.js"));

const numbers = Object.fromEntries(
  Object.entries(constants).filter(([, value]) => typeof value === "number"));
const nameOf = (error) => error.constructor.name;
const exceptions = Object.fromEntries(
  Object.entries(numbers).filter(([name]) => name.startsWith("ERR_"))
    .map(([name, status]) => [name, nameOf(errorOf(status, "a text"))]));

const functions = raw.cFunctions();
const instead = raw.cFunctionsReplaced();
const named = [...Object.values(functions), ...Object.values(instead).map((each) => each.raw)];
for (const name of named.flat()) {
  const [noun, verb] = name.split(".");
  const found = verb === undefined ? raw[noun] : raw[noun]?.prototype[verb];
  if (typeof found !== "function") throw new Error(`the table names ${name}, which is not there`);
}

console.log(JSON.stringify({
  language: "node", version, functions, instead, exceptions,
  base_exception: nameOf(errorOf(-9999, "a text")), numbers,
}, null, 1));
