# SPDX-License-Identifier: Apache-2.0
"""Runs the parity scenarios (README.md): every runner in every mode, and compares what they wrote.

python3 tests/parity/run.py [--runner NAME]... [--mode MODE]... [--scenario NAME]... [--show]
python3 tests/parity/run.py --bend NAME    every runner must see that one scenario was changed

Its last line is 'N passed, N failed': one for each scenario of each runner in each mode.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import comparison
import scenario_form
from scenario_form import MODES, FormError, Scenario
from server_keeper import ServerKeeper

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = Path(os.environ.get("MARTLET_BUILD", ROOT / "build" / "release"))
RUNNER_SECONDS_MAX = 300


@dataclass
class Runner:
    name: str
    command: list[str]
    fault: str = ""  # Why it cannot be started.


@dataclass
class Outcome:
    """What one runner did in one mode."""

    lines: dict[str, comparison.Line] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


def read_runners(path: Path, names: list[str] | None) -> list[Runner]:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    languages = {entry["language"] for entry in table["runner"]}
    runners = [_runner_of(entry) for entry in table["runner"]]
    for language in sorted(set(table["languages"]) - languages):
        runners.append(Runner(language, [], "it has no runner"))
    if names is None:
        return runners
    unknown = set(names) - {runner.name for runner in runners}
    if unknown:
        sys.exit(f"there is no runner {sorted(unknown)}")
    return [runner for runner in runners if runner.name in names]


def _runner_of(entry: dict[str, Any]) -> Runner:
    places = {"root": str(ROOT), "build": str(BUILD)}
    missing = []

    def place(match: re.Match[str]) -> str:
        value = places.get(match[1]) or os.environ.get(match[1])
        if value is None:
            missing.append(match[1])
        return value or ""

    command = [re.sub(r"\{(\w+)\}", place, word) for word in entry["command"]]
    fault = f"${missing[0]} is not set" if missing else ""
    if not fault and shutil.which(command[0]) is None:
        fault = f"there is no program {command[0]}"
    return Runner(entry["name"], command, fault)


def server_command(mode: str) -> list[str]:
    if mode == "nats_server":
        return [os.environ.get("NATS_SERVER", "nats-server")]
    return [os.environ.get("MARTLET_PROGRAM", str(BUILD / "bin" / "martlet")), "serve"]


def play(runner: Runner, mode: str, scenarios: Path, only: list[str], folder: Path) -> Outcome:
    """Runs one runner in one mode."""
    if runner.fault:
        return Outcome(faults=[f"the runner is missing: {runner.fault}"])
    folder.mkdir(parents=True)
    out = folder / "transcripts.jsonl"
    command = [*runner.command, "--scenarios", str(scenarios), "--mode", mode, "--out", str(out)]
    command += ["--only", ",".join(only)] if only else []
    keeper = ServerKeeper(server_command(mode), folder)
    began = time.monotonic()
    fault = ""
    log = folder / "stderr.log"
    try:
        with log.open("wb") as errors, subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            cwd=folder, start_new_session=True,
        ) as process:  # fmt: skip
            fault = _attend(process, keeper)
    except OSError as error:
        fault = f"the runner is missing: {error}"
    finally:
        keeper.end()
    lines, faults = comparison.read_lines(out)
    if fault:
        faults.append(f"{fault}; it said: {log.read_text(errors='replace')[-2000:]}")
    return Outcome(lines, faults, time.monotonic() - began)


def _attend(process: subprocess.Popen[str], keeper: ServerKeeper) -> str:
    """Answers the runner until it ends; what was wrong with that, or nothing."""
    assert process.stdin is not None and process.stdout is not None
    late = threading.Event()

    def end() -> None:
        late.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(RUNNER_SECONDS_MAX, end)
    timer.start()
    fault = ""
    try:
        for line in process.stdout:
            try:
                answer = keeper.answer(json.loads(line))
            except ValueError:
                fault = f"it wrote to standard output what is no request: {line[:80]!r}"
                answer = {"error": fault}
            try:
                os.write(process.stdin.fileno(), json.dumps(answer).encode() + b"\n")
            except BrokenPipeError:
                break
        status = process.wait()
    finally:
        timer.cancel()
    if late.is_set():
        return f"it did not end within {RUNNER_SECONDS_MAX} s"
    return fault or (f"it ended with status {status}" if status != 0 else "")


class Report:
    """Prints what went wrong, and counts."""

    def __init__(self, show: bool) -> None:
        self.passed = 0
        self.failed = 0
        self._show = show

    def failure(self, where: str, texts: list[str]) -> None:
        self.failed += 1
        print(f"FAILED {where}")
        for text in texts:
            print(f"    {text}")

    def judge(
        self,
        runner: Runner,
        mode: str,
        scenarios: list[Scenario],
        got: Outcome,
        truth: Outcome | None,
    ) -> None:
        """Counts one runner in one mode."""
        differ = 0
        where = f"{runner.name} {mode}"
        for fault in got.faults:
            self.failure(where, [fault])
        for stranger in sorted(set(got.lines) - {scenario.name for scenario in scenarios}):
            self.failure(f"{where} {stranger}", ["there is no such scenario"])
        for scenario in scenarios:
            line = got.lines.get(scenario.name)
            known = truth.lines.get(scenario.name) if truth is not None else None
            found = comparison.differences(scenario, mode, line, known)
            if found:
                differ += 1
                self.failure(f"{where} {scenario.name}", found)
            else:
                self.passed += 1
            if self._show and line is not None:
                show(scenario, line)
        ran = sum(1 for line in got.lines.values() if "transcript" in line)
        skipped = sum(1 for line in got.lines.values() if "skipped" in line)
        counts = f"{ran} ran, {skipped} not for this mode, {differ} differ"
        print(f"{where}: {counts}, {got.seconds:.1f} s")


def show(scenario: Scenario, line: comparison.Line) -> None:
    given = line.get("transcript", [])
    for step, value in zip(scenario.steps, given):
        told = {key: entry for key, entry in step.items() if key not in ("gives", "do")}
        print(f"      {step['do']} {comparison.shown(told)} -> {comparison.shown(value)}")


def run(arguments: argparse.Namespace, folder: Path) -> int:
    scenarios = scenario_form.read_folder(arguments.scenarios)
    if len(scenarios) < arguments.scenarios_min:
        wanted = arguments.scenarios_min
        raise FormError(f"there are {len(scenarios)} scenarios, {wanted} are wanted")
    if arguments.scenario:
        scenarios = [one for one in scenarios if one.name in arguments.scenario]
        if len(scenarios) != len(set(arguments.scenario)):
            raise FormError(f"there is no such scenario: {arguments.scenario}")
    report = Report(arguments.show)
    runners = read_runners(arguments.runners, arguments.runner)
    for mode in arguments.mode or MODES:
        truth = None
        for runner in runners:
            place = folder / mode / runner.name
            got = play(runner, mode, arguments.scenarios, arguments.scenario or [], place)
            report.judge(runner, mode, scenarios, got, truth)
            truth = truth or got
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


def run_bent(arguments: argparse.Namespace, folder: Path) -> int:
    """One payload of a scenario is changed, what is expected is not: every runner must turn red."""
    whole = {one.name: one for one in scenario_form.read_folder(arguments.scenarios)}
    if arguments.bend not in whole:
        raise FormError(f"there is no scenario {arguments.bend}")
    bent = scenario_form.bent(whole[arguments.bend])
    scenarios = folder / "scenarios"
    scenarios.mkdir()
    (scenarios / f"{bent.name}.json").write_text(json.dumps(bent.body), encoding="utf-8")
    passed = failed = 0
    for mode in arguments.mode or MODES:
        if bent.reason_not_in(mode) is not None:
            continue
        for runner in read_runners(arguments.runners, arguments.runner):
            got = play(runner, mode, scenarios, [], folder / mode / runner.name)
            line = got.lines.get(bent.name)
            found = comparison.differences(bent, mode, line, None)
            # A runner that did not run has not noticed anything.
            if found and line is not None and "transcript" in line and not got.faults:
                passed += 1
                print(f"{runner.name} {mode}: red, as it should be: {found[0]}")
            else:
                failed += 1
                print(f"FAILED {runner.name} {mode}: it is not red {got.faults}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runner", action="append", help="only this one (may be repeated)")
    parser.add_argument("--mode", action="append", choices=MODES)
    parser.add_argument("--scenario", action="append")
    parser.add_argument("--show", action="store_true", help="what each step gave")
    parser.add_argument("--bend", metavar="SCENARIO")
    parser.add_argument("--scenarios", type=Path, default=HERE / "scenarios")
    parser.add_argument("--scenarios-min", type=int, default=scenario_form.SCENARIOS_MIN)
    parser.add_argument("--runners", type=Path, default=HERE / "runners.toml")
    parser.add_argument("--work", type=Path, help="runners work below this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parity_", dir=arguments.work) as folder:
        try:
            work = run_bent if arguments.bend else run
            return work(arguments, Path(folder))
        except FormError as error:
            print(f"FAILED {error}\n0 passed, 1 failed")
            return 1


if __name__ == "__main__":
    sys.exit(main())
