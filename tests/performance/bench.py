#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`./dev bench`: Martlet beside nats-server and the floor, row by row.

Owns: the order of the measurements and what is written to build/bench. For each row the contestants
take turns, each round on a fresh server; the medians are judged by bench_rows.py. Promises: a row
that cannot be measured is reported with its reason and does not stop the rest. Ends with 0 when
every row could be measured, whatever it reached: a figure is no test.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bench_report  # noqa: E402
import bench_single  # noqa: E402
from bench_programs import known_programs, run_program  # noqa: E402
from bench_rows import FLOOR, OURS, ROWS, THEIRS, Row  # noqa: E402
from bench_servers import (  # noqa: E402
    BenchError,
    Contestants,
    compiled,
    server_arguments,
)

ROOT = Path(__file__).resolve().parents[2]
QUICK_SHARE = 50
SCALE_MAX = 40
PROGRAM_NAMES = ("client", "in_process", "python", "java")


@dataclasses.dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    quick: bool

    def rounds_of(self, row: Row) -> int:
        if self.quick or row.rounds_min == 1:
            return 1
        return max(self.rounds, row.rounds_min)


class Measuring:
    """Measures rows. Lifecycle: one for the whole run; `measure` for each row in its order."""

    def __init__(self, contestants: Contestants, plan: Plan) -> None:
        self._contestants = contestants
        self._plan = plan

    def measure(self, row: Row, done: dict) -> bench_report.RowResult:
        names = [OURS, THEIRS, FLOOR] if row.has_floor else [OURS, THEIRS]
        counts = {name: self._first_count(row) for name in names}
        samples: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        problems: dict[str, str] = {}
        rounds = self._plan.rounds_of(row)
        for number in range(0 if self._probes(row) else 1, rounds + 1):
            for name in _turn(names, number):
                if name in problems:
                    continue
                what = f"{row.name}, round {number} of {rounds}" if number else f"{row.name}, probe"
                try:
                    sample = self._once(row, name, counts[name])
                except (BenchError, OSError, ValueError, subprocess.SubprocessError) as error:
                    problems[name] = f"{name}: {error}"
                    say(f"{what}, {name}: {error}")
                    continue
                unit = bench_report.UNITS[row.figure]
                say(f"{what}, {name}: {bench_report.number(sample[row.figure], unit)}")
                if number:
                    samples[name].append(sample)
                else:
                    counts[name] = self._scaled(counts[name], sample["seconds"])
        medians = {name: medians_of(found) for name, found in samples.items() if found}
        judged = []
        try:
            judged = row.judge(row, medians, done)
        except KeyError as missing:  # What a rule needs of somebody who could not be measured.
            problems["rule"] = f"not judged: no figure of {missing.args[0]}"
        return bench_report.RowResult(row, medians, judged, list(problems.values()), rounds)

    def _once(self, row: Row, name: str, count: int) -> dict[str, float]:
        single = bench_single.MEASURES.get(row.name)
        if single is not None:
            return single(self._contestants, name, row, count)
        return self._contestants.blast_once(row, name, count)

    def _probes(self, row: Row) -> bool:
        """A first run, not counted, tells how many messages fill the time wanted."""
        return row.scaled and not self._plan.quick and row.name not in bench_single.MEASURES

    def _first_count(self, row: Row) -> int:
        return max(1, row.count // QUICK_SHARE) if self._plan.quick else row.count

    def _scaled(self, count: int, seconds: float) -> int:
        share = 1.1 * self._plan.seconds / max(seconds, 0.001)
        return int(count * min(max(share, 1.0), SCALE_MAX))


def _turn(names: Sequence[str], number: int) -> list[str]:
    """Each round begins with another one, so that a drift of the machine favours nobody."""
    first = number % len(names)
    return [*names[first:], *names[:first]]


def medians_of(samples: Sequence[dict]) -> dict[str, float]:
    keys = [key for key, value in samples[0].items() if isinstance(value, (int, float))]
    return {key: statistics.median(sample[key] for sample in samples) for key in keys}


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


# --- what the report says of its circumstances --------------------------------------------------


def first_line(*command: str) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return (answer.stdout or answer.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.SubprocessError):
        return "unknown"


def machine() -> str:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory_kib = int(Path("/proc/meminfo").read_text(encoding="utf-8").split()[1])
    return f"{os.cpu_count()} × {model}, {memory_kib / 2**20:.1f} GiB, Linux {platform.release()}"


def about(plan: Plan, commands: dict[str, list[str]]) -> dict[str, str]:
    commit = first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    found = {
        "machine": machine(),
        "load before": "{:.1f} {:.1f} {:.1f}".format(*os.getloadavg()),
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        OURS: f"{first_line(commands[OURS][0], '--version')}, commit {commit}",
        THEIRS: first_line(commands[THEIRS][0], "--version"),
        "compiler": first_line(os.environ.get("CXX", "c++"), "--version"),
        "rounds": f"{plan.rounds} (latencies at least 5), medians, contestants in turn",
    }
    if plan.quick:
        found["quick"] = "a smoke run: one short round, the figures mean nothing"
    return found


# --- the run ------------------------------------------------------------------------------------


def arguments_of(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    known = [*ROWS, *PROGRAM_NAMES]
    parser.add_argument("--rows", default="", metavar="A,B", help=f"of: {' '.join(known)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="that one run should last")
    parser.add_argument("--quick", action="store_true", help="one short round: does it all work?")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--martlet", default=os.environ.get("MARTLET_PROGRAM", ""))
    parser.add_argument("--nats-server", default=os.environ.get("NATS_SERVER", "nats-server"))
    options = parser.parse_args(words)
    options.rows = [name for name in options.rows.split(",") if name] or known
    if unknown := [name for name in options.rows if name not in known]:
        parser.error(f"no row {', '.join(unknown)}; there are: {' '.join(known)}")
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("at least one round, and more than no time")
    options.martlet = options.martlet or str(ROOT / "build" / "release" / "bin" / "martlet")
    return options


def commands_of(options: argparse.Namespace, floor: Path) -> dict[str, list[str]]:
    commands = {OURS: options.martlet, THEIRS: options.nats_server, FLOOR: str(floor)}
    found = {name: server_arguments(text) for name, text in commands.items()}
    found[FLOOR] = [str(floor)]
    for words in found.values():
        path = shutil.which(words[0])
        if path is None:
            raise BenchError(f"there is no program {words[0]}")
        words[0] = str(Path(path).resolve())
    return found


def main(words: Sequence[str]) -> int:
    options = arguments_of(words)
    plan = Plan(1 if options.quick else options.rounds, options.seconds, options.quick)
    raise_descriptor_limit()
    output = options.output
    output.mkdir(parents=True, exist_ok=True)
    try:
        programs = compiled(output / "bin")
        commands = commands_of(options, programs["floor"])
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    run = bench_report.Run(about(plan, commands), [], [])
    rows, own_programs = [], []
    contestants = Contestants(commands, programs["blast"])
    measuring = Measuring(contestants, plan)
    for name in [name for name in ROWS if name in options.rows]:
        rows.append(measuring.measure(ROWS[name], {one.row.name: one.medians for one in rows}))
        run = dataclasses.replace(run, rows=rows)
        write(run, output)
    for program in known_programs(ROOT / "build" / "release"):
        if program.name in options.rows:
            say(f"{program.name}: {program.title}")
            result = output / f"{program.name}.json"
            found = run_program(program, contestants, plan.rounds, plan.quick, result)
            own_programs.append(found)
            run = dataclasses.replace(run, programs=own_programs)
            write(run, output)
    print("\n" + bench_report.markdown(run))
    say(f"written: {output / 'report.md'}, {output / 'report.svg'}")
    return 1 if any(OURS not in one.medians for one in rows) else 0


def write(run: bench_report.Run, output: Path) -> None:
    """After each row, so that a run that is cut short leaves what it found."""
    (output / "report.md").write_text(bench_report.markdown(run), encoding="utf-8")
    (output / "report.svg").write_text(bench_report.svg(run), encoding="utf-8")
    medians = {one.row.name: one.medians for one in run.rows}
    medians |= {one.program.name: one.figures for one in run.programs}
    text = json.dumps({"about": dict(run.about), "medians": medians}, indent=2)
    (output / "medians.json").write_text(text + "\n", encoding="utf-8")


def raise_descriptor_limit() -> None:
    """Ten thousand connections need as many descriptors in the server, which inherits this."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
