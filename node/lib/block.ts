// SPDX-License-Identifier: Apache-2.0
//
// Owns the memory that batches are read into. A batch is copied once, by the addon, into a chunk
// that later batches follow in; messages read it when they are asked. A message that is kept keeps
// its chunk, 64 KiB at most; a payload that is larger than a chunk lies in memory of its own, where
// the library has put it.
import * as abi from "./constants";
import { InternalError } from "./errors";
import type { RawQueue } from "./raw";

const CHUNK_BYTES = 64 * 1024;
const ROOM_BYTES_MIN = 8 * 1024;

/** The shape that the addon tells of a batch, as words of 32 bits. */
const info = new Int32Array(abi.BATCH_INFO_BYTES / 4);
const COUNT = abi.BATCH_INFO_COUNT_OFFSET / 4;
const STRIDE = abi.BATCH_INFO_STRIDE_BYTES_OFFSET / 4;
const DESCRIPTORS = abi.BATCH_INFO_DESCRIPTORS_OFFSET_OFFSET / 4;
const BLOCK_BYTES = abi.BATCH_INFO_BLOCK_BYTES_OFFSET / 4;

const COOKIE = abi.DESCRIPTOR_COOKIE_OFFSET / 4;
const TWO_TO_32 = 4294967296;

type ViewMaker = new (memory: ArrayBuffer, start: number, bytes: number) => Buffer;

/** What `subarray` makes its Buffer by, after it has asked the engine for the memory, which is
 * dearer than the Buffer. Undefined in runtimes that make it otherwise. */
const View = ((): ViewMaker | undefined => {
  const made = (Buffer as unknown as { [Symbol.species]?: ViewMaker })[Symbol.species];
  const isKnown = typeof made === "function" && made !== (Buffer as unknown) &&
    made.prototype === Buffer.prototype;
  return isKnown ? made : undefined;
})();

class Chunk {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  used = 0;

  constructor(readonly memory: ArrayBuffer) {
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory, 0, memory.byteLength >> 2);
  }
}

/** One batch: descriptors at word positions, and the bytes that they speak of. */
export class Block {
  /** The position of the descriptor at hand, in words. */
  at: number;
  readonly end: number;
  readonly stride: number;
  readonly words: Int32Array;

  constructor(
    private readonly chunk: Chunk,
    /** Where the offsets of the descriptors count from, in bytes. */
    private readonly base: number,
  ) {
    this.words = chunk.words;
    this.stride = (info[STRIDE] as number) >> 2;
    this.at = (base + (info[DESCRIPTORS] as number)) >> 2;
    this.end = this.at + (info[COUNT] as number) * this.stride;
  }

  word(at: number, offset: number): number {
    return this.words[at + (offset >> 2)] as number;
  }

  cookie(at: number): number {
    return ((this.words[at + COOKIE] as number) >>> 0) +
      (this.words[at + COOKIE + 1] as number) * TWO_TO_32;
  }

  text(at: number, offset: number): string {
    const bytes = this.word(at, offset + 4);
    if (bytes === 0) return "";
    const start = this.base + this.word(at, offset);
    return this.chunk.bytes.toString("utf8", start, start + bytes);
  }

  bytes(at: number, offset: number): Buffer {
    const start = this.base + this.word(at, offset);
    const bytes = this.word(at, offset + 4);
    if (View !== undefined) return new View(this.chunk.memory, start, bytes);
    return this.chunk.bytes.subarray(start, start + bytes);
  }
}

let chunk = new Chunk(new ArrayBuffer(CHUNK_BYTES));

/** Reads what waits in a queue, at most one chunk full; or says AGAIN, or DONE. */
export function poll(queue: RawQueue, messagesMax: number): Block | number {
  if (CHUNK_BYTES - chunk.used < ROOM_BYTES_MIN) chunk = new Chunk(new ArrayBuffer(CHUNK_BYTES));
  let status = queue.pollInto(chunk.bytes, chunk.used, messagesMax, info);
  if (status === abi.ERR_BUFFER_TOO_SMALL) {
    if ((info[BLOCK_BYTES] as number) > CHUNK_BYTES) return pollLarge(queue);
    chunk = new Chunk(new ArrayBuffer(CHUNK_BYTES));
    status = queue.pollInto(chunk.bytes, 0, messagesMax, info);
  }
  if (status !== abi.OK) return status;
  const block = new Block(chunk, chunk.used);
  chunk.used += ((info[BLOCK_BYTES] as number) + 7) & ~7;
  return block;
}

function pollLarge(queue: RawQueue): Block | number {
  const answer = queue.poll(1, info);
  if (typeof answer === "number") return answer;
  if ((info[STRIDE] as number) % 4 !== 0) throw new InternalError("a stride of no whole words");
  return new Block(new Chunk(answer), 0);
}
