# SPDX-License-Identifier: Apache-2.0
#
# Owns the list of places where this server answers otherwise than nats-server, by intent. Promises
# that an entry names a step that exists, has a reason, is needed, and is of a kind that may differ:
# values of INFO and of the monitoring pages. A verb, an -ERR or a close may never differ.

from __future__ import annotations

import json
import threading
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcript import Transcript

KINDS_ALLOWED = {"info", "get"}
FIELDS = {"transcript", "step", "instead", "reason"}


class DifferencesError(Exception):
    """The file has an entry that may not be there."""


@dataclass(frozen=True)
class Difference:
    transcript: str
    step: str
    instead: Any
    reason: str


class Differences:
    """Read once, then used by any thread."""

    def __init__(self, entries: list[Difference]) -> None:
        self.entries = {(entry.transcript, entry.step): entry for entry in entries}
        self.used: set[tuple[str, str]] = set()
        self.lock = threading.Lock()

    @classmethod
    def read(cls, path: Path | None, transcripts: list[Transcript]) -> Differences:
        if path is None:
            return cls([])
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        kinds = {(t.name, s.text): s.verb for t in transcripts for s in t.steps}
        entries = []
        for raw in table.get("difference", []):
            if set(raw) != FIELDS or not all(str(raw[key]).strip() for key in FIELDS):
                raise DifferencesError(f"an entry needs {sorted(FIELDS)}: {raw}")
            kind = kinds.get((raw["transcript"], raw["step"]))
            if kind is None:
                raise DifferencesError(f"no such transcript and step: {raw}")
            if kind not in KINDS_ALLOWED:
                raise DifferencesError(f"a step of kind {kind!r} may not differ: {raw}")
            entry = Difference(
                raw["transcript"], raw["step"], json.loads(raw["instead"]), raw["reason"]
            )
            entries.append(entry)
        return cls(entries)

    def find(self, transcript: str, step: str) -> Difference | None:
        entry = self.entries.get((transcript, step))
        if entry:
            with self.lock:
                self.used.add((transcript, step))
        return entry

    def not_reached(self, played: set[str]) -> list[Difference]:
        """Entries of transcripts that were played but whose step was never compared."""
        return [
            entry
            for key, entry in self.entries.items()
            if entry.transcript in played and key not in self.used
        ]
