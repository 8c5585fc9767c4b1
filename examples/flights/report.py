# SPDX-License-Identifier: Apache-2.0
"""What the example shows: a bar while it runs (lines without a terminal), a table at its end.

Owns: how things are printed. Does not judge.
"""

from __future__ import annotations

import sys
import time

BAR_CELLS = 40
BAR_SECONDS = 0.1
LINE_SECONDS = 2.0


class Progress:
    """How much of `total` is done. Lifecycle: show as often as one likes, end once."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._is_terminal = sys.stdout.isatty()
        self._begin = time.monotonic()
        self._shown = self._begin

    def show(self, done: int) -> None:
        now = time.monotonic()
        if now - self._shown >= (BAR_SECONDS if self._is_terminal else LINE_SECONDS):
            self._shown = now
            self._print(done)

    def end(self, done: int) -> None:
        self._print(done)
        if self._is_terminal:
            print()

    def _print(self, done: int) -> None:
        share = done / self._total if self._total else 1.0
        rate = done / max(time.monotonic() - self._begin, 1e-9)
        text = f"{done:,} of {self._total:,} {self._what}, {rate:,.0f} a second"
        if self._is_terminal:
            cells = int(share * BAR_CELLS)
            print(f"\r[{'#' * cells}{'.' * (BAR_CELLS - cells)}] {text}   ", end="", flush=True)
        else:
            print(f"{int(share * 100):3}%  {text}", flush=True)


HEAD = ["receiver", "client", "subject", "messages", "bytes", "digest", "a second", "p50 ms",
        "p99 ms"]


def print_table(cast, expected, workers: dict, found: list[str]) -> None:
    """`found`: the complaints; whose name stands at the head of one is shown as wrong."""

    def verdict(name: str) -> str:
        return "WRONG" if any(text.startswith(f"{name}: ") for text in found) else "ok"

    rows = [HEAD]
    for one in cast.receivers:
        result = cast.meter.results[one.name]
        rows.append([one.name, one.client, one.subject, *_numbers(result, verdict(one.name))])
    for one in cast.workers:
        result = cast.meter.results[one.name]
        rows.append([one.name, one.client, f"{one.subject} {one.queue}", *_numbers(result, "")])
    name = "the workers together"
    rows.append([name, "", "", *_numbers(workers, verdict(name))])
    asker = cast.meter.results[cast.asker.name]
    answered = "WRONG" if any(text.startswith("asked about ") for text in found) else "ok"
    rows.append([cast.asker.name, cast.asker.client, cast.asker.subject,
                 *_numbers(asker, answered)])
    _print_rows(rows)


def _numbers(result: dict, verdict: str) -> list[str]:
    seconds = result.get("seconds", 0.0)
    rate = f"{result['messages'] / seconds:,.0f}" if seconds > 0 else ""
    latencies = [f"{result[key]:.2f}" if key in result else "" for key in ("p50_ms", "p99_ms")]
    size = f"{result['bytes']:,}" if "bytes" in result else ""
    return [f"{result['messages']:,}", size, verdict, rate, *latencies]


def _print_rows(rows: list[list[str]]) -> None:
    widths = [max(len(row[index]) for row in rows) for index in range(len(HEAD))]
    print()
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) if index < 3 or index == 5 else cell.rjust(width)
                 for index, (cell, width) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
