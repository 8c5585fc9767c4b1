// SPDX-License-Identifier: Apache-2.0
//
// Owns HTTP: the page, its script and style, and the stream of events. Knows no broker.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const CLOSE_MS = 1_000;

const HEADERS = {
  // What is published may come from anybody: the page runs its own script and nothing else.
  "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    + "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    + "frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-cache",
};

function file(name, type) {
  return { type, bytes: readFileSync(new URL(`page/${name}`, import.meta.url)) };
}

/** Lifecycle: listen, then close. */
export class PageServer {
  #viewers;
  #files = new Map([
    ["/", file("index.html", "text/html; charset=utf-8")],
    ["/page.js", file("page.js", "text/javascript; charset=utf-8")],
    ["/page.css", file("page.css", "text/css; charset=utf-8")],
  ]);
  #http = createServer((request, response) => this.#answer(request, response));

  constructor(viewers) {
    this.#viewers = viewers;
  }

  /** Rejects with the system's error. */
  async listen(host, port) {
    await new Promise((resolve, reject) => {
      this.#http.once("error", reject).listen({ host, port }, resolve);
    });
  }

  get url() {
    const { address, family, port } = this.#http.address();
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}/`;
  }

  /** Takes no more, and ends what does not end by itself in a second. */
  async close() {
    const closed = new Promise((resolve) => this.#http.close(resolve));
    const timer = setTimeout(() => this.#http.closeAllConnections(), CLOSE_MS);
    await closed;
    clearTimeout(timer);
  }

  #answer(request, response) {
    const path = request.url.split("?", 1)[0];
    if (request.method !== "GET" && request.method !== "HEAD") {
      this.#refuse(response, 405, { Allow: "GET, HEAD" });
    } else if (path === "/events") {
      this.#open(request, response);
    } else if (this.#files.has(path)) {
      const { type, bytes } = this.#files.get(path);
      response.writeHead(200, { ...HEADERS, "Content-Type": type, "Content-Length": bytes.length });
      response.end(request.method === "HEAD" ? undefined : bytes);
    } else {
      this.#refuse(response, 404);
    }
  }

  #open(request, response) {
    if (this.#viewers.areFull) {
      this.#refuse(response, 503, { "Retry-After": "10" });
      return;
    }
    response.writeHead(200, { ...HEADERS, "Content-Type": "text/event-stream" });
    if (request.method === "HEAD") response.end();
    else this.#viewers.add(response);
  }

  #refuse(response, status, more = {}) {
    response.writeHead(status, { ...HEADERS, ...more, "Content-Type": "text/plain" });
    response.end(`${status}\n`);
  }
}
