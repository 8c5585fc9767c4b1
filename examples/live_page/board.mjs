// SPDX-License-Identifier: Apache-2.0
//
// Owns what the page shows: the latest message of each subject, in bounded memory. Knows neither
// broker nor browser.

const TEXT_MAX = 200;
/** No character of UTF-8 has more bytes. */
const CHARACTER_BYTES = 4;

const decoder = new TextDecoder();

/** The beginning of a payload as text; what is no UTF-8 is replaced. */
function textOf(data) {
  const text = decoder.decode(data.subarray(0, TEXT_MAX * CHARACTER_BYTES));
  if (data.length <= TEXT_MAX * CHARACTER_BYTES && text.length <= TEXT_MAX) return text;
  return text.slice(0, TEXT_MAX) + "…";
}

export class Board {
  /** By subject, the one that was silent longest first. */
  #rows = new Map();

  constructor(rowsMax) {
    this.rowsMax = rowsMax;
  }

  /** How many messages never came here, because the process was busy. */
  passedOver = () => 0;

  /** Takes a message. Returns the subjects whose rows are other than before. */
  note(subject, data) {
    const count = (this.#rows.get(subject)?.count ?? 0) + 1;
    this.#rows.delete(subject); // It is to be the last in the order.
    this.#rows.set(subject, { subject, text: textOf(data), count, time: Date.now() });
    if (this.#rows.size <= this.rowsMax) return [subject];
    const [silent] = this.#rows.keys();
    this.#rows.delete(silent);
    return [subject, silent];
  }

  /** As the page reads it: the rows of these subjects as they are now, or all of them. */
  toJson(subjects = this.#rows.keys()) {
    const rows = [];
    for (const subject of subjects) {
      rows.push(this.#rows.get(subject) ?? { subject, isGone: true });
    }
    return JSON.stringify({ rows, passedOver: this.passedOver() });
  }
}
