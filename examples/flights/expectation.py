# SPDX-License-Identifier: Apache-2.0
"""What every receiver must have got, worked out from the data set alone.

Owns: the counts, bytes, digests and answers that the example is checked against. Promises: nothing
here has passed through a broker, and matching is done token by token, in the plainest way.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Iterable

from data_set import departure_delay, flights
from tally import STAMP_BYTES


def matches(pattern: str, subject: str) -> bool:
    wanted, tokens = pattern.split("."), subject.split(".")
    for index, token in enumerate(wanted):
        if token == ">":
            return len(tokens) > index
        if index >= len(tokens) or token not in ("*", tokens[index]):
            return False
    return len(tokens) == len(wanted)


class Expected:
    """One pattern: how many flights match it, their bytes, and both kinds of digest."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.messages = 0
        self.payload_bytes = 0
        self.sum = 0
        self._chain = hashlib.sha256()
        self._known: dict[str, bool] = {}

    def add(self, subject: str, line: bytes, text: bytes, number: int) -> None:
        if subject not in self._known:
            self._known[subject] = matches(self.pattern, subject)
        if self._known[subject]:
            self.messages += 1
            self.payload_bytes += STAMP_BYTES + len(line)
            self._chain.update(text)
            self.sum = (self.sum + number) % 2**128

    def digest(self, in_order: bool) -> str:
        return self._chain.hexdigest() if in_order else f"{self.sum:032x}"


class Expectation:
    """Everything that is expected of one run. `answers`: carrier -> what the service must say."""

    def __init__(self, path: Path, count: int, patterns: Iterable[str]) -> None:
        self.patterns = {pattern: Expected(pattern) for pattern in patterns}
        self.flights = 0
        delays = DelayTotals()
        for flight in flights(path, count):
            text = flight.subject.encode() + b" " + flight.line + b"\n"
            number = int.from_bytes(hashlib.sha256(text).digest()[:16], "big")
            for expected in self.patterns.values():
                expected.add(flight.subject, flight.line, text, number)
            delays.add(flight.line)
            self.flights += 1
        self.answers = {carrier: delays.of(carrier) for carrier in delays.carriers()}


class DelayTotals:
    """How late each carrier's flights left."""

    def __init__(self) -> None:
        self._totals: dict[str, list[int]] = {}

    def add(self, line: bytes) -> None:
        carrier, delay = departure_delay(line)
        totals = self._totals.setdefault(carrier, [0, 0, 0])
        totals[0] += 1
        if delay is not None:
            totals[1] += 1
            totals[2] += delay

    def carriers(self) -> list[str]:
        return sorted(self._totals)

    def of(self, carrier: str) -> dict:
        flights_count, departed, minutes = self._totals.get(carrier, (0, 0, 0))
        return {"carrier": carrier, "flights": flights_count, "departed": departed,
                "minutes": minutes}
