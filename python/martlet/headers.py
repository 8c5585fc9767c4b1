# SPDX-License-Identifier: Apache-2.0
"""Message headers: names with one or more values, in the order of the wire."""

from __future__ import annotations

from typing import Iterable, Iterator, List, Mapping, Optional, Tuple

__all__ = ["Headers"]


class Headers(Mapping[str, str]):
    """The headers of a message. ``headers[name]`` is the first value of a name; names keep their
    case.

    Immutable; any thread. Since 0.1.0.
    """

    __slots__ = ("_items", "description", "status")

    def __init__(
        self,
        items: Iterable[Tuple[str, str]] = (),
        status: int = 0,
        description: str = "",
    ) -> None:
        self._items: Tuple[Tuple[str, str], ...] = tuple(items)
        #: The number of the status line (503 …), or 0.
        self.status = status
        #: What follows it.
        self.description = description

    @classmethod
    def parse(cls, block: bytes) -> "Headers":
        """Reads a block as on the wire. A line without a colon is passed over, as NATS clients
        do.
        """
        first, *lines = block.decode("utf-8", "surrogateescape").split("\r\n")
        status_text, _, description = first[len("NATS/1.0") :].strip().partition(" ")
        items = []
        for line in lines:
            name, colon, value = line.partition(":")
            if colon and name:
                items.append((name, value.strip(" \t")))
        return cls(items, int(status_text) if status_text.isdecimal() else 0, description.strip())

    def __getitem__(self, name: str) -> str:
        for known, value in self._items:
            if known == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._items))

    def __len__(self) -> int:
        return len({name for name, _ in self._items})

    def get_all(self, name: str) -> List[str]:
        """Every value of a name, in order; an empty list if there is none."""
        return [value for known, value in self._items if known == name]

    def multi_items(self) -> List[Tuple[str, str]]:
        """Every (name, value) in order."""
        return list(self._items)

    def __repr__(self) -> str:
        status: Optional[str] = f" status={self.status}" if self.status else ""
        return f"<Headers{status} {list(self._items)!r}>"
