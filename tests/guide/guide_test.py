# SPDX-License-Identifier: Apache-2.0
"""Goal: every program of the guide runs in every language, on the packages as they are built, and
prints what its step says.

Method: each is started as a reader would start it (need_guide of tools/dev/docs.sh says where the
compiled ones stand) and its output compared with the step's expected.txt, the same for all
languages. Those of broker_per_test are tests: the runner of each language counts them. Programs
that are wrong are planted beside it.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import guide_snippets  # noqa: E402

SNIPPETS = ROOT / guide_snippets.SNIPPETS
TESTS_STEP = "broker_per_test"
SECONDS_MAX = 120
JAVA = ["java", "-XX:+UseSerialGC", "-Xmx256m"]


def python(program: Path) -> list[str]:
    return [os.environ["MARTLET_PYTHON"], "-W", "error", str(program)]


def node(program: Path) -> list[str]:
    return ["node", str(program)]


def java(program: Path) -> list[str]:
    return [*JAVA, "-cp", f"{os.environ['GUIDE_JARS']}/*", str(program)]


def cpp(program: Path) -> list[str]:
    return [str(Path(os.environ["GUIDE_CPP"], program.stem))]


def csharp(program: Path) -> list[str]:
    return [*shlex.split(os.environ["GUIDE_CSHARP"]), program.stem]


def python_tests(program: Path) -> list[str]:
    return [os.environ["MARTLET_PYTHON"], "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "-o", "asyncio_default_fixture_loop_scope=function", str(program)]  # fmt: skip


def node_tests(program: Path) -> list[str]:
    return ["node", "--test", "--test-reporter=tap", str(program)]


def java_tests(program: Path) -> list[str]:
    classes = program.parent / "classes"
    jars = f"{os.environ['GUIDE_JARS']}/*"
    subprocess.run(["javac", "-Werror", "-Xlint:all", "-cp", jars, "-d", str(classes),
                    str(program)], check=True, timeout=SECONDS_MAX)  # fmt: skip
    return [*JAVA, "-cp", f"{classes}:{jars}", "org.junit.platform.console.ConsoleLauncher",
            "execute", "--disable-banner", "--details=summary", "--disable-ansi-colors",
            f"--select-class={program.stem}"]  # fmt: skip


COMMANDS = {".cpp": cpp, ".py": python, ".mjs": node, ".java": java, ".cs": csharp}
TEST_COMMANDS = {**COMMANDS, ".py": python_tests, ".mjs": node_tests, ".java": java_tests}
#: How a runner of tests tells what passed and what failed; the others print it as we do.
COUNTS = {
    ".py": (r"(\d+) passed", r"(\d+) failed"),
    ".mjs": (r"# pass (\d+)", r"# fail (\d+)"),
    ".java": (r"(\d+) tests successful", r"(\d+) tests failed"),
}


def counted(ending: str, output: str) -> str:
    """A runner's report in the words of expected.txt."""
    if ending not in COUNTS:
        return output
    numbers = [re.search(pattern, output) for pattern in COUNTS[ending]]
    passed, failed = (int(found[1]) if found else 0 for found in numbers)
    return f"{passed} passed, {failed} failed\n"


def what_is_wrong(program: Path, expected: str, *, is_tests: bool = False) -> str:
    """Runs a program; empty when it did what it should. It is run in a folder of its own."""
    commands = TEST_COMMANDS if is_tests else COMMANDS
    done = subprocess.run(
        commands[program.suffix](program), cwd=program.parent, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=SECONDS_MAX)  # fmt: skip
    output = counted(program.suffix, done.stdout) if is_tests else done.stdout
    told = f"\n{done.stdout}{done.stderr}"
    if done.returncode != 0:
        return f"{program.name} ended with status {done.returncode}:{told}"
    if done.stderr:
        return f"{program.name} complained:{told}"
    return "" if output == expected else f"{program.name} printed something else:{told}"


class Programs(unittest.TestCase):
    """One test for each step and language, added below."""

    def run_program(self, step: str, language: guide_snippets.Language) -> None:
        program = SNIPPETS / language.file_of(step)
        expected = guide_snippets.expected(ROOT, step)
        is_tests = step == TESTS_STEP
        if is_tests:  # Their runners leave things beside them.
            scratch = tempfile.TemporaryDirectory(prefix="guide-", dir=ROOT / "build")
            self.addCleanup(scratch.cleanup)
            copy = Path(scratch.name) / program.name
            copy.write_bytes(program.read_bytes())
            program = copy
        wrong = what_is_wrong(program, expected, is_tests=is_tests)
        if wrong:
            self.fail(wrong)


def add_programs() -> None:
    def test_of(step: str, language: guide_snippets.Language):
        return lambda self: self.run_program(step, language)

    for step in guide_snippets.steps(ROOT):
        for language in guide_snippets.LANGUAGES:
            name = f"test_{step}_in_{language.file_of(step).rpartition('.')[2]}"
            setattr(Programs, name, test_of(step, language))


add_programs()


class Planted(unittest.TestCase):
    """What is wrong is found."""

    def plant(self, name: str, text: str) -> Path:
        # Below the clone, so that Node finds the package.
        scratch = tempfile.TemporaryDirectory(prefix="guide-", dir=ROOT / "build")
        self.addCleanup(scratch.cleanup)
        program = Path(scratch.name) / name
        program.write_text(text, encoding="utf-8")
        return program

    def bent(self, name: str, old: str, new: str) -> Path:
        text = (SNIPPETS / name).read_text(encoding="utf-8")
        self.assertIn(old, text)
        return self.plant(Path(name).name, text.replace(old, new))

    def assert_found(self, program: Path, expected: str, what: str, **kind: bool) -> None:
        self.assertIn(what, what_is_wrong(program, expected, **kind))

    def test_another_payload_in_each_language_that_is_not_compiled(self) -> None:
        for language in guide_snippets.LANGUAGES:
            if language.ending in (".py", ".mjs", ".java"):
                with self.subTest(language.name):
                    program = self.bent(language.file_of("first_message"), "hello", "hallo")
                    self.assert_found(program, "greet.world: hello\n", "printed something else")

    def test_other_words_of_a_compiled_program(self) -> None:
        for language in guide_snippets.LANGUAGES:
            if language.ending in (".cpp", ".cs"):
                with self.subTest(language.name):
                    program = SNIPPETS / language.file_of("first_message")
                    self.assert_found(program, "greet.world: hallo\n", "printed something else")

    def test_a_test_that_fails(self) -> None:
        for ending in (".py", ".mjs", ".java"):
            with self.subTest(ending):
                (language,) = [one for one in guide_snippets.LANGUAGES if one.ending == ending]
                program = self.bent(language.file_of(TESTS_STEP), "greet.world", "greed.world")
                self.assert_found(
                    program, "2 passed, 0 failed\n", "ended with status", is_tests=True)

    def test_a_test_that_is_missing(self) -> None:
        program = self.plant("one_test.py", "def test_one(martlet_server):\n    pass\n")
        self.assert_found(
            program, "2 passed, 0 failed\n", "printed something else", is_tests=True)

    def test_a_status(self) -> None:
        program = self.plant("ends.py", "print('x')\nraise SystemExit(3)\n")
        self.assert_found(program, "x\n", "ended with status 3")

    def test_a_complaint(self) -> None:
        program = self.plant("complains.mjs", "console.log('x'); console.error('y');\n")
        self.assert_found(program, "x\n", "complained")


if __name__ == "__main__":
    unittest.main()
