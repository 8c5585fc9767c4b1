# SPDX-License-Identifier: Apache-2.0
#
# What one of each may cost, read out of docs/limits.md and docs/performance.md: the scenarios judge
# what is promised there, and nothing can differ. Does not judge.

from __future__ import annotations

import pathlib
import re

KIB, MIB = 1024, 1024 * 1024
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def _number(page: str, pattern: str) -> int:
    found = re.findall(pattern, (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    if len(found) != 1:
        raise ValueError(f"docs/{page} has {len(found)} places that say {pattern!r}, not one")
    return int(found[0].replace(",", ""))


CONTROL_LINE_BYTES_MAX = _number(
    "limits.md", r"^\| Control line of a client \| `max_control_line`, ([\d,]+) bytes")
# Of a connection whose operation is not yet whole; it doubles.
READ_BUFFER_BYTES_MIN = KIB * _number("limits.md", r"\(doubling from (\d+) KiB\)")
# Of what large payloads and long lines were read into, for their next use.
KEPT_LARGE_BYTES_MAX = MIB * _number(
    "limits.md", r"^\| Memory that a loop keeps of large payloads \| (\d+) MiB")
CONNECTION_BYTES_MAX = KIB * _number("performance.md", r"^\| `idle` \| (\d+) KiB for each of")
SUBSCRIPTION_BYTES_MAX = MIB * _number("performance.md", r"^\| `wild1m` \| also (\d+) MiB") // 10**6
