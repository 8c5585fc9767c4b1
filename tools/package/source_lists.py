# SPDX-License-Identifier: Apache-2.0
"""Prints lines for apt that name the sources of every Debian archive that the machine has.

Owns: the reading of both forms in which apt's own lists are written. Options of a source
(signed-by and the like) stay with it.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--etc", type=Path, default=Path("/etc/apt"), help="apt's own folder")
    etc = parser.parse_args().etc
    lines: list[str] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.suffix == ".list" and path.is_file():
            lines += from_list(path.read_text(encoding="utf-8"))
        elif path.suffix == ".sources" and path.is_file():
            lines += from_stanzas(path.read_text(encoding="utf-8"))
    for line in dict.fromkeys(lines):
        print(line)
    return 0 if lines else 1


def from_list(text: str) -> list[str]:
    found = (re.match(r"\s*deb(?:-src)?\s+(\S.*?)\s*$", line) for line in text.splitlines())
    return [f"deb-src {match[1]}" for match in found if match]


def from_stanzas(text: str) -> list[str]:
    lines = []
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(\S.*?)[ \t]*$", stanza))
        if "URIs" not in fields or fields.get("Enabled", "yes").lower() == "no":
            continue
        options = f"[signed-by={fields['Signed-By']}] " if "Signed-By" in fields else ""
        for uri in fields["URIs"].split():
            for suite in fields.get("Suites", "").split():
                lines.append(f"deb-src {options}{uri} {suite} {fields.get('Components', '')}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
