// SPDX-License-Identifier: Apache-2.0
//
// Owns nothing: the same as testing.ts for `import`, so that a program which has both kinds of
// modules has one package.
export * from "./testing.js";
