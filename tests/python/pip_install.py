# SPDX-License-Identifier: Apache-2.0
"""Goal: what the README tells a user to do works: `pip install .` in a fresh virtual environment;
and the same with the source package, which has all that it is built from.

    python3 tests/python/pip_install.py [sdist]    of dist/, instead of the checkout

Method: an environment and a build folder that nothing was in before, pip without options (so it
fetches what the build needs, as for a user), then a program in another folder that sends a message
through a broker inside it. All of it is removed afterwards. From the developers' scripts come only
the names of compilers, and options that change no object's meaning, so that the compiler cache
knows the objects. No test of pytest: it needs an environment without any package.
Prints "N passed, N failed".
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "pip_install"
# As deep as build/release: what the compiler cache knows are paths from there.
OBJECTS = ROOT / "build" / "pip_install_objects"
# Where pip unpacks a source package, and builds as deep below that.
UNPACKED = FOLDER / "unpacked"
VERSION = (ROOT / "VERSION").read_text().strip()
INSTALL_SECONDS_MAX = 840
RUN_SECONDS_MAX = 60

PROGRAM = """
import importlib.metadata
import pathlib
import sys
import martlet

with martlet.Server() as server, martlet.connect(server) as connection:
    subscription = connection.subscribe("flight.*.JFK.>")
    connection.publish("flight.AA.JFK.LAX", b"on time")
    message = subscription.next_msg(timeout=30.0)
    print(message.subject, message.data.decode())
print(pathlib.Path(martlet.__file__).is_relative_to(sys.prefix))
files = importlib.metadata.files("martlet")
print(martlet.__version__, *sorted(file.name for file in files if "licenses" in file.parts))
"""
EXPECTED = f"flight.AA.JFK.LAX on time\nTrue\n{VERSION} LICENSE NOTICE\n"


def run(command: list[str | Path], seconds_max: int, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(word) for word in command], text=True, timeout=seconds_max, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def user_environment() -> dict[str, str]:
    """Without what would show Python or the build another place or package."""
    foreign = ("PYTHON", "VIRTUAL_ENV", "SKBUILD_")
    return {name: text for name, text in os.environ.items() if not name.startswith(foreign)}


def build_environment(sdist: bool) -> dict[str, str]:
    """As the Python package of the suites is built (tools/dev/needs.sh)."""
    define = ["MARTLET_WERROR=ON"] if os.environ.get("CI") else []
    if (ROOT / "build" / "release" / "CMakeCache.txt").exists():
        define.append("MARTLET_FAT_OBJECTS=ON")
    added = {"CC": "cc", "CXX": "c++"}
    if sdist:
        UNPACKED.mkdir()
        added |= {"TMPDIR": str(UNPACKED), "CCACHE_BASEDIR": str(UNPACKED)}
    else:
        added["SKBUILD_BUILD_DIR"] = str(OBJECTS)
    if define:
        added["SKBUILD_CMAKE_DEFINE"] = ";".join(define)
    return user_environment() | added


class Report:
    """Counts what holds, and prints what does not."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def judge(self, what: str, holds: bool, seen: str) -> bool:
        self.passed += holds
        self.failed += not holds
        print(f"{'ok    ' if holds else 'NOT OK'}  {what}", flush=True)
        if not holds:
            print(seen, flush=True)
        return holds


def check(report: Report, sdist: bool) -> None:
    venv.create(FOLDER / "venv", with_pip=True)
    python = FOLDER / "venv" / "bin" / "python"
    package = f"dist/martlet-{VERSION}.tar.gz" if sdist else "."
    installed = run([python, "-m", "pip", "install", package], INSTALL_SECONDS_MAX, cwd=ROOT,
                    env=build_environment(sdist))
    if not report.judge(f"pip install {package}", installed.returncode == 0,
                        installed.stdout[-20000:]):
        return
    with tempfile.TemporaryDirectory(prefix="pip-install-") as elsewhere:
        path = Path(elsewhere) / "program.py"
        path.write_text(PROGRAM)
        sent = run([python, path], RUN_SECONDS_MAX, cwd=elsewhere, env=user_environment())
        report.judge("a message through a broker of its own, in another folder, and its licences",
                     sent.returncode == 0 and sent.stdout == EXPECTED, sent.stdout)
        listed = run([python, "-m", "pip", "check"], RUN_SECONDS_MAX, cwd=elsewhere,
                     env=user_environment())
        report.judge("nothing that it needs is missing", listed.returncode == 0, listed.stdout)


def main() -> int:
    if sys.argv[1:] not in ([], ["sdist"]):
        sys.exit(__doc__)
    report = Report()
    for folder in (FOLDER, OBJECTS):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        check(report, bool(sys.argv[1:]))
    finally:
        for folder in (FOLDER, OBJECTS):
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main())
