// SPDX-License-Identifier: Apache-2.0
//
// A broker and a web page in one process: what NATS clients publish is seen in the browser at once.
// Owns the arguments, and the order of the beginning and the end. See README.md.
import { parseArgs } from "node:util";
import { connect, MartletError, Server } from "martlet";
import { Board } from "./board.mjs";
import { PageServer } from "./page_server.mjs";
import { Viewers } from "./viewers.mjs";

const USAGE = `usage: node main.mjs [OPTION...]
  --host ADDRESS     for the broker and the page (127.0.0.1)
  --nats-port N      0: any free one (4222)
  --http-port N      0: any free one (8080)
  --subject PATTERN  what the page shows (>)
  --rows N           subjects that are shown; the one that was silent longest goes first (1000)
  --viewers N        pages that may be open at once (100)
LIVE_PAGE_TOKEN in the environment: the token that NATS clients must bring.`;

const END_MS_MAX = 10_000;
/** Messages that may wait while the process is busy: a page wants the latest. */
const WAITING_MAX = 10_000;

class UsageError extends Error {}

function readOptions(words) {
  const text = (value) => ({ type: "string", default: value });
  const known = {
    "host": text("127.0.0.1"), "nats-port": text("4222"), "http-port": text("8080"),
    "subject": text(">"), "rows": text("1000"), "viewers": text("100"),
    "help": { type: "boolean", default: false },
  };
  let values;
  try {
    ({ values } = parseArgs({ args: words, options: known }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  return {
    help: values.help,
    host: values.host,
    subject: values.subject,
    natsPort: numberOf(values, "nats-port", 0, 65_535),
    httpPort: numberOf(values, "http-port", 0, 65_535),
    rows: numberOf(values, "rows", 1, 10_000),
    viewers: numberOf(values, "viewers", 1, 10_000),
  };
}

function numberOf(values, name, min, max) {
  const number = Number(values[name]);
  if (/^\d+$/.test(values[name]) && number >= min && number <= max) return number;
  throw new UsageError(`--${name} must be a number from ${min} to ${max}, not ${values[name]}`);
}

/** Clients' inboxes and what servers tell each other are nobody's news. */
const isNews = (subject) => !subject.startsWith("_INBOX.") && !subject.startsWith("$");

/** Ends, in reverse order, what has begun; all of it, and then throws what went wrong first. */
class Ends {
  #ends = [];

  add(end) {
    this.#ends.push(end);
  }

  async run() {
    const errors = [];
    for (const end of this.#ends.reverse()) {
      try {
        await end();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

async function begin(options, ends) {
  const token = process.env.LIVE_PAGE_TOKEN || undefined;
  const server = await Server.start({ host: options.host, port: options.natsPort, token });
  ends.add(() => server.stop());
  const connection = await connect(server, { name: "live page", token });
  ends.add(() => connection.close());
  const board = new Board(options.rows);
  const viewers = new Viewers(board, options.viewers);
  const pages = new PageServer(viewers);
  await pages.listen(options.host, options.httpPort);
  ends.add(() => pages.close());
  ends.add(() => viewers.end());
  // Before the page ends it is told of everything that has come.
  ends.add(() => connection.drain({ timeout: END_MS_MAX / 2 }));
  const subscription = connection.subscribe(options.subject, {
    maxPendingMessages: WAITING_MAX,
    policy: "drop_oldest",
    callback: (_, message) => {
      const subject = message.subject;
      if (isNews(subject)) viewers.onChange(...board.note(subject, message.data));
    },
  });
  board.passedOver = () => subscription.getDropped();
  await connection.flush();
  console.log(`broker: ${server.url}`);
  console.log(`page: ${pages.url}`);
}

function signalled() {
  return new Promise((resolve) => {
    // The second signal finds no handler and ends the process at once.
    for (const name of ["SIGTERM", "SIGINT"]) process.once(name, () => resolve(name));
  });
}

async function run(options) {
  const ends = new Ends();
  const signal = signalled();
  try {
    await begin(options, ends);
    await signal;
  } finally {
    setTimeout(() => {
      console.error(`live_page: the end took more than ${END_MS_MAX} ms`);
      process.exit(1);
    }, END_MS_MAX).unref();
    await ends.run();
  }
}

async function main(words) {
  try {
    const options = readOptions(words);
    if (options.help) console.log(USAGE);
    else await run(options);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`live_page: ${error.message}\n${USAGE}`);
      return 2;
    }
    if (!(error instanceof MartletError) && error.syscall === undefined) throw error;
    console.error(`live_page: ${error.message}`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
