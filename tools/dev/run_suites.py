# SPDX-License-Identifier: Apache-2.0
"""Runs the suites of tests/suites.toml and says of each what it did.

Owns: reading that file, running each command under its time budget, counting the tests it ran.
Promises: a suite passes only if its command ended with 0, within its budget, and at least one test
passed and none failed; every process a suite leaves behind is ended with it.
Does not: build or install anything (`./dev` does, from what `--needs` prints).
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

TAIL_LINES = 60
HEARTBEAT_SECONDS = 30.0
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
REQUIRED = {"name": str, "label": str, "needs": list, "budget_seconds": int, "closing": str}
OPTIONAL = {"environment": dict, "full": bool}


class SuiteFileError(Exception):
    """tests/suites.toml says something that cannot be run."""


@dataclasses.dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def text(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    label: str
    command: list[str] | str
    needs: tuple[str, ...]
    budget_seconds: int
    closing: str
    environment: dict[str, str]
    full: bool  # Only when it is asked for.


@dataclasses.dataclass(frozen=True)
class Outcome:
    suite: Suite
    counts: Counts
    closing_line: str
    seconds: float
    problem: str  # Empty when the suite passed.


# --- counting -----------------------------------------------------------------------------------


def _int(match: re.Match[str], group: str) -> int:
    return int(match.group(group) or 0)


def _count_plain(lines: list[str]) -> tuple[Counts, str]:
    pattern = re.compile(
        r"^(?:\w+: )?(?P<p>\d+) passed, (?P<f>\d+) failed(?:, (?P<s>\d+) skipped)?$"
    )
    return _sum(lines, pattern, lambda m: Counts(_int(m, "p"), _int(m, "f"), _int(m, "s")))


def _count_pytest(lines: list[str]) -> tuple[Counts, str]:
    words = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")

    def count(match: re.Match[str]) -> Counts:
        total = {"passed": 0, "failed": 0, "skipped": 0}
        for number, word in words.findall(match.group(0)):
            key = {"xfailed": "skipped", "xpassed": "failed", "error": "failed", "errors": "failed"}
            total[key.get(word, word)] += int(number)
        return Counts(total["passed"], total["failed"], total["skipped"])

    line = re.compile(
        r"^=*\s*\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed)\b.* in [\d.]+.*$"
    )
    return _sum(lines, line, count)


def _count_unittest(lines: list[str]) -> tuple[Counts, str]:
    total, closing, ran = Counts(), "", 0
    for line in lines:
        if match := re.match(r"^Ran (\d+) tests? in ", line):
            ran, closing = ran + int(match.group(1)), line
        elif match := re.match(r"^(OK|FAILED)(?: \((.*)\))?$", line):
            found = dict(re.findall(r"(\w[\w ]*)=(\d+)", match.group(2) or ""))
            failed = sum(
                int(found.get(k, 0)) for k in ("failures", "errors", "unexpected successes")
            )
            skipped = sum(int(found.get(k, 0)) for k in ("skipped", "expected failures"))
            total += Counts(ran - failed - skipped, failed, skipped)
            closing, ran = f"{closing}: {line}", 0
    return total, closing


def _count_ctest(lines: list[str]) -> tuple[Counts, str]:
    pattern = re.compile(
        r"^\d+% tests passed, (?P<f>\d+) tests? failed out of (?P<all>\d+)$"
        r"|^\s*\d+ - .* \((?P<skip>Skipped|Disabled)\)$"
    )
    total, closing = Counts(), ""
    for line in lines:
        match = pattern.match(line)
        if match is None:
            continue
        if match.group("skip"):  # Listed after the closing line, and counted there as passed.
            counted = match.group("skip") == "Skipped"
            total += Counts(-1 if counted else 0, 0, 1)
        else:
            failed = _int(match, "f")
            total, closing = total + Counts(_int(match, "all") - failed, failed), line
    return total, closing


def _count_gtest(lines: list[str]) -> tuple[Counts, str]:
    pattern = re.compile(
        r"^(?:\d+: )?\[  (?:PASSED  \] (?P<p>\d+) tests?\."
        r"|FAILED  \] (?P<f>\d+) tests?, listed below:"
        r"|SKIPPED \] (?P<s>\d+) tests?, listed below:)$"
    )  # `ctest -V` puts the number of its test before each line.
    return _sum(lines, pattern, lambda m: Counts(_int(m, "p"), _int(m, "f"), _int(m, "s")))


def _count_node(lines: list[str]) -> tuple[Counts, str]:
    pattern = re.compile(
        r"^(?:#|ℹ) (?:pass (?P<p>\d+)|(?:fail|cancelled) (?P<f>\d+)|(?:skipped|todo) (?P<s>\d+))$"
    )
    return _sum(lines, pattern, lambda m: Counts(_int(m, "p"), _int(m, "f"), _int(m, "s")))


def _count_cargo(lines: list[str]) -> tuple[Counts, str]:
    pattern = re.compile(
        r"^test result: \w+\. (?P<p>\d+) passed; (?P<f>\d+) failed; (?P<s>\d+) ignored;.*$"
    )
    return _sum(lines, pattern, lambda m: Counts(_int(m, "p"), _int(m, "f"), _int(m, "s")))


def _count_go(lines: list[str]) -> tuple[Counts, str]:
    pattern = re.compile(
        r"^--- (?:(?P<p>PASS)|(?P<f>FAIL)|(?P<s>SKIP)): .*$"
    )  # Needs `go test -v`.

    def count(match: re.Match[str]) -> Counts:
        return Counts(*(1 if match.group(group) else 0 for group in ("p", "f", "s")))

    total, _ = _sum(lines, pattern, count)
    ends = [line for line in lines if re.match(r"^(ok|FAIL)\s+\S+", line)]
    return total, ends[-1] if ends else ""


def _count_maven(lines: list[str]) -> tuple[Counts, str]:
    pattern = re.compile(
        r"^(?:\[\w+\] )?Tests run: (?P<all>\d+), Failures: (?P<f>\d+), Errors: (?P<e>\d+),"
        r" Skipped: (?P<s>\d+)$"
    )

    def count(match: re.Match[str]) -> Counts:
        failed = _int(match, "f") + _int(match, "e")
        return Counts(_int(match, "all") - failed - _int(match, "s"), failed, _int(match, "s"))

    return _sum(lines, pattern, count)


def _sum(lines, pattern, count) -> tuple[Counts, str]:
    total, closing = Counts(), ""
    for line in lines:
        if match := pattern.match(line):
            total, closing = total + count(match), line.strip("= ")
    return total, closing


COUNTERS = {
    "plain": _count_plain,
    "pytest": _count_pytest,
    "unittest": _count_unittest,
    "ctest": _count_ctest,
    "gtest": _count_gtest,
    "node": _count_node,
    "cargo": _count_cargo,
    "go": _count_go,
    "maven": _count_maven,
}


def count_tests(closing: str, output: str) -> tuple[Counts, str]:
    """The tests that `output` reports in the form `closing`, and the last line that says so."""
    return COUNTERS[closing]([line.rstrip() for line in ANSI.sub("", output).splitlines()])


# --- reading the file ---------------------------------------------------------------------------


def load(path: Path, full: bool = False) -> tuple[list[Suite], int]:
    """The suites in their order, and the bound of a whole run in seconds."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    key = "full_total_seconds" if full else "total_seconds"
    total = document.get("run", {}).get(key)
    if not isinstance(total, int) or total <= 0:
        raise SuiteFileError(f"[run] {key} must be a positive number")
    suites = [_suite(table) for table in document.get("suite", [])]
    names = [suite.name for suite in suites]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise SuiteFileError(f"suite names used twice: {', '.join(repeated)}")
    return suites, total


def _suite(table: dict) -> Suite:
    name = table.get("name", "?")
    for key, kind in REQUIRED.items():
        if not isinstance(table.get(key), kind):
            raise SuiteFileError(f"suite {name}: '{key}' is missing or is not a {kind.__name__}")
    if not isinstance(table.get("command"), (list, str)) or not table["command"]:
        raise SuiteFileError(f"suite {name}: 'command' must be a list or a text, not empty")
    if unknown := sorted(set(table) - set(REQUIRED) - set(OPTIONAL) - {"command"}):
        raise SuiteFileError(f"suite {name}: unknown keys: {', '.join(unknown)}")
    for key, kind in OPTIONAL.items():
        if not isinstance(table.get(key, kind()), kind):
            raise SuiteFileError(f"suite {name}: '{key}' is not a {kind.__name__}")
    if table["closing"] not in COUNTERS:
        raise SuiteFileError(
            f"suite {name}: closing '{table['closing']}' is none of {sorted(COUNTERS)}"
        )
    if table["budget_seconds"] <= 0 or not re.fullmatch(r"[a-z0-9_]+", name):
        raise SuiteFileError(f"suite {name}: a positive budget and a snake_case name are needed")
    return Suite(
        name=name,
        label=table["label"],
        command=table["command"],
        needs=tuple(table["needs"]),
        budget_seconds=table["budget_seconds"],
        closing=table["closing"],
        environment=dict(table.get("environment", {})),
        full=table.get("full", False),
    )


def select(suites: list[Suite], wanted: list[str], full: bool) -> list[Suite]:
    """All of them (those that are `full` only if asked for), or those whose label or name is asked
    for; an unknown word is an error."""
    if not wanted:
        return [suite for suite in suites if full or not suite.full]
    known = {word for suite in suites for word in (suite.name, suite.label)}
    if unknown := [word for word in wanted if word not in known]:
        labels = ", ".join(sorted({suite.label for suite in suites}))
        raise SuiteFileError(
            f"no suite has the label or name {', '.join(unknown)}; labels: {labels}"
        )
    return [suite for suite in suites if suite.name in wanted or suite.label in wanted]


# --- running ------------------------------------------------------------------------------------


class Runner:
    """Runs suites one after the other. Lifecycle: make one, call `run` for each suite."""

    def __init__(self, root: Path, jobs: int, deadline: float | None):
        self.root = root
        self.jobs = jobs
        self.deadline = deadline  # On time.time()'s scale: the end of the whole run.
        self.logs = root / "build" / "test-logs"
        self.logs.mkdir(parents=True, exist_ok=True)

    def run(self, suite: Suite, heading: str) -> Outcome:
        start = time.monotonic()
        allowed = float(suite.budget_seconds)
        if self.deadline is not None:
            allowed = min(allowed, self.deadline - time.time())
        if allowed <= 0:
            return Outcome(suite, Counts(), "", 0.0, "not started: the run's time is used up")
        log_path = self.logs / f"{suite.name}.log"
        try:
            status = self._run_command(suite, allowed, heading, log_path, start)
        except OSError as error:
            return Outcome(suite, Counts(), "", 0.0, f"could not be started: {error}")
        finally:  # Also when this program is told to end.
            _end_adopted()
        seconds = time.monotonic() - start
        output = log_path.read_text(encoding="utf-8", errors="replace")
        counts, closing_line = count_tests(suite.closing, output)
        return Outcome(
            suite, counts, closing_line, seconds, _problem(suite, status, counts, allowed)
        )

    def _run_command(self, suite, allowed: float, heading: str, log_path: Path, start: float):
        """As _wait."""
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                self._command(suite),
                cwd=self.root,
                env=self._environment(suite),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            return self._wait(process, allowed, heading, log_path, start)
        finally:
            _end_group(process.pid)

    def _command(self, suite: Suite) -> list[str]:
        if isinstance(suite.command, str):
            return ["bash", "-euo", "pipefail", "-c", self._fill(suite.command)]
        return [self._fill(word) for word in suite.command]

    def _fill(self, text: str) -> str:
        values = {"root": str(self.root), "build": str(self.root / "build"), "jobs": str(self.jobs)}
        return re.sub(r"\{(root|build|jobs)\}", lambda match: values[match.group(1)], text)

    def _environment(self, suite: Suite) -> dict[str, str]:
        environment = dict(os.environ)
        environment.update({key: self._fill(value) for key, value in suite.environment.items()})
        return environment

    def _wait(self, process, allowed: float, heading: str, log_path: Path, start: float):
        """The exit status, or None when the time was up and the suite was killed."""
        shown = start
        while True:
            left = allowed - (time.monotonic() - start)
            if left <= 0:
                _end_group(process.pid)
                process.wait()
                return None
            try:
                return process.wait(timeout=min(left, 1.0))
            except subprocess.TimeoutExpired:
                if time.monotonic() - shown >= HEARTBEAT_SECONDS:
                    shown = time.monotonic()
                    print(f"{heading}: {shown - start:.0f} s, {_last_line(log_path)}", flush=True)


def _problem(suite: Suite, status: int | None, counts: Counts, allowed: float) -> str:
    if status is None:
        what = "its budget" if allowed == suite.budget_seconds else "the run's remaining time"
        return f"killed: longer than {what} of {allowed:.0f} s"
    if counts.failed:
        return f"{counts.failed} failed"
    if status != 0:
        return f"ended with status {status}"
    if counts.passed <= 0:
        return "ran no test"
    return ""


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


PR_SET_CHILD_SUBREAPER = 36


def _adopt_orphans() -> None:
    """What a suite leaves behind, in whatever session, becomes a child of this process (Linux)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_adopted() -> None:
    """Ends every child there is: suites run one at a time, so all are of the one that ended."""
    while children := _children(os.getpid()):
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for child in children:
            try:
                os.waitpid(child, 0)  # Its own children are ours then.
            except ChildProcessError:
                pass


def _children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue  # It has ended.
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found


def _last_line(path: Path) -> str:
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 2000))
        lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    return ANSI.sub("", lines[-1])[:90] if lines else "nothing printed yet"


def _print_tail(path: Path) -> None:
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    print(f"--- last {min(TAIL_LINES, len(lines))} of {len(lines)} lines of {path.name}")
    # Indented, so that no line of a failed suite's output can pass for the closing line of the run.
    print("\n".join("  | " + line for line in lines[-TAIL_LINES:]))
    print("---", flush=True)


def run_all(runner: Runner, suites: list[Suite]) -> list[Outcome]:
    outcomes = []
    for number, suite in enumerate(suites, start=1):
        heading = f"[{number}/{len(suites)}] {suite.name}"
        print(f"{heading}: started, at most {suite.budget_seconds} s", flush=True)
        outcome = runner.run(suite, heading)
        outcomes.append(outcome)
        verdict = f"FAILED ({outcome.problem})" if outcome.problem else "ok"
        print(
            f"{heading}: {verdict}, {outcome.seconds:.1f} s: {_closing_text(outcome)}", flush=True
        )
        if outcome.problem:
            _print_tail(runner.logs / f"{suite.name}.log")
    return outcomes


def _closing_text(outcome: Outcome) -> str:
    """Its own closing line, and the sum when that line is not all of it."""
    counts = outcome.counts.text()
    return counts if outcome.closing_line == counts else f"{outcome.closing_line} ({counts})"


def report(outcomes: list[Outcome], summary: Path) -> int:
    print("\nsuite                    label        seconds  tests")
    total = Counts()
    for outcome in outcomes:
        suite, counts = outcome.suite, outcome.counts
        # A suite that failed without a failing test (killed, crashed, empty) counts as one failed.
        total += counts if not outcome.problem or counts.failed else counts + Counts(failed=1)
        note = f"   <-- {outcome.problem}" if outcome.problem else ""
        print(f"{suite.name:<24} {suite.label:<12} {outcome.seconds:7.1f}  {counts.text()}{note}")
    print(f"\n{total.text()}", flush=True)
    summary.write_text(f"{total.text()}\n", encoding="utf-8")
    return 1 if any(outcome.problem for outcome in outcomes) or not total.passed else 0


def _end_by_signal(number: int, frame: object) -> None:
    sys.exit(128 + number)  # By way of every `finally`: the suite at hand ends with us.


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Runs the suites of tests/suites.toml.")
    parser.add_argument(
        "wanted", nargs="*", metavar="LABEL", help="labels or names; all by default"
    )
    parser.add_argument("--full", action="store_true", help="also those that CI leaves out")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--file", type=Path, help="instead of <root>/tests/suites.toml")
    parser.add_argument("--needs", action="store_true", help="print what the suites need, and end")
    parser.add_argument("--list", action="store_true", help="print all suites, and end")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--started", type=float, help="when the whole run began (seconds of the epoch)"
    )
    options = parser.parse_args(arguments)
    try:
        file = options.file or options.root / "tests" / "suites.toml"
        suites, total_seconds = load(file, options.full)
        suites = select(suites, options.wanted, options.full or options.list)
    except (SuiteFileError, tomllib.TOMLDecodeError, OSError) as error:
        print(f"tests/suites.toml: {error}", file=sys.stderr)
        return 2
    if options.needs:
        print("\n".join(dict.fromkeys(need for suite in suites for need in suite.needs)))
        return 0
    if options.list:
        for suite in suites:
            note = ", with --full" if suite.full else ""
            print(f"{suite.name:<24} {suite.label:<12} at most {suite.budget_seconds} s{note}")
        return 0
    _adopt_orphans()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Set, not left to Python: a shell's background command begins with SIGINT ignored.
        signal.signal(number, _end_by_signal)
    deadline = options.started + total_seconds if options.started else None
    runner = Runner(options.root, options.jobs, deadline)
    return report(run_all(runner, suites), runner.logs / "summary.txt")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
