// SPDX-License-Identifier: Apache-2.0
//
// A headless Chromium on one page: `page_reader.mjs URL FOLDER`, with the browser $BROWSER, whose
// profile goes into the folder. For each line on its input it says, as one line of JSON, what the
// page shows then, and what the browser complained of. Speaks the DevTools protocol over a pipe, so
// the browser ends when this process does, however it does.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const CALL_MS_MAX = 30_000;

/** The DevTools protocol: messages in JSON, each ended by a NUL. */
class Browser {
  #calls = new Map();
  #last = 0;
  #rest = "";

  constructor(program, args, onEvent) {
    this.process = spawn(program, [...args, "--remote-debugging-pipe"], {
      stdio: ["ignore", "ignore", "inherit", "pipe", "pipe"],
    });
    const [, , , writing, reading] = this.process.stdio;
    this.writing = writing;
    reading.setEncoding("utf8").on("data", (text) => this.#onText(text, onEvent));
  }

  async call(method, params = {}, sessionId = undefined) {
    const id = ++this.#last;
    this.writing.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), CALL_MS_MAX);
      this.#calls.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }

  #onText(text, onEvent) {
    const messages = (this.#rest + text).split("\0");
    this.#rest = messages.pop();
    for (const message of messages.map((one) => JSON.parse(one))) {
      const answer = this.#calls.get(message.id);
      this.#calls.delete(message.id);
      if (answer !== undefined) answer(message);
      else onEvent(message.method, message.params);
    }
  }
}

/** Runs in the page. */
function look() {
  const texts = (nodes) => [...nodes].map((node) => node.textContent);
  return {
    state: document.getElementById("state")?.textContent,
    rows: [...document.querySelectorAll("tbody tr")].map((row) => texts(row.cells).slice(0, 3)),
    images: document.images.length,
    passedOver: document.getElementById("passed-over")?.textContent,
  };
}

const complaints = [];
const [url, folder] = process.argv.slice(2);
// Root has no sandbox of Chromium's, and what it opens here is our own page.
const args = [
  `--user-data-dir=${folder}`, "--disable-gpu", "--no-first-run",
  ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
];
const browser = new Browser(process.env.BROWSER, args, (method, params) => {
  if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.text);
  if (method === "Page.javascriptDialogOpening") complaints.push(`a dialog: ${params.message}`);
  if (method === "Log.entryAdded" && params.entry.source === "security") {
    complaints.push(params.entry.text);
  }
});
browser.process.on("exit", (status, signal) => {
  console.error(`the browser ended with ${status ?? signal}`);
  process.exit(1);
});
const { targetId } = await browser.call("Target.createTarget", { url: "about:blank" });
const { sessionId } = await browser.call("Target.attachToTarget", { targetId, flatten: true });
for (const domain of ["Page", "Runtime", "Log"]) {
  await browser.call(`${domain}.enable`, {}, sessionId);
}
await browser.call("Page.navigate", { url }, sessionId);
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== "look") break;
  const { result } = await browser.call(
    "Runtime.evaluate", { expression: `(${look})()`, returnByValue: true }, sessionId);
  console.log(JSON.stringify({ ...result.value, complaints }));
}
browser.process.removeAllListeners("exit");
await browser.call("Browser.close");
