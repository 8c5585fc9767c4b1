// SPDX-License-Identifier: Apache-2.0
//
// Owns the table: a row for each subject, in their order. What came from elsewhere is only ever set
// as text.

const body = document.getElementById("rows");
const state = document.getElementById("state");
const passedOver = document.getElementById("passed-over");
const rows = new Map();

function makeRow(subject) {
  const row = document.createElement("tr");
  for (let cell = 0; cell < 4; cell++) row.append(document.createElement("td"));
  row.cells[0].textContent = subject;
  // The first whose subject is greater, by halves.
  let [low, high] = [0, body.rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (body.rows[middle].cells[0].textContent < subject) low = middle + 1;
    else high = middle;
  }
  body.insertBefore(row, body.rows[low] ?? null);
  rows.set(subject, row);
  return row;
}

function show({ subject, isGone, text, count, time }) {
  if (isGone) {
    rows.get(subject)?.remove();
    rows.delete(subject);
    return;
  }
  const [, message, messages, at] = (rows.get(subject) ?? makeRow(subject)).cells;
  message.textContent = text;
  messages.textContent = count;
  at.textContent = new Date(time).toLocaleTimeString();
}

function take(event) {
  const told = JSON.parse(event.data);
  told.rows.forEach(show);
  passedOver.hidden = told.passedOver === 0;
  passedOver.textContent = `${told.passedOver} messages were passed over`;
}

// It reconnects by itself, and is told everything again then.
const events = new EventSource("events");
events.addEventListener("open", () => (state.textContent = "connected"));
events.addEventListener("error", () => (state.textContent = "connecting again"));
events.addEventListener("rows", take);
events.addEventListener("all", (event) => {
  body.replaceChildren();
  rows.clear();
  take(event);
});
