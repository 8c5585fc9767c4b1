// SPDX-License-Identifier: Apache-2.0
//
// A headless Chromium on one page: `page_reader.mjs URL`, with puppeteer-core in the folder
// $BROWSER_MODULES and the browser $BROWSER. For each line on its input it says, as one line of
// JSON, what the page shows then; and what the page complained of.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.BROWSER_MODULES + "/");
const { launch } = await import(pathToFileURL(require.resolve("puppeteer-core")));

// Root has no sandbox of Chromium's, and what it opens here is our own page.
const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
// Over a pipe: the browser ends when this process does, however it does.
const browser = await launch({
  executablePath: process.env.BROWSER, headless: "shell", pipe: true,
  args: [...args, "--disable-gpu"],
});
const complaints = [];
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(process.argv[2], { waitUntil: "domcontentloaded" });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "end") break;
    const shown = await page.evaluate(() => ({
      state: document.getElementById("state").textContent,
      heads: [...document.querySelectorAll("thead th")].map((cell) => cell.textContent),
      rows: [...document.querySelectorAll("tbody tr")].map(
        (row) => [...row.cells].slice(0, 3).map((cell) => cell.textContent)),
      images: document.images.length,
      passedOver: document.getElementById("passed-over").textContent,
    }));
    console.log(JSON.stringify({ ...shown, complaints }));
  }
} finally {
  await browser.close();
}
