// SPDX-License-Identifier: Apache-2.0
//
// Owns the broker in this process as a program sees it.
import { inspect } from "node:util";
import type { InspectOptions } from "node:util";
import * as abi from "./constants";
import { poll } from "./block";
import { InvalidArgumentError, OptionsError, StateError } from "./errors";
import { hold } from "./held";
import { checkObject, LOG_LEVELS, namedAsGiven, OPEN_QUEUE, SERVER, toJson } from "./options";
import type { LogLevel, ServerOptions } from "./options";
import { raw } from "./raw";
import type { RawQueue, RawServer } from "./raw";
import { checkWellFormed } from "./text";

const LINES_MAX = 256;

function configText(options: Record<string, unknown>, debug: boolean): string {
  const { config, ...others } = options;
  if (config === undefined) {
    const places = others["listen"] === false ? ["port", "host"] : [];
    const used = Object.entries(others).filter(([name]) => !places.includes(name));
    const given = Object.fromEntries(used);
    return toJson(SERVER, debug ? { debug: true, ...given } : given);
  }
  if (typeof config !== "string") throw new OptionsError('option "config" must be a string');
  if (Object.keys(others).length > 0) {
    throw new OptionsError(`option "config" excludes "${Object.keys(others)[0]}"`);
  }
  checkWellFormed('option "config"', config);
  return debug ? `${config}\ndebug: true\n` : config;
}

/**
 * A NATS-compatible broker in this process.
 *
 * By default it listens on any free port of the loopback address; with `listen: false` on none, and
 * only `connect(server)` of this process reaches it. It prints nothing and installs no signal
 * handler. Any number may live at once. While it runs the process stays alive, unless `unref()` was
 * called.
 */
export class Server {
  readonly #raw: RawServer;
  readonly #log: ((level: LogLevel, line: string) => void) | undefined;
  readonly #levelMax: number;
  #lines: RawQueue | undefined;
  #running = false;
  #referenced = true;
  #release: () => void = () => {};
  #change: Promise<unknown> = Promise.resolve();

  constructor(options: ServerOptions = {}) {
    const { log, logLevel = "info", ...others } = checkObject("options", options) as ServerOptions;
    if (log !== undefined && typeof log !== "function") {
      throw new OptionsError('option "log" must be a function');
    }
    this.#levelMax = LOG_LEVELS.indexOf(logLevel);
    if (this.#levelMax < 0) {
      throw new OptionsError(`option "logLevel" must be one of ${LOG_LEVELS.join(", ")}`);
    }
    this.#log = log;
    const debug = log !== undefined && this.#levelMax > abi.LOG_INFO;
    const text = configText(others as Record<string, unknown>, debug);
    this.#raw = namedAsGiven(SERVER, () => new raw.Server(text));
  }

  /** Makes a broker and starts it. */
  static async start(options?: ServerOptions): Promise<Server> {
    const server = new Server(options);
    await server.start();
    return server;
  }

  /** Starts it: when the promise ends, clients can connect. Rejects with AddressInUseError when the
   * port is taken, with StateError when it runs already. */
  start(): Promise<void> {
    return this.#oneAtATime(async () => {
      if (this.#running) throw new StateError("the server runs already");
      this.#openLog();
      try {
        await this.#raw.start();
      } catch (error) {
        this.#closeLog();
        throw error;
      }
      this.#running = true;
      if (this.#referenced) this.ref();
    });
  }

  /** Stops it and closes every connection to it. Does nothing if it does not run. */
  stop(): Promise<void> {
    return this.#oneAtATime(async () => {
      if (!this.#running) return;
      await this.#raw.stop();
      this.#running = false;
      this.#raw.unref();
      this.#release();
      this.#closeLog();
    });
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** The port that clients connect to; 0 if it listens on none. */
  get port(): number {
    return this.#raw.clientPort();
  }

  /** The port of the monitoring pages; 0 if there are none. */
  get monitoringPort(): number {
    return this.#raw.monitoringPort();
  }

  /** The URL that clients on this machine connect to; "" if it listens on no port. */
  get url(): string {
    return this.#raw.url();
  }

  /** What it counts, with the names of /varz. */
  statistics(): Record<string, unknown> {
    return JSON.parse(this.#raw.statistics()) as Record<string, unknown>;
  }

  /** What console.log shows. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const shown = this.#running ? { isRunning: true, url: this.url } : { isRunning: false };
    return `Server ${inspect(shown, options)}`;
  }

  /** The process, and this, stay alive while it runs: how it begins. */
  ref(): this {
    this.#referenced = true;
    if (this.#running) {
      this.#release();
      this.#release = hold(this);
      this.#raw.ref();
    }
    return this;
  }

  /** The process may end while it runs; it stops when nobody holds this any more. */
  unref(): this {
    this.#referenced = false;
    this.#raw.unref();
    this.#release();
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Begins to stop it; `await using` waits for that. */
  [Symbol.dispose](): void {
    void this.stop();
  }

  /** For `connect`. */
  static rawOf(server: Server): RawServer {
    if (!(#raw in server)) throw new InvalidArgumentError("server must be a Server");
    return server.#raw;
  }

  #oneAtATime(change: () => Promise<void>): Promise<void> {
    const next = this.#change.then(change, change);
    this.#change = next.catch(() => {});
    return next;
  }

  #openLog(): void {
    if (this.#log === undefined) return;
    this.#lines = new raw.Queue(OPEN_QUEUE);
    this.#lines.setWake(() => this.#readLog());
    this.#raw.setLog(this.#lines, 0, this.#levelMax);
  }

  #closeLog(): void {
    this.#readLog();
    this.#lines?.free();
    this.#lines = undefined;
  }

  #readLog(): void {
    for (let left = LINES_MAX; left > 0; left--) {
      if (this.#lines === undefined) return;
      const block = poll(this.#lines, LINES_MAX);
      if (typeof block === "number") return;
      for (; block.at < block.end; block.at += block.stride) {
        const level = LOG_LEVELS[block.word(block.at, abi.DESCRIPTOR_FLAGS_OFFSET)] ?? "trace";
        this.#tell(level, block.text(block.at, abi.DESCRIPTOR_DATA_OFFSET_OFFSET));
      }
    }
    setImmediate(() => this.#readLog());
  }

  #tell(level: LogLevel, line: string): void {
    try {
      this.#log?.(level, line);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
