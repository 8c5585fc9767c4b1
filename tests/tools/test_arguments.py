# SPDX-License-Identifier: Apache-2.0
"""Goal: a program of tools/ that is asked what it does says so and does nothing; one that is given
what it does not know refuses, and does nothing either.

Method: every file of tools/ that can be run, as a process, in a copy of tools/ whose surroundings
must be the same afterwards.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PROGRAMS = sorted(
    path.relative_to(TOOLS)
    for path in TOOLS.rglob("*.py")
    if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
)
BADLY_SET = "int  f( ) ;\n"


@pytest.fixture
def run(plant):
    """Runs a program of the copy, which must leave everything as it was."""
    root = plant({"core/base/x.cpp": BADLY_SET})
    shutil.copytree(TOOLS, root / "tools", ignore=shutil.ignore_patterns("__pycache__"))

    def contents():
        files = [path for path in root.rglob("*") if path.is_file()]
        return {str(path.relative_to(root)): path.read_bytes() for path in files}

    before = contents()

    def call(program: Path, *arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-B", str(root / "tools" / program), *arguments]
        answer = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
        assert contents() == before
        return answer

    return call


def test_the_programs_were_found():
    assert {"format.py", "tidy.py", "check_layers.py", "check_headers.py"} <= {
        str(program) for program in PROGRAMS
    }


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_help_is_all_that_happens(run, program):
    answer = run(program, "--help")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith(f"usage: {program.name}")
    assert answer.stderr == ""


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_an_unknown_argument_is_refused(run, program):
    answer = run(program, "--no_such_option")
    assert answer.returncode == 2
    assert "unrecognized arguments: --no_such_option" in answer.stderr
    assert answer.stdout == ""


def test_a_file_that_is_not_there_is_refused(run):
    answer = run(Path("format.py"), "core/base/y.cpp")
    assert answer.returncode == 2
    assert "there is no file core/base/y.cpp" in answer.stderr
