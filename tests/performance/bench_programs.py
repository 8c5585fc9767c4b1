# SPDX-License-Identifier: Apache-2.0
"""The rows of our own clients: programs that measure themselves beside their peers.

Owns: how client_bench (C++) and python_bench.py are run, and the rule for each of their figures.
Promises: a program that is not there is named in the report, not passed over. A program writes
one JSON object, figure -> number, into the file given by --json.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from pathlib import Path
from typing import Mapping, Optional

from bench_rows import Judgement
from bench_servers import HERE, BenchError

PROGRAM_SECONDS_MAX = 900


@dataclasses.dataclass(frozen=True)
class Rule:
    """`ours` / `beside` (or `ours` alone) against its bounds; of several beside it, the best."""

    ours: str
    beside: tuple[str, ...] = ()
    must: Optional[float] = None
    aim: Optional[float] = None
    more_is_better: bool = True
    unit: str = "x"

    def judge(self, figures: Mapping[str, float]) -> Optional[Judgement]:
        known = [figures[name] for name in self.beside if name in figures]
        if self.ours not in figures or (self.beside and not known):
            return None
        value, what = figures[self.ours], self.ours
        if known:
            value /= max(known) if self.more_is_better else min(known)
            what = f"{self.ours} / {' or '.join(self.beside)}"
        return Judgement(what, self.unit, value, self.must, self.aim, self.more_is_better)


def faster(ours: str, *beside: str, must=None, aim=None) -> Rule:
    return Rule(ours, beside, must, aim, more_is_better=True)


def sooner(ours: str, *beside: str, must=None, aim=None, unit: str = "x") -> Rule:
    return Rule(ours, beside, must, aim, more_is_better=False, unit=unit)


CLIENT_RULES = [
    sooner("request p50", "request p50 bare socket", must=1.15),
    faster("publish", "publish blast", must=0.6),
    faster("receive", "receive blast", must=0.6),
    sooner("in-process p50", "in-process p50 eventfd chain", must=1.5),
    sooner("in-process p50 spinning", must=5.0, unit="us"),
]

PYTHON_RULES = [
    faster("publish martlet", "publish nats-py", must=3),
    faster("publish martlet.aio", "publish nats-py"),
    faster("receive martlet next_msg", "receive nats-py", must=6),
    faster("receive martlet callback", "receive nats-py", must=6),
    faster("receive martlet iterator", "receive nats-py", must=6),
    faster("receive martlet.aio", "receive nats-py", must=4),
    sooner("request martlet", "request nats-py", must=0.6),
    sooner("request martlet.aio", "request nats-py", must=0.6),
    faster("in-process martlet", "in-process pyzmq", "in-process zenoh", must=1, aim=2),
    sooner("in-process request martlet", "request nats-py", must=0.5),
    sooner("in-process request martlet", "in-process request zenoh", aim=1),
]


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    title: str
    command: tuple[str, ...]
    rules: list[Rule]


@dataclasses.dataclass(frozen=True)
class ProgramResult:
    program: Program
    figures: dict[str, float]
    judgements: list[Judgement]
    problem: str = ""


def known_programs(build: Path) -> list[Program]:
    python = os.environ.get("MARTLET_PYTHON", "")
    script = HERE / "python_bench.py"
    client = build / "bin" / "client_bench"
    return [
        Program("client", "the C++ client, and in-process", (str(client),), CLIENT_RULES),
        Program("python", "the Python package", (python, str(script)), PYTHON_RULES),
    ]


def _environment() -> dict[str, str]:
    """What Python is measured beside (pyzmq, zenoh) stands outside the package's environment."""
    peers = os.environ.get("PYTHON_BENCH_PEERS", "")
    return {**os.environ, "PYTHONPATH": peers} if peers else dict(os.environ)


def problem_of(program: Program) -> str:
    """Why it cannot be run; empty if it can."""
    for word in program.command:
        if not word or not Path(word).is_file():
            return f"not run: {Path(word).name or 'MARTLET_PYTHON'} is not there"
    return ""


def run_program(program: Program, rounds: int, quick: bool, result: Path) -> ProgramResult:
    problem = problem_of(program)
    if problem:
        return ProgramResult(program, {}, [], problem)
    command = [*program.command, "--json", str(result), "--rounds", str(rounds)]
    if quick:
        command += ["--messages", "5000"]
    result.unlink(missing_ok=True)
    try:
        status = subprocess.run(command, timeout=PROGRAM_SECONDS_MAX, env=_environment()).returncode
        if status != 0:
            raise BenchError(f"ended with status {status}")
        figures = json.loads(result.read_text(encoding="utf-8"))
    except (BenchError, OSError, ValueError, subprocess.TimeoutExpired) as error:
        return ProgramResult(program, {}, [], f"failed: {error}")
    judged = [rule.judge(figures) for rule in program.rules]
    unjudged = [rule.ours for rule, found in zip(program.rules, judged) if found is None]
    problem = f"not measured: {', '.join(unjudged)}" if unjudged else ""
    return ProgramResult(program, figures, [one for one in judged if one is not None], problem)
