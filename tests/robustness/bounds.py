# SPDX-License-Identifier: Apache-2.0
#
# What one of each may cost, read out of docs/limits.md: the scenarios judge what is promised there,
# and nothing can differ. Does not judge.

from __future__ import annotations

import pathlib
import re

KIB, MIB = 1024, 1024 * 1024
LIMITS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "limits.md"


def _number(pattern: str) -> int:
    found = re.findall(pattern, LIMITS.read_text(encoding="utf-8"), re.MULTILINE)
    if len(found) != 1:
        raise ValueError(f"{LIMITS} has {len(found)} places that say {pattern!r}, not one")
    return int(found[0].replace(",", ""))


CONTROL_LINE_BYTES_MAX = _number(
    r"^\| Control line of a client \| `max_control_line`, ([\d,]+) bytes")
# Of a connection whose operation is not yet whole; it doubles.
READ_BUFFER_BYTES_MIN = KIB * _number(r"\(doubling from (\d+) KiB\)")
# Of what large payloads and long lines were read into, for their next use.
KEPT_LARGE_BYTES_MAX = MIB * _number(
    r"^\| Memory that a loop keeps of large payloads \| (\d+) MiB")
# One more of each.
CONNECTION_BYTES_MAX = KIB * _number(r"^\| Connection that is idle \| (\d+) KiB")
SUBSCRIPTION_BYTES_MAX = _number(r"^\| Subscription with a short pattern \| (\d+) bytes")
GROUP_BYTES_MAX = _number(r"^\| Queue group of one member \| (\d+) bytes")
GROUP_MESSAGE_BYTES_MAX = _number(r"^\| Small message to a member of a group \| (\d+) bytes")
TOKEN_BYTES_MAX = _number(r"^\| Token of one byte in a very long subject[^|]*\| (\d+) bytes")
CONNECT_BYTES_MAX = _number(r"^\| Byte of a CONNECT while its JSON is read \| (\d+) bytes")
