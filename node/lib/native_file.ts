// SPDX-License-Identifier: Apache-2.0
//
// Owns the look at the addon before it is loaded: one that is cut off would not be refused by the
// loader, it would end the process at the first access behind its end.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const MAGIC = 0x464c457f; // "\x7fELF", little endian.
const HEADER_BYTES = 64;
const CLASS_64 = 2;
const LOADED = 1;

/** What is wrong with it; "" where the loader says it itself. */
export function damageOf(file: string): string {
  const descriptor = openSync(file, "r");
  try {
    return damageIn(descriptor, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

function damageIn(descriptor: number, size: number): string {
  const header = Buffer.alloc(HEADER_BYTES);
  const got = readSync(descriptor, header, 0, HEADER_BYTES, 0);
  if (got < 5 || header.readUInt32LE(0) !== MAGIC || header[4] !== CLASS_64) return "";
  if (got < HEADER_BYTES) return "it is damaged: it ends within its headers";
  const at = Number(header.readBigUInt64LE(32));
  const segmentBytes = header.readUInt16LE(54);
  const table = Buffer.alloc(segmentBytes * header.readUInt16LE(56));
  if (readSync(descriptor, table, 0, table.length, at) < table.length) {
    return "it is damaged: it ends within its headers";
  }
  let end = at + table.length;
  for (let segment = 0; segment < table.length; segment += segmentBytes) {
    if (table.readUInt32LE(segment) !== LOADED) continue;
    const offset = Number(table.readBigUInt64LE(segment + 8));
    end = Math.max(end, offset + Number(table.readBigUInt64LE(segment + 32)));
  }
  return size >= end ? "" : `it is damaged: ${size} bytes of ${end}`;
}
