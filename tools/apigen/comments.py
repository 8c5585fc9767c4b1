# SPDX-License-Identifier: Apache-2.0
"""Owns what the comment of every function has to say, and finds what it leaves out.

A comment is sentences, then entries: a line that begins with the name of a parameter or with
`Returns` or `Threads`, and the indented lines below it. An entry may speak for others too
("borrowed for the call, as headers and data"). A comment that says "as martlet_x_y" has that
function's entries where it has none of its own, one that says "as above" those of the function
before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import header

OWNERSHIP = (
    "borrowed for the call",
    "borrowed from parent",
    "owned by caller",
    "consumed",
)
# A pointer that is returned may also be to what never ends.
RETURNED = (*OWNERSHIP, "a static text")


def undocumented(api: header.Api) -> list[str]:
    """One sentence for each function whose comment lacks something."""
    found: list[str] = []
    for place, function in enumerate(api.functions):
        where = f"{function.header}: the comment of {function.name}"
        if not function.since or not function.threads:
            found.append(f"{where} lacks 'Threads' or 'Since'")
        entries = _entries_of(api, place, frozenset())
        returned = entries.get("Returns")
        if function.returns != "void" and not returned:
            found.append(f"{where} lacks 'Returns'")
        elif function.returns.endswith("*") and not _says(returned or "", RETURNED):
            found.append(f"{where} does not say who owns what it returns")
        for name in _pointers(function):
            if not _has_owner(name, entries):
                found.append(f"{where} does not say who owns '{name}'")
    return found


def _pointers(function: header.Function) -> list[str]:
    """The parameters that need an ownership word. That of self and of errors is the same everywhere
    (status.h), unless a function consumes self.
    """
    return [
        each.name
        for each in function.parameters
        if each.type.endswith("*") and each.name != "self" and each.type != "martlet_error **"
    ]


def _has_owner(name: str, entries: dict[str, str]) -> bool:
    if name in entries:
        return _says(entries[name], OWNERSHIP)
    named = re.compile(rf"\bas\b.*\b{name}\b")
    return any(
        tag not in ("Returns", "Threads") and _says(text, OWNERSHIP) and named.search(text)
        for tag, text in entries.items()
    )


def _says(text: str, words: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{word}\b", text) for word in words)


def _entries_of(api: header.Api, place: int, seen: frozenset[int]) -> dict[str, str]:
    """Its own entries, and below them those of the functions that its comment refers to."""
    function = api.functions[place]
    entries: dict[str, str] = {}
    for other in _references(api, place) - seen - {place}:
        entries |= _entries_of(api, other, seen | {place})
    return entries | _own_entries(function)


def _references(api: header.Api, place: int) -> set[int]:
    text = " ".join(api.functions[place].comment.split())
    names = set(re.findall(r"\b[Aa]s (martlet_\w+)", text))
    found = {other for other, each in enumerate(api.functions) if each.name in names}
    if place > 0 and re.search(r"\b[Aa]s above\b", text):
        found.add(place - 1)
    return found


def _own_entries(function: header.Function) -> dict[str, str]:
    tags = {"Returns", "Threads", *(each.name for each in function.parameters)}
    entries: dict[str, str] = {}
    tag = ""
    for line in function.comment.split("\n"):
        first, _, rest = line.partition(" ")
        if not line.startswith(" "):
            tag = first if first in tags else ""
            line = rest
        if tag:
            entries[tag] = f"{entries.get(tag, '')} {line.strip()}".strip()
    return entries
