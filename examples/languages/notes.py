# SPDX-License-Identifier: Apache-2.0
"""What a guest publishes, and what it notes of the messages that it got. For the guests in Python.

Owns: the form of the file, the share of each guest, the digest. Imports the standard library alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import Iterator

SECONDS_MAX = 120.0


def tell(event: str, **more: object) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


def share_of(path: str, number: int, guests: int) -> Iterator[tuple[str, bytes]]:
    """Subjects and payloads of what the guest with this number publishes."""
    with open(path, "rb") as file:
        for index, line in enumerate(file):
            if index % guests == number:
                tail, payload = line.rstrip(b"\n").split(b"\t", 1)
                yield f"flights.{number}.{tail.decode()}", payload


class Notes:
    """Counts, and one digest for each publisher."""

    def __init__(self, guests: int, path: str) -> None:
        with open(path, "rb") as file:
            self._expected = sum(1 for _ in file)
        self._chains = [hashlib.sha256() for _ in range(guests)]
        self._until = time.monotonic() + SECONDS_MAX
        self.messages = self.payload_bytes = 0

    @property
    def is_complete(self) -> bool:
        return self.messages >= self._expected

    @property
    def seconds_left(self) -> float:
        return max(self._until - time.monotonic(), 0.001)

    def add(self, subject: str, payload: bytes) -> None:
        self.messages += 1
        self.payload_bytes += len(payload)
        self._chains[int(subject.split(".", 2)[1])].update(b"%b %b\n" % (subject.encode(), payload))

    def result(self) -> dict:
        whole = hashlib.sha256(b"".join(chain.digest() for chain in self._chains))
        return {"messages": self.messages, "bytes": self.payload_bytes, "digest": whole.hexdigest()}
