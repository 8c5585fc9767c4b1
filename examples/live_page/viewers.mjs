// SPDX-License-Identifier: Apache-2.0
//
// Owns the open pages: each gets all rows when it comes and then those that change, by server-sent
// events, at most every 100 ms. One that reads slowly gets fewer and later states; no more memory.

const PAUSE_MS = 100;
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 1_000;

/** One page. What could not be sent is remembered by subject alone, or as "everything". */
class Viewer {
  #response;
  #board;
  #missed = new Set();
  #missesAll = false;
  #isFull = false;
  #silentBeats = 0;

  constructor(response, board) {
    this.#response = response;
    this.#board = board;
    response.on("drain", () => this.#onDrain());
    this.#send(`retry: ${RETRY_MS}\n\nevent: all\ndata: ${board.toJson()}\n\n`);
  }

  /** `event` tells of these subjects. */
  update(event, subjects) {
    if (!this.#isFull) {
      this.#send(event);
      return;
    }
    if (this.#missesAll) return;
    for (const subject of subjects) this.#missed.add(subject);
    if (this.#missed.size > this.#board.rowsMax) {
      this.#missed.clear();
      this.#missesAll = true;
    }
  }

  /** Keeps proxies from closing it; ends one that has not read anything for two of these. */
  beat() {
    if (!this.#isFull) this.#send(":\n\n");
    else if (++this.#silentBeats > 2) this.#response.destroy();
  }

  end() {
    this.#response.end();
  }

  #send(text) {
    this.#isFull = !this.#response.write(text);
  }

  #onDrain() {
    this.#isFull = false;
    this.#silentBeats = 0;
    const subjects = this.#missed;
    if (this.#missesAll) this.#send(`event: all\ndata: ${this.#board.toJson()}\n\n`);
    else if (subjects.size > 0) this.#send(rowsEvent(this.#board, subjects));
    this.#missesAll = false;
    this.#missed = new Set();
  }
}

const rowsEvent = (board, subjects) => `event: rows\ndata: ${board.toJson(subjects)}\n\n`;

/** Lifecycle: pages come and go by themselves until `end`. */
export class Viewers {
  #board;
  #viewersMax;
  #open = new Set();
  #changed = new Set();
  #timer;
  #heartbeat;
  #isOver = false;

  constructor(board, viewersMax) {
    this.#board = board;
    this.#viewersMax = viewersMax;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  get areFull() {
    return this.#isOver || this.#open.size >= this.#viewersMax;
  }

  /** Takes a response whose head has been written. */
  add(response) {
    const viewer = new Viewer(response, this.#board);
    this.#open.add(viewer);
    response.on("close", () => this.#open.delete(viewer));
  }

  /** The rows of these subjects have changed. */
  onChange(...subjects) {
    if (this.#open.size === 0) return; // Who comes later gets everything.
    for (const subject of subjects) this.#changed.add(subject);
    this.#timer ??= setTimeout(() => this.#flush(), PAUSE_MS);
  }

  /** Sends what there is, and ends all. */
  end() {
    this.#isOver = true;
    clearInterval(this.#heartbeat);
    this.#flush();
    for (const viewer of this.#open) viewer.end();
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#changed.size === 0) return;
    const event = rowsEvent(this.#board, this.#changed);
    for (const viewer of this.#open) viewer.update(event, this.#changed);
    this.#changed.clear();
  }

  #beat() {
    for (const viewer of this.#open) viewer.beat();
  }
}
