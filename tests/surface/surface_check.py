# SPDX-License-Identifier: Apache-2.0
"""Goal: the raw layer of an installed package offers all that the C headers declare.

Method: the package dumps, by reflection, what it has (README.md says in which form); that is
compared with what follows from the headers (expected_surface.json, GENERATED). Four checks, each
of its own: surface (functions), exceptions (statuses), constants, layouts.

    python3 tests/surface/surface_check.py LANGUAGE [--objects GLOB] -- COMMAND

COMMAND prints the dump. With --objects the object files of the package's native module are read
too: the table of functions that it declares must be just what they refer to.
"""

from __future__ import annotations

import argparse
import glob
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKS = ("surface", "exceptions", "constants", "layouts")
KEYS = {"language", "version", "functions", "instead", "exceptions", "base_exception", "numbers"}

Findings = dict[str, list[str]]


class DumpError(Exception):
    """What the package printed is not a dump."""


def expected(language: str) -> dict[str, Any]:
    read = json.loads((HERE / "expected_surface.json").read_text(encoding="utf-8"))
    return dict(read["languages"][language])


def dump_of(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, timeout=120)
    if done.returncode != 0:
        raise DumpError(f"{command} failed:\n{done.stdout}{done.stderr}")
    try:
        dump = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise DumpError(f"{command} printed no JSON: {error}") from error
    if not isinstance(dump, dict) or set(dump) != KEYS:
        raise DumpError(f"{command} printed no object with the keys {sorted(KEYS)}")
    return dump


def compare(wanted: dict[str, Any], dump: dict[str, Any]) -> Findings:
    """What each check finds: name, colon, sentence."""
    known = {*wanted["exceptions"], *wanted["constants"], *wanted["layouts"]}
    unknown = sorted(set(dump["numbers"]) - known)
    return {
        "surface": _surface(wanted["functions"], dump),
        "exceptions": _exceptions(wanted["exceptions"], dump),
        "constants": _numbers(wanted["constants"], dump["numbers"])
        + [f"{name}: the headers have no such number" for name in unknown],
        "layouts": _numbers(wanted["layouts"], dump["numbers"]),
    }


def _surface(wanted: dict[str, Any], dump: dict[str, Any]) -> list[str]:
    called, instead = dump["functions"], dump["instead"]
    found = [
        f"{name}: nothing in the raw layer stands for it"
        for name in wanted
        if not called.get(name) and name not in instead
    ]
    found += [
        f"{name}: the headers have no such function"
        for name in sorted({*called, *instead} - set(wanted))
    ]
    for name, replacement in instead.items():
        if name in called:
            found.append(f"{name}: is called, and replaced as well")
        elif wanted.get(name) != "blocks" and not name.endswith("_retain"):
            found.append(f"{name}: only what blocks or retains may be replaced by other functions")
        elif not replacement["raw"] or not replacement["through"]:
            found.append(f"{name}: is replaced by nothing")
        found += [
            f"{name}: is replaced by {through}, which is not called"
            for through in replacement["through"]
            if through not in called
        ]
    return found


def _exceptions(wanted: dict[str, int], dump: dict[str, Any]) -> list[str]:
    found = _numbers(wanted, dump["numbers"])
    of_status = dump["exceptions"]
    by_exception: dict[str, str] = {}
    for name in wanted:
        exception = of_status.get(name)
        if exception is None or exception == dump["base_exception"]:
            found.append(f"{name}: has no exception of its own")
        elif exception in by_exception:
            found.append(f"{name}: shares {exception} with {by_exception[exception]}")
        else:
            by_exception[exception] = name
    extra = sorted(set(of_status) - set(wanted))
    return found + [f"{name}: the headers have no such status" for name in extra]


def _numbers(wanted: dict[str, int], present: dict[str, int]) -> list[str]:
    return [
        f"{name}: is {present.get(name, 'missing')}, not {number}"
        for name, number in wanted.items()
        if present.get(name) != number
    ]


def without_omissions(language: str, findings: Findings, omissions: list[Any]) -> Findings:
    """The findings that nothing excuses, and the excuses that nothing needs."""
    left = {check: list(found) for check, found in findings.items()}
    for omission in omissions:
        if omission["language"] != language:
            continue
        check, name = omission["check"], omission["name"]
        excused = [each for each in left[check] if each.startswith(f"{name}: ")]
        left[check] = [each for each in left[check] if each not in excused]
        if not excused or len(omission["reason"].split()) < 3:
            left[check].append(f"{name}: omissions.toml excuses what is no gap, or gives no reason")
    return left


def omissions() -> list[Any]:
    text = (HERE / "omissions.toml").read_text(encoding="utf-8")
    return list(tomllib.loads(text).get("omission", []))


def references(objects: list[Path]) -> set[str]:
    """The functions of the C ABI that these object files refer to, and do not define."""
    done = subprocess.run(
        ["gcc-nm", "--undefined-only", *map(str, objects)], capture_output=True, text=True
    )
    if done.returncode != 0:
        raise DumpError(f"gcc-nm failed: {done.stderr}")
    return set(re.findall(r"^\s+[UWwVv] (martlet_[a-z_]+)$", done.stdout, re.MULTILINE))


def compare_references(wanted: dict[str, Any], dump: dict[str, Any], used: set[str]) -> list[str]:
    declared = set(dump["functions"])
    used &= set(wanted["functions"])
    return [
        f"{name}: the module says that it calls it, and refers to it nowhere"
        for name in sorted(declared - used)
    ] + [f"{name}: the module refers to it, and does not say so" for name in sorted(used - declared)]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("language", choices=("csharp", "java", "node", "python"))
    parser.add_argument("--objects", help="a pattern for the native module's object files")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    wanted = expected(options.language)
    try:
        dump = dump_of(options.command)
        findings = compare(wanted, dump)
        if options.objects:
            objects = [Path(name) for name in sorted(glob.glob(options.objects))]
            if not objects:
                raise DumpError(f"no object file is called {options.objects}")
            findings["surface"] += compare_references(wanted, dump, references(objects))
    except DumpError as error:
        print(f"{error}\n0 passed, 1 failed")
        return 1
    findings = without_omissions(options.language, findings, omissions())
    failed = 0
    for check in CHECKS:
        for finding in findings[check]:
            print(f"{options.language} {check}: {finding}")
            failed += 1
    compared = sum(len(part) for part in wanted.values())
    print(f"{max(compared - failed, 0)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
