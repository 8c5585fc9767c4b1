# SPDX-License-Identifier: Apache-2.0
#
# Owns the comparison of what came with what was expected: byte patterns and JSON by value. Promises
# to say early that a wrong answer can no longer become right. Does no input or output.

from __future__ import annotations

import re
from typing import Any

from transcript import Literal, Wildcard, parse_bytes

WAIT = "wait"  # what has come may still become a match
NO = "no"


class BytePattern:
    """Literals and wildcards; no wildcard runs over a line's end."""

    def __init__(self, text: str, line_end: bool) -> None:
        parts = parse_bytes(text)
        if line_end:
            parts.append(Literal(b"\r\n"))
        self.literal = b"".join(p.data for p in parts if isinstance(p, Literal))
        self.is_literal = not any(isinstance(p, Wildcard) for p in parts)
        self.newline_count = self.literal.count(b"\n")
        expression = b"".join(
            re.escape(p.data) if isinstance(p, Literal) else p.pattern for p in parts
        )
        self.regex = None if self.is_literal else re.compile(expression, re.DOTALL)

    def match(self, buffer: bytes) -> int | str:
        """Length of the match at the buffer's start, or WAIT, or NO."""
        if self.regex is None:
            if buffer.startswith(self.literal):
                return len(self.literal)
            return WAIT if self.literal.startswith(buffer) else NO
        found = self.regex.match(buffer)
        if found:
            return found.end()
        return NO if buffer.count(b"\n") >= max(self.newline_count, 1) else WAIT


def json_difference(expected: Any, actual: Any, path: str = "") -> str | None:
    """None when `actual` holds everything `expected` says, else a sentence about the first gap."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            here = f"{path}.{key}" if path else key
            if isinstance(value, str) and value.startswith("<="):
                if key not in actual or actual[key] != actual.get(value[2:-1]):
                    return f"{here} should equal {value[2:-1]}, is {actual.get(key)!r}"
            elif value == "<absent>":
                if key in actual:
                    return f"{here} should be absent, is {actual[key]!r}"
            elif key not in actual:
                return f"{here} is missing"
            else:
                difference = json_difference(value, actual[key], here)
                if difference:
                    return difference
        return None
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return f"{path} should have {len(expected)} elements, has {len(actual)}"
        pairs = enumerate(zip(expected, actual, strict=True))
        found = (json_difference(e, a, f"{path}[{index}]") for index, (e, a) in pairs)
        return next((difference for difference in found if difference), None)
    if isinstance(expected, str) and expected.startswith("<") and expected.endswith(">"):
        return wildcard_difference(expected[1:-1], actual, path)
    if type(expected) is not type(actual) or expected != actual:
        return f"{path} should be {expected!r}, is {actual!r}"
    return None


def wildcard_difference(wildcard: str, actual: Any, path: str) -> str | None:
    if wildcard == "any":
        good = True
    elif wildcard == "int":
        good = isinstance(actual, int) and not isinstance(actual, bool)
    elif wildcard == "string":
        good = isinstance(actual, str)
    elif wildcard.startswith("~"):
        good = isinstance(actual, str) and re.fullmatch(wildcard[1:], actual) is not None
    else:
        return f"{path}: unknown wildcard <{wildcard}>"
    return None if good else f"{path} should be <{wildcard}>, is {actual!r}"
