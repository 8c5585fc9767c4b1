# SPDX-License-Identifier: Apache-2.0
"""The rows of `./dev bench` and the rule by which each is judged.

Owns: what is measured (the arguments of blast), what a figure must reach and what it aims at.
Promises: everything here is a table or a pure function of medians. Does not run anything.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Mapping, Optional

OURS, THEIRS, FLOOR = "martlet", "nats-server", "floor"

#: Contestant -> what was measured (the median of its rounds), by the names of blast's report.
Medians = Mapping[str, Mapping[str, float]]


@dataclasses.dataclass(frozen=True)
class Judgement:
    """One figure of ours beside what it must and should be. None: no such bound."""

    what: str
    unit: str
    value: float
    must: Optional[float] = None
    aim: Optional[float] = None
    more_is_better: bool = False

    def reaches(self, bound: Optional[float]) -> bool:
        if bound is None:
            return True
        return self.value >= bound if self.more_is_better else self.value <= bound

    @property
    def verdict(self) -> str:
        if not self.reaches(self.must):
            return "MISSED"
        if self.aim is not None and self.reaches(self.aim):
            return "aim"
        if self.must is not None:
            return "must"
        return "reported" if self.aim is None else "below the aim"


@dataclasses.dataclass(frozen=True)
class Row:
    """One run of blast for each contestant; `{count}` is scaled to the time a run should last."""

    name: str
    arguments: str
    count: int
    title: str
    judge: Callable[["Row", Medians, Mapping[str, Medians]], list[Judgement]]
    figure: str = "msgs_per_s"
    reported: tuple[str, ...] = ()  # More figures of blast's that the table shows for each.
    factor: float = 0.0  # B: what nats-server's rate is multiplied by.
    aim_factor: float = 0.0
    has_floor: bool = True
    memory_mib_must: float = 0.0
    memory_mib_aim: float = 0.0
    beside: tuple[str, float] = ("", 0.0)  # Another row of ours and the share of it to reach.
    pinned: bool = False
    rounds_min: int = 3
    scaled: bool = True

    def command(self, count: int, port: int) -> list[str]:
        mode, *rest = self.arguments.format(count=count).split()
        return [mode, "127.0.0.1", str(port), *rest]


# --- the rules ----------------------------------------------------------------------------------


def rate_bounds(row: Row, theirs: float, floor: Optional[float]) -> tuple[float, float]:
    """What a rate must reach, and the aim."""
    if floor is None:
        must = row.factor * theirs
        return must, max(must, row.aim_factor * theirs)
    must = max(1.2 * theirs, min(row.factor * theirs, 0.5 * floor))
    return must, max(must, 0.75 * floor)


def judge_rate(row: Row, medians: Medians, others: Mapping[str, Medians]) -> list[Judgement]:
    ours = medians[OURS]
    floor = medians[FLOOR][row.figure] if row.has_floor else None
    must, rate_aim = rate_bounds(row, medians[THEIRS][row.figure], floor)
    found = [Judgement("rate", "/s", ours[row.figure], must, rate_aim, more_is_better=True)]
    if row.memory_mib_must:
        aim = row.memory_mib_aim or None
        found.append(
            Judgement("memory", "MiB", ours["server_rss_mib"], row.memory_mib_must, aim)
        )
    name, share = row.beside
    if name in others and OURS in others[name]:
        bound = share * others[name][OURS][row.figure]
        what = f"rate, {share} of {name}"
        found.append(Judgement(what, "/s", ours[row.figure], bound, None, more_is_better=True))
    return found


def judge_rtt(row: Row, medians: Medians, others: Mapping[str, Medians]) -> list[Judgement]:
    ours, theirs, floor = medians[OURS], medians[THEIRS], medians[FLOOR]
    must = max(0.8 * theirs["p50_us"], 1.1 * floor["p50_us"])
    cpu_must = 0.6 * theirs["cpu_us_per_msg"]
    return [
        Judgement("p50", "us", ours["p50_us"], must),
        Judgement("CPU per request", "us", ours["cpu_us_per_msg"], cpu_must),
        Judgement("p99", "us", ours["p99_us"]),
    ]


def judge_idle(row: Row, medians: Medians, others: Mapping[str, Medians]) -> list[Judgement]:
    return [Judgement("each connection", "KiB", medians[OURS]["kib_per_conn"], 6.0, 3.0)]


def judge_start(row: Row, medians: Medians, others: Mapping[str, Medians]) -> list[Judgement]:
    ours, theirs = medians[OURS], medians[THEIRS]
    return [
        Judgement("exec to INFO", "ms", ours["start_ms"], 0.6 * theirs["start_ms"], 2.5),
        Judgement("memory", "MiB", ours["server_rss_mib"], 8.0, 6.0),
    ]


def judge_subs(row: Row, medians: Medians, others: Mapping[str, Medians]) -> list[Judgement]:
    # The bound is for the whole million; a shorter run is judged by its share.
    return [Judgement("seconds for a million", "s", medians[OURS]["seconds_per_million"], 3.0)]


def judge_flood(row: Row, medians: Medians, others: Mapping[str, Medians]) -> list[Judgement]:
    return [Judgement("slowest answer to another", "ms", medians[OURS]["slowest_ms"], 100.0)]


# --- the rows -----------------------------------------------------------------------------------

MILLION = 1_000_000

#: Rows that blast measures.
BLAST_ROWS = [
    Row("pub16", "pub 1 {count} 16", 5 * MILLION, "publish 16 B, nobody listening", judge_rate,
        factor=3),
    Row("pub128", "pub 1 {count} 128", 5 * MILLION, "publish 128 B, nobody listening", judge_rate,
        factor=3),
    Row("fan16", "fan 1 1 {count} 16", 3 * MILLION, "1 to 1, 16 B", judge_rate, factor=3.5),
    Row("fan128", "fan 1 1 {count} 128", 3 * MILLION, "1 to 1, 128 B", judge_rate, factor=3),
    Row("fan4k", "fan 1 1 {count} 4096", 300_000, "1 to 1, 4 KiB", judge_rate, factor=1.5),
    Row("fan64k", "fan 1 1 {count} 65536", 30_000, "1 to 1, 64 KiB", judge_rate, factor=1.2),
    Row("fan1m", "fan 1 1 {count} 1048576", 2_000, "1 to 1, 1 MiB", judge_rate, factor=1.2),
    Row("fan1x8", "fan 1 8 {count} 128", 500_000, "1 to 8, 128 B, deliveries", judge_rate,
        figure="delivered_per_s", factor=4),
    Row("fan2x1", "fan 2 1 {count} 128", 3 * MILLION, "2 to 1, 128 B", judge_rate, factor=3,
        beside=("fan128", 0.9)),
    Row("fan10x10", "fan 10 10 {count} 128", 200_000, "10 to 10, 128 B, deliveries", judge_rate,
        figure="delivered_per_s", factor=3),
    Row("fan100x10", "fan 100 10 {count} 128", 200_000, "100 to 10, 128 B, deliveries", judge_rate,
        figure="delivered_per_s", factor=3, beside=("fan10x10", 0.9)),
    Row("queue", "queue 2 4 {count} 128", MILLION, "2 publishers, one group of 4, 128 B",
        judge_rate, factor=2.5, has_floor=False),
    Row("wild100k", "wild 100000 {count} 64", MILLION, "100,000 wildcard subscriptions", judge_rate,
        factor=5, aim_factor=10, has_floor=False, memory_mib_must=40),
    Row("wild1m", "wild 1000000 {count} 64", MILLION, "1,000,000 wildcard subscriptions",
        judge_rate, factor=5, has_floor=False, memory_mib_must=250, memory_mib_aim=150),
    Row("rtt", "rtt {count} 64", 20_000, "request and reply, one core each", judge_rtt,
        figure="p50_us", reported=("p99_us",), pinned=True, rounds_min=5),
    Row("idle", "idle {count}", 10_000, "10,000 connections, one subscription each", judge_idle,
        figure="kib_per_conn", has_floor=False, scaled=False),
]

#: Rows with a measurement of their own (bench_single.py). nats-server is measured beside.
SINGLE_ROWS = [
    Row("start", "", 1, "exec to first INFO", judge_start, figure="start_ms", rounds_min=5),
    Row("subs", "", MILLION, "1,000,000 SUBs under one parent", judge_subs,
        figure="seconds_per_million", has_floor=False),
]

#: The same for scenarios of tests/robustness, by their names: what another client sees of them.
FLOOD_ROWS = [
    Row(name, "", 1, title, judge_flood, figure="slowest_ms", has_floor=False, rounds_min=1)
    for name, title in [
        ("slow_reader", "three consumers never read, beside two that do"),
        ("slow_writer", "300 publishers that write byte by byte"),
        ("half_open", "500 clients gone without a goodbye"),
        ("churn", "connections that come and go, in mid-word too"),
        ("queue_groups", "100,000 queue groups on one subject"),
        ("million_tokens", "a million tokens in one subject"),
        ("subscription_flood", "400,000 subscriptions at once, twice"),
    ]
]

ROWS = {row.name: row for row in [*BLAST_ROWS, *SINGLE_ROWS, *FLOOD_ROWS]}
