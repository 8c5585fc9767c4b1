# SPDX-License-Identifier: Apache-2.0
"""Reads the C headers: which functions they export, which constants they define, what their
comments say.

It knows the form in which our headers are written (capi/include/martlet), not C. What needs a
true reading of C (types, layouts) is asked of the compiler or of SWIG by the tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADERS = ROOT / "capi" / "include" / "martlet"

FUNCTION = re.compile(
    r"/\*(?P<comment>(?:(?!\*/).)*)\*/\s*MARTLET_API\s+"
    r"(?P<declaration>[^;]*?\b(?P<name>martlet_\w+)\((?P<parameters>[^;]*)\));",
    re.DOTALL,
)
CONSTANT = re.compile(r"^#define (MARTLET_[A-Z0-9_]+) \(?(-?\d+)\)?(?:\s|$)", re.MULTILINE)


@dataclass(frozen=True)
class Function:
    """One exported function: where it is declared and what its comment promises."""

    name: str
    header: str
    declaration: str
    comment: str
    parameters: tuple[str, ...]

    @property
    def since(self) -> str:
        match = re.search(r"Since (\d+\.\d+\.\d+)\.", self.comment)
        return match.group(1) if match else ""

    @property
    def threads(self) -> str:
        match = re.search(r"^Threads +(.*?)(?:\s+Since|$)", self.comment, re.MULTILINE)
        return match.group(1).strip().rstrip(".") if match else ""


def headers() -> list[Path]:
    return sorted(HEADERS.glob("*.h"))


def functions() -> list[Function]:
    """Every exported function, in the order of the headers' names and then of the text."""
    found = []
    for path in headers():
        for match in FUNCTION.finditer(path.read_text(encoding="utf-8")):
            comment = "\n".join(
                line.strip().removeprefix("*").strip() for line in match["comment"].split("\n")
            ).strip()
            parameters = tuple(" ".join(part.split()) for part in match["parameters"].split(","))
            found.append(
                Function(
                    name=match["name"],
                    header=path.name,
                    declaration=" ".join(match["declaration"].split()),
                    comment=comment,
                    parameters=() if parameters == ("void",) else parameters,
                )
            )
    return found


def constants(prefix: str = "MARTLET_") -> dict[str, int]:
    """Every constant that is a plain number, by name."""
    found: dict[str, int] = {}
    for path in headers():
        for name, number in CONSTANT.findall(path.read_text(encoding="utf-8")):
            if name.startswith(prefix):
                found[name] = int(number)
    return found


def statuses() -> dict[str, int]:
    """OK, AGAIN, DONE and every ERR_..., by name without the prefix."""
    found = constants()
    return {
        name.removeprefix("MARTLET_"): number
        for name, number in found.items()
        if name in ("MARTLET_OK", "MARTLET_AGAIN", "MARTLET_DONE")
        or name.startswith("MARTLET_ERR_")
    }
