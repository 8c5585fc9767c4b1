# SPDX-License-Identifier: Apache-2.0
"""Writes every file that follows from the C headers and records. It owns the list of those files.

python3 tools/apigen/generate.py           writes them
python3 tools/apigen/generate.py --check   fails, and names each that is not what it would write
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parent))
import constants  # noqa: E402
import exports  # noqa: E402
import header  # noqa: E402
import layout  # noqa: E402
import records  # noqa: E402
import surface  # noqa: E402

FILES: dict[str, Callable[[header.Api], str]] = {
    "capi/exports/martlet.map": exports.version_script,
    "capi/exports/martlet.def": exports.module_definition,
    "python/martlet/_constants.py": constants.python,
    "node/lib/constants.ts": constants.typescript,
    "bindings/java/src/main/java/io/martlet/raw/Abi.java": constants.java,
    "bindings/csharp/Martlet/Raw/Abi.cs": constants.csharp,
    "tests/abi/layout_check.c": layout.static_asserts,
    "tests/surface/expected_surface.json": surface.expected_text,
    "docs/api/options.md": lambda _: records.reference(records.read()),
}


def stale(api: header.Api, root: Path = header.ROOT) -> dict[str, str]:
    """The text that each file should have and has not, by path."""
    fresh = {name: text(api) for name, text in FILES.items()}
    return {name: text for name, text in fresh.items() if _present(root / name) != text}


def _present(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def undocumented(api: header.Api) -> list[str]:
    return [
        f"{function.header}: the comment of {function.name} lacks 'Threads' or 'Since'"
        for function in api.functions
        if not function.since or not function.threads
    ]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing; name what is stale")
    options = parser.parse_args(arguments)
    try:
        api = header.read()
    except header.HeaderError as error:
        print(error, file=sys.stderr)
        return 1
    problems = undocumented(api)
    for name, text in stale(api).items():
        path = header.ROOT / name
        if options.check:
            problems.append(f"{name} is stale: run python3 tools/apigen/generate.py")
            problems += difflib.unified_diff(
                _present(path).splitlines(), text.splitlines(), "committed", "fresh", lineterm=""
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
