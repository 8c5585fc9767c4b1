# SPDX-License-Identifier: Apache-2.0
"""Sets every C and C++ file as .clang-format says, or with --check says which ones are not so.

Owns: which files that concerns, and the version of clang-format: another one lays out otherwise.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

import source_files

PROGRAM = "clang-format-19"
ENDINGS = {".cpp", ".hpp", ".h", ".c"}
FOSSILS = Path("tests/abi/fossils")  # What was released stays as it is.


def files(root: Path) -> list[Path]:
    listed = source_files.listed(root)
    return [path for path in listed if path.suffix in ENDINGS and FOSSILS not in path.parents]


def formatted(root: Path, path: Path) -> bytes:
    """The file as it should be."""
    return subprocess.run(
        [PROGRAM, "--style=file", str(path)], cwd=root, check=True, capture_output=True
    ).stdout


def differing(root: Path, paths: list[Path], write: bool) -> list[Path]:
    """Those that are not laid out as they should be; with `write` they are then."""

    def handle(path: Path) -> bool:
        wanted = formatted(root, path)
        if wanted == (root / path).read_bytes():
            return False
        if write:
            (root / path).write_bytes(wanted)
        return True

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [path for path, differs in zip(paths, pool.map(handle, paths)) if differs]


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(
        description=f"Sets C and C++ files as .clang-format says, by {PROGRAM}."
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="all by default")
    parser.add_argument("--check", action="store_true", help="write nothing; name what differs")
    options = parser.parse_args(arguments)
    for path in options.files:
        if not path.is_file():
            parser.error(f"there is no file {path}")
    paths = [Path(os.path.relpath(path.resolve(), root)) for path in options.files] or files(root)
    changed = differing(root, paths, write=not options.check)
    if not options.check:
        print(f"{len(changed)} of {len(paths)} files were set anew")
        return 0
    return source_files.report(
        "format", len(paths), [f"{path}:1: ./dev format" for path in changed]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
