# SPDX-License-Identifier: Apache-2.0
"""Goal: the checks of the surface can fail, each for its own reason and alone.

Method: a copy of the C headers gets one function, one status or one descriptor field more. What
follows from the copy is compared with what is there now: the check that is meant must turn red and
name what was planted, every other one must stay as it was.

    python3 tests/surface/canary.py headers                  the checks that concern no language
    python3 tests/surface/canary.py LANGUAGE -- COMMAND      those of one: COMMAND prints its dump
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tools" / "apigen")]
import generate  # noqa: E402
import header  # noqa: E402
import layout  # noqa: E402
import surface  # noqa: E402
import surface_check  # noqa: E402


@dataclass(frozen=True)
class Plant:
    """What a header gets: `text` before the only place that reads `before`."""

    what: str
    header: str
    before: str
    text: str
    check: str  # The one of surface_check.CHECKS that must turn red.
    planted: str  # What a sentence of it must name, in any language's spelling.
    generated: frozenset[str]  # The generated files that must be stale, by their ending.


EVERY_CONSTANTS_FILE = frozenset({"_constants.py", "constants.ts", "Abi.java", "Abi.cs"})
PLANTS = (
    Plant(
        "a function",
        "queue.h",
        "/* Closes and ends a queue.",
        "/* Sings.\n * Returns     OK.\n * Threads     any thread.  Since 0.1.0. */\n"
        "MARTLET_API martlet_status martlet_queue_sing(martlet_queue *self,\n"
        "                                              martlet_error **out_error);\n\n",
        "surface",
        "martlet_queue_sing",
        frozenset({"martlet.map", "martlet.def", "expected_surface.json"}),
    ),
    Plant(
        "a status",
        "status.h",
        "#define MARTLET_ERR_BUFFER_TOO_SMALL ",
        "#define MARTLET_ERR_SUNG (-99) /* It sang. */\n",
        "exceptions",
        "ERR_SUNG",
        EVERY_CONSTANTS_FILE | {"expected_surface.json"},
    ),
    Plant(
        "a descriptor field",
        "batch.h",
        "} martlet_descriptor;",
        "  int64_t sung_ns; /* When it sang. */\n",
        "layouts",
        "DESCRIPTOR_SUNG_NS_OFFSET",
        EVERY_CONSTANTS_FILE | {"layout_check.c", "expected_surface.json"},
    ),
)


def planted(plant: Plant, folder: Path) -> header.Api:
    """Reads a copy of the headers in which it is planted."""
    include = folder / "include"
    shutil.copytree(header.INCLUDE, include)
    path = include / "martlet" / plant.header
    text = path.read_text(encoding="utf-8")
    if text.count(plant.before) != 1:
        raise SystemExit(f"{plant.header} does not read {plant.before!r} once: mend the canary")
    path.write_text(text.replace(plant.before, plant.text + plant.before), encoding="utf-8")
    return header.read(include)


# --- one language ---


def language_faults(language: str, command: list[str]) -> list[list[str]]:
    """For each plant, and first for none, what is not as it must be."""
    dump = surface_check.dump_of(command)
    omissions = surface_check.omissions()

    def findings(api: header.Api) -> surface_check.Findings:
        found = surface_check.compare(surface.expected(api)[language], dump)
        return surface_check.without_omissions(language, found, omissions)

    before = findings(header.read())
    faults = [[f"red with nothing planted: {found}" for found in before.values() if found]]
    for plant in PLANTS:
        with tempfile.TemporaryDirectory() as folder:
            found = findings(planted(plant, Path(folder)))
        faults.append(_faults_of(plant, found))
    return faults


def _faults_of(plant: Plant, found: surface_check.Findings) -> list[str]:
    wanted = plant.planted.replace("_", "").lower()
    red = {check for check, sentences in found.items() if sentences}
    faults = [f"{plant.what} turned {check} red: {found[check]}" for check in red - {plant.check}]
    named = [each.split(": ")[0].replace("_", "").lower() for each in found[plant.check]]
    if wanted not in named:
        faults.append(f"{plant.what} was not seen by {plant.check}: {found[plant.check]}")
    return faults


# --- the headers themselves ---


def header_faults() -> list[list[str]]:
    """For each plant, and first for none, what is not as it must be."""
    faults = [_header_faults(header.read(), frozenset(), set())]
    for plant in PLANTS:
        with tempfile.TemporaryDirectory() as folder:
            api = planted(plant, Path(folder))
            red = {"surface": {"symbols"}, "layouts": {"golden", "compiler"}}.get(plant.check)
            faults.append(_header_faults(api, plant.generated, red or set()))
    return faults


def _header_faults(api: header.Api, stale: frozenset[str], red: set[str]) -> list[str]:
    found_stale = {name.rsplit("/", 1)[-1] for name in generate.stale(api)}
    found_red = {name for name, is_green in GREEN.items() if not is_green(api)}
    faults = []
    if found_stale != stale:
        faults.append(f"stale are {sorted(found_stale)}, not {sorted(stale)}")
    if found_red != red:
        faults.append(f"red are {sorted(found_red)}, not {sorted(red)}")
    return faults


def _symbols_are_green(api: header.Api) -> bool:
    build = Path(os.environ.get("MARTLET_BUILD", ROOT / "build" / "release"))
    library = build / "lib" / "libmartlet.so"
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True
    ).stdout
    exported = set(re.findall(r" T (martlet_\w+)", listed))
    return exported == {function.name for function in api.functions}


def _golden_is_green(api: header.Api) -> bool:
    golden = ROOT / "tests" / "abi" / "layout_golden.json"
    return bool(json.loads(golden.read_text(encoding="utf-8")) == layout.golden(api))


def _compiler_is_green(api: header.Api) -> bool:
    source = ROOT / "tests" / "abi" / "layout_check.c"
    command = ["gcc", "-std=c11", "-fsyntax-only", "-I", str(api.include), str(source)]
    return subprocess.run(command, capture_output=True).returncode == 0


GREEN: dict[str, Callable[[header.Api], bool]] = {
    "symbols": _symbols_are_green,
    "golden": _golden_is_green,
    "compiler": _compiler_is_green,
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=("headers", *surface.LANGUAGES))
    parser.add_argument("command", nargs="*")
    options = parser.parse_args(arguments)
    if (options.what == "headers") != (not options.command):
        parser.error("a language needs the command that prints its dump, the headers need none")
    try:
        if options.what == "headers":
            faults = header_faults()
        else:
            faults = language_faults(options.what, options.command)
    except (header.HeaderError, surface_check.DumpError) as error:
        faults = [[str(error)]]
    for each in faults:
        for fault in each:
            print(f"{options.what}: {fault}")
    failed = sum(1 for each in faults if each)
    print(f"{len(faults) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
