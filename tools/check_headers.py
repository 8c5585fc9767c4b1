# SPDX-License-Identifier: Apache-2.0
"""Compiles every header of core/ by itself (the target headers_alone) and counts those that do.

Owns: the counting. What a header is compiled with is cmake/header_alone.cmake's.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import source_files


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description="Compiles every header of core/ by itself.")
    parser.add_argument("build", nargs="?", type=Path, default=root / "build" / "release")
    build = parser.parse_args(arguments).build
    answer = subprocess.run(
        ["cmake", "--build", str(build), "--target", "headers_alone", "--", "-k", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    headers = [p for p in source_files.listed(root) if p.parts[0] == "core" and p.suffix == ".hpp"]
    failed = re.findall(r"^FAILED: .*headers_alone/(\S+\.hpp)\.cpp\.o", answer.stdout, re.MULTILINE)
    if answer.returncode:
        print(answer.stdout)
    violations = [f"core/{header}:1: does not compile alone" for header in failed]
    if answer.returncode and not violations:
        violations = ["headers_alone:1: could not be built"]
    return source_files.report("check_headers", len(headers), violations)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
