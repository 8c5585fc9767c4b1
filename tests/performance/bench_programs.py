# SPDX-License-Identifier: Apache-2.0
"""The rows of our own clients: programs that measure themselves beside their peers.

Owns: how client_rates (C++ over TCP), in_process_latency (C++ inside one process) and those of the
packages (python_bench.py, node_bench.mjs, Benchmark.java, Measure.cs) are run and read, and the
rule for each of their figures. Promises: a program that is not there is named in the report, not
passed over.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Mapping, Optional

from bench_rows import OURS, ROWS, Judgement
from bench_servers import HERE, BenchError, Contestants

PROGRAM_SECONDS_MAX = 900
# `publish 128 B    bare  1.234 M/s   ours  1.000 M/s   ratio 0.81`
CLIENT_LINE = re.compile(
    r"^(?P<name>\S.*?)\s+bare\s+(?P<bare>[\d.]+) (?P<unit>\S+)\s+ours\s+(?P<ours>[\d.]+) \S+\s"
)


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
        known = [figures[name] for name in self.beside if figures.get(name)]
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


#: The rows of blast that the C++ client is held against, by the names of its own figures.
CLIENT_BLASTS = {"publish 128 B, blast": "pub128", "receive 128 B, blast": "fan128"}
RUNS = ("driven by caller", "own thread")

CLIENT_RULES = [
    faster("publish 128 B", "publish 128 B, blast", must=0.6),
    *(faster(f"receive 128 B, {run}", "receive 128 B, blast", must=0.6) for run in RUNS),
    faster("publish 128 B", "publish 128 B, bare socket"),
    *(faster(f"receive 128 B, {run}", f"receive 128 B, {run}, bare socket") for run in RUNS),
    sooner("request p50, driven by caller", "request p50, driven by caller, bare socket",
           must=1.15),
    sooner("request p50, own thread", "request p50, own thread, bare socket"),
    sooner("publish and receive in turn, p99", "publish and receive in turn, p99, bare socket"),
]

IN_PROCESS_RULES = [
    sooner("publish to callback p50", "eventfd chain p50", must=1.5),
    sooner("publish to callback p50, spinning", must=5.0, unit="us"),
]

#: How late a timer of 5 ms is while messages flood its loop. No must: it is the machine's doing as
#: much as ours.
TIMERS_MS_AIM = 20.0


def timers_in_time(*contestants: str) -> list[Rule]:
    return [
        sooner(f"timers of a busy loop, {figure} {contestant}", aim=TIMERS_MS_AIM, unit="ms")
        for contestant in contestants
        for figure in ("largest", "p99")
    ]


def nothing_left(contestant: str, must: Optional[float] = 0) -> list[Rule]:
    return [
        sooner(f"{what} left by 100 starts {contestant}", must=must, unit=what)
        for what in ("threads", "descriptors")
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
    faster("in-process martlet", "child nats-server, nats-py"),
    sooner("in-process request martlet", "child request nats-server, nats-py", must=0.5),
    sooner("in-process start martlet", "child start nats-server", must=0.5),
    *nothing_left("martlet"),
    *nothing_left("zenoh", must=None),
    *timers_in_time("iterator martlet.aio", "callback martlet.aio"),
]


def instead_of_a_child(peer: str) -> list[Rule]:
    """A broker in the process beside what users have today: nats-server as a child, and `peer`."""
    return [
        faster("in-process martlet", f"child nats-server, {peer}", must=2),
        sooner("in-process request martlet", f"child request nats-server, {peer}", must=0.5),
        sooner("in-process start martlet", "child start nats-server", must=0.5),
    ]


NODE_RULES = [
    faster("publish martlet", "publish nats.js", must=2.5),
    faster("callback martlet", "callback nats.js", must=5),
    faster("iterator martlet", "iterator nats.js", must=4),
    sooner("request martlet", "request nats.js", must=0.7),
    *instead_of_a_child("nats.js"),
    faster("in-process martlet", "in-process aedes", "in-process zeromq.js"),
    sooner("in-process request martlet", "in-process request aedes", aim=1),
    sooner("in-process request martlet", "in-process request zeromq.js"),
    *nothing_left("martlet"),
    *nothing_left("zeromq.js", must=None),
    *timers_in_time("callback martlet", "iterator martlet"),
]

#: Brokers that a program of Java carries inside itself.
JAVA_PEERS = ("artemis", "moquette")
JAVA_RULES = [
    faster("publish martlet", "publish jnats", must=1.5),
    faster("callback martlet", "callback jnats", must=2),
    faster("nextMessage martlet", "nextMessage jnats", must=2),
    sooner("request martlet", "request jnats", must=0.8),
    *instead_of_a_child("jnats"),
    *(faster("in-process martlet", f"in-process {peer}") for peer in JAVA_PEERS),
    *(sooner("in-process request martlet", f"in-process request {peer}") for peer in JAVA_PEERS),
]

#: NATS.Net needs a younger .NET: C# is measured beside our own C++ client.
CSHARP_RULES = [
    faster("publish C#", "publish C++", must=0.5),
    faster("callback C#", "receive C++", must=0.5),
    faster("await foreach C#", "receive C++", must=0.5),
    sooner("request C#", "request C++", must=1.5),
    faster("in-process C#", "in-process C++", must=0.5),
    sooner("in-process request C#", "child request nats-server, C#", must=0.5),
    sooner("in-process request C#", "in-process request C++"),
    sooner("in-process start C#", "child start nats-server", must=0.5),
]

#: The variable that makes a program's command whole.
VARIABLES = {"python": "MARTLET_PYTHON", "node": "NATS_JS_MODULES", "java": "MARTLET_JAVA_BENCH",
             "csharp": "CSHARP_DOTNET"}


@dataclasses.dataclass(frozen=True)
class Program:
    """`{port}`, `{messages}`, `{rounds}` and `{result}` in the command are filled in. Its figures
    are in the result file if the command names one, else in the lines that it prints."""

    name: str
    title: str
    command: tuple[str, ...]
    rules: list[Rule]
    messages: int = 200_000
    messages_quick: int = 5_000
    blasts: Mapping[str, str] = dataclasses.field(default_factory=dict)  # Figure -> row of blast.


@dataclasses.dataclass(frozen=True)
class ProgramResult:
    program: Program
    figures: dict[str, float]
    judgements: list[Judgement]
    problem: str = ""


def known_programs(build: Path) -> list[Program]:
    python = os.environ.get("MARTLET_PYTHON", "")
    java_classes = os.environ.get("MARTLET_JAVA_BENCH", "")
    java = shutil.which("java") or "java" if java_classes else ""
    csharp = tuple(os.environ.get("CSHARP_DOTNET", "").split()) or ("",)
    node = shutil.which("node") or "node" if os.environ.get("NATS_JS_MODULES") else ""
    return [
        Program("client", "the C++ client over TCP",
                (str(build / "bin" / "client_rates"), "127.0.0.1", "{port}", "{messages}",
                 "{rounds}"), CLIENT_RULES, messages=1_000_000, blasts=CLIENT_BLASTS),
        Program("in_process", "the C++ client inside one process",
                (str(build / "bin" / "in_process_latency"), "--rounds", "{rounds}", "--messages",
                 "{messages}", "--json", "{result}"), IN_PROCESS_RULES, messages=20_000,
                messages_quick=1_000),
        Program("python", "the Python package",
                (python, str(HERE / "python_bench.py"), "--rounds", "{rounds}", "--messages",
                 "{messages}", "--json", "{result}"), PYTHON_RULES),
        Program("node", "the Node package",
                (node, str(HERE / "node_bench.mjs"), "--rounds", "{rounds}", "--messages",
                 "{messages}", "--json", "{result}"), NODE_RULES, messages=1_000_000),
        Program("java", "the Java package",
                (java, "-cp", java_classes, "io.martlet.Benchmark", "--server",
                 "nats://127.0.0.1:{port}", "--rounds", "{rounds}", "--messages", "{messages}",
                 "--json", "{result}"), JAVA_RULES),
        Program("csharp", "the C# package",
                (_found(csharp[0]), *csharp[1:], "measure", "--server", "nats://127.0.0.1:{port}",
                 "--rounds", "{rounds}", "--messages", "{messages}", "--beside",
                 str(build / "bin"), "--json", "{result}"), CSHARP_RULES, messages=1_000_000),
    ]


def _found(program: str) -> str:
    return shutil.which(program) or program


def problem_of(program: Program) -> str:
    """Why it cannot be run; empty if it can."""
    for word in program.command[:1] + tuple(w for w in program.command[1:] if w.endswith(".py")):
        if not word or not Path(word).is_file():
            return f"not run: {Path(word).name or VARIABLES[program.name]} is not there"
    return ""


def run_program(program: Program, contestants: Contestants, rounds: int, quick: bool,
                result: Path) -> ProgramResult:
    problem = problem_of(program)
    if problem:
        return ProgramResult(program, {}, [], problem)
    values = {"rounds": rounds, "result": result,
              "messages": program.messages_quick if quick else program.messages}
    result.unlink(missing_ok=True)
    try:
        with contextlib.ExitStack() as stack:
            beside: dict[str, float] = {}
            if any("{port}" in word for word in program.command):
                server = stack.enter_context(contestants.running(OURS, []))
                values["port"] = server.port
                beside = _blasts(program, contestants, server, rounds, int(values["messages"]))
            figures = _figures([word.format(**values) for word in program.command], result)
            figures |= beside
    except (BenchError, OSError, ValueError, subprocess.SubprocessError) as error:
        return ProgramResult(program, {}, [], f"failed: {error}")
    judged = [rule.judge(figures) for rule in program.rules]
    unjudged = [rule.ours for rule, found in zip(program.rules, judged) if found is None]
    problem = f"not measured: {', '.join(unjudged)}" if unjudged else ""
    return ProgramResult(program, figures, [one for one in judged if one is not None], problem)


def _blasts(program: Program, contestants: Contestants, server, rounds: int, messages: int
            ) -> dict[str, float]:
    """What blast reaches on the server that the program is about to be measured on: medians."""
    found = {}
    for name, row in program.blasts.items():
        rates = [
            contestants.blast_at(ROWS[row], server, messages)[ROWS[row].figure]
            for _ in range(rounds)
        ]
        found[name] = statistics.median(rates)
        print(f"    {name} ({row}): {found[name] / 1e6:.3f} M/s", flush=True)
    return found


def _figures(command: list[str], result: Path) -> dict[str, float]:
    printed = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment()) as one:
        try:
            for line in one.stdout:
                print(f"    {line.rstrip()}", flush=True)
                printed.append(line)
            status = one.wait(PROGRAM_SECONDS_MAX)
        except BaseException:
            one.kill()
            raise
    if status != 0:
        raise BenchError(f"ended with status {status}")
    if str(result) in command:
        return json.loads(result.read_text(encoding="utf-8"))
    return client_figures(printed)


def client_figures(lines: list[str]) -> dict[str, float]:
    found = {}
    for line in lines:
        match = CLIENT_LINE.match(line)
        if match:
            name = match["name"]
            scale = {"M/s": 1e6, "k/s": 1e3}.get(match["unit"], 1.0)
            found[name] = float(match["ours"]) * scale
            found[f"{name}, bare socket"] = float(match["bare"]) * scale
    return found


def _environment() -> dict[str, str]:
    """What Python is measured beside (pyzmq, zenoh) stands outside the package's environment."""
    peers = os.environ.get("PYTHON_BENCH_PEERS", "")
    return {**os.environ, "PYTHONPATH": peers} if peers else dict(os.environ)
