# SPDX-License-Identifier: Apache-2.0
"""Goal: what is installed does what was built. In Debians that have the languages and neither
compiler nor checkout – this one, and one whose C library is 2.31 – every language's runner of the
parity scenarios gives over the installed package what C++ gives over this checkout's.

Method: the packages of dist/ are installed by each language's installer, from nothing else, into a
folder of the Debian; programs that need a compiler are compiled outside, with the installed
package. tests/parity/run.py then starts the runners inside (bare_root.py). Afterwards two proofs
that it can be red: with a scenario that is bent, and with nothing installed.

    parity_installed.py [--root NAME]... [-- ARGUMENT...]    the arguments are run.py's

Its closing lines are run.py's, and one for each Debian of the runners that are missing.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from bare_root import Place, roots
from installing import (
    PROGRAMS,
    ROOT,
    build_dotnet_program,
    install_npm_package,
    install_wheel,
    run_maven,
)

ROOTS = ("BARE_ROOT", "BARE_ROOT_OLDER")
PARITY = ROOT / "tests" / "parity"
RUNNERS = PARITY / "runners_installed.toml"
BENT = "request_reply"


def install(place: Place, scratch: Path) -> None:
    """Every package and its runners, into the place."""
    install_python(place)
    install_node(place)
    install_java(place, scratch / "java")
    install_csharp(place, scratch / "csharp")


def install_python(place: Place) -> None:
    install_wheel(place)
    shutil.copytree(PARITY / "python", place.folder / "python")


def install_node(place: Place) -> None:
    install_npm_package(place)
    shutil.copytree(PARITY / "node", place.folder / "node")


def install_java(place: Place, scratch: Path) -> None:
    sources = scratch / "project" / "src" / "main" / "java"
    shutil.copytree(PARITY / "java", sources)
    shutil.copy(PROGRAMS / "maven" / "pom.xml", scratch / "project")
    _, jar = run_maven(scratch, "compile")
    shutil.copytree(scratch / "project" / "target" / "classes", place.folder / "java" / "classes")
    shutil.copy(jar, place.folder / "java" / "martlet.jar")


def install_csharp(place: Place, scratch: Path) -> None:
    out = build_dotnet_program(
        scratch, "-p:TargetFramework=netstandard2.1",
        "-p:AssemblyName=Martlet.Parity", "-p:Nullable=enable",
        sources=(PARITY / "csharp").glob("*.cs"),
    )  # fmt: skip
    shutil.copytree(out, place.folder / "csharp")


def parity(place: Place, installed: Path, *arguments: str) -> list[str]:
    """run.py's command, whose runners take what is installed from that folder."""
    return [
        "env", f"PARITY_ROOT={place.root}", f"PARITY_INSTALLED={installed}",
        sys.executable, str(PARITY / "run.py"), "--runners", str(RUNNERS),
        "--scenarios", str(place.folder / "scenarios"), "--work", str(place.folder / "work"),
        *arguments,
    ]  # fmt: skip


def missing_are_red(place: Place) -> bool:
    """With nothing installed every runner but C++'s is red, and run.py says so."""
    done = subprocess.run(
        parity(place, place.folder / "nowhere", "--mode", "in_process", "--scenario", BENT),
        capture_output=True, text=True,
    )  # fmt: skip
    table = tomllib.loads(RUNNERS.read_text(encoding="utf-8"))
    names = {runner["name"] for runner in table["runner"]} - {"cpp"}
    said = f" in_process {BENT}\n    it did not run"
    green = {name for name in names if f"FAILED {name}{said}" not in done.stdout}
    for name in sorted(green):
        print(f"FAILED {name}: it is not there, and is not red")
    if done.returncode != 1:
        print(f"FAILED run.py ended with status {done.returncode}")
    passed = not green and done.returncode == 1
    print(f"{len(names) - len(green)} passed, {len(green) + (done.returncode != 1)} failed")
    return passed


def judge(place: Place, arguments: list[str]) -> bool:
    """Whether all is as it must be in one Debian."""
    with tempfile.TemporaryDirectory(prefix="parity_installed_") as scratch:
        install(place, Path(scratch))
    shutil.copytree(PARITY / "scenarios", place.folder / "scenarios")
    (place.folder / "work").mkdir()
    passed = True
    for extra in (arguments, [*arguments, "--bend", BENT]):
        print(f"{place.root.name} {' '.join(extra)}", flush=True)
        passed &= subprocess.run(parity(place, place.folder, *extra)).returncode == 0
    print(f"{place.root.name} with nothing installed", flush=True)
    return missing_are_red(place) and passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", action="append", choices=ROOTS)
    parser.add_argument("arguments", nargs="*", help="run.py's, after --")
    options = parser.parse_args()
    passed = True
    try:
        folders = roots()
    except RuntimeError as error:
        print(f"FAILED: {error}\n0 passed, 1 failed", flush=True)
        return 1
    for name in options.root or ROOTS:
        place = Place(folders[name])
        try:
            passed &= judge(place, options.arguments)
        except (AssertionError, RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"FAILED {name}: {error}\n0 passed, 1 failed", flush=True)
            passed = False
        finally:
            shutil.rmtree(place.folder)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
