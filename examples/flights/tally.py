# SPDX-License-Identifier: Apache-2.0
"""What a receiver notes of the messages it got. Used by every Python receiver of this example.

Owns: the payload's form (16 hexadecimal digits of the clock when it was sent, a space, the line of
the flight), the digests and the latencies. Does not know any client: it imports the standard
library alone.
"""

from __future__ import annotations

import hashlib
import time

STAMP_BYTES = 17
#: Flights of these carriers are no flights: they mark the beginning and the end for receivers that
#: have no other way to learn of it. Everybody else passes over them.
BEGIN_MARK, END_MARK = "flight.begin.JFK.mark", "flight.end.JFK.mark"
MARKS = (BEGIN_MARK, END_MARK)
PROGRESS_EVERY = 250


def stamped(line: bytes) -> bytes:
    return b"%016x %b" % (time.monotonic_ns(), line)


class Tally:
    """Counts and digests. In order (a subscription of one's own) or, for a member of a queue group,
    as a sum that is the same however the messages were shared out."""

    def __init__(self, in_order: bool) -> None:
        self.in_order = in_order
        self.messages = 0
        self.payload_bytes = 0
        self._chain = hashlib.sha256()
        self._sum = 0
        self._latencies_ns: list[int] = []
        self._first_ns = self._last_ns = 0

    def add(self, subject: str, payload: bytes) -> None:
        now = time.monotonic_ns()
        if not self.messages:
            self._first_ns = now
        self._last_ns = now
        self.messages += 1
        self.payload_bytes += len(payload)
        self._latencies_ns.append(now - int(payload[:16], 16))
        text = subject.encode() + b" " + payload[STAMP_BYTES:] + b"\n"
        if self.in_order:
            self._chain.update(text)
        else:
            digest = hashlib.sha256(text).digest()
            self._sum = (self._sum + int.from_bytes(digest[:16], "big")) % 2**128

    def result(self) -> dict:
        times = sorted(self._latencies_ns)
        return {
            "messages": self.messages,
            "bytes": self.payload_bytes,
            "digest": self._chain.hexdigest() if self.in_order else f"{self._sum:032x}",
            "seconds": (self._last_ns - self._first_ns) / 1e9,
            "p50_ms": times[len(times) // 2] / 1e6 if times else 0.0,
            "p99_ms": times[len(times) * 99 // 100] / 1e6 if times else 0.0,
        }
