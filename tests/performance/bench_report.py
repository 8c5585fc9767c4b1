# SPDX-License-Identifier: Apache-2.0
"""The report of `./dev bench`: a table in Markdown and a plot in SVG.

Owns: how results are written down. Promises: every row that was asked for appears, also one that
could not be measured, with the reason. Does not measure.
"""

from __future__ import annotations

import dataclasses
import math
from html import escape
from typing import Mapping, Optional, Sequence

from bench_programs import ProgramResult
from bench_rows import FLOOR, OURS, THEIRS, Judgement, Row


@dataclasses.dataclass
class RowResult:
    row: Row
    medians: dict[str, dict[str, float]]
    judgements: list[Judgement]
    problems: list[str]
    rounds: int


@dataclasses.dataclass
class Run:
    """Everything that is written down."""

    about: Mapping[str, str]
    rows: Sequence[RowResult]
    programs: Sequence[ProgramResult]


def number(value: Optional[float], unit: str = "") -> str:
    """Three figures that count, with k and M for rates."""
    if value is None:
        return "–"
    if unit == "/s":
        for scale, letter in ((1e6, " M"), (1e3, " k")):
            if abs(value) >= scale:
                return f"{_digits(value / scale)}{letter}/s"
        return f"{_digits(value)} /s"
    return f"{_digits(value)} {unit}".strip()


def _digits(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, 2 - int(math.floor(math.log10(abs(value)))))
    return f"{value:,.{min(decimals, 4)}f}"


UNITS = {"msgs_per_s": "/s", "delivered_per_s": "/s", "p50_us": "us", "p99_us": "us"}
UNITS |= {"start_ms": "ms", "kib_per_conn": "KiB", "seconds_per_million": "s", "slowest_ms": "ms"}


# --- Markdown -----------------------------------------------------------------------------------


def markdown(run: Run) -> str:
    lines = ["# Measurements", ""]
    lines += [f"- **{key}**: {value}" for key, value in run.about.items()]
    if run.rows:
        lines += ["", "## The broker", "", *_broker_table(run.rows)]
        lines += ["", "### Judged", "", *_judged_table(run.rows)]
        lines += ["", "### CPU and memory of the server", "", *_cost_table(run.rows)]
    for result in run.programs:
        lines += ["", f"## {result.program.title[0].upper()}{result.program.title[1:]}"]
        lines += _program_lines(result)
    return "\n".join([*lines, ""])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    alike = ["| " + " | ".join(row) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *alike]


def _broker_table(results: Sequence[RowResult]) -> list[str]:
    rows = []
    for result in results:
        verdicts = [one.verdict for one in result.judgements]
        worst = next((word for word in ("MISSED", "must", "aim") if word in verdicts), "reported")
        note = "; ".join(result.problems)
        rows.append([f"`{result.row.name}` {result.row.title}", *_cells(result, result.row.figure),
                     note if note and not verdicts else f"**{worst}**{'; ' if note else ''}{note}"])
        rows += [
            [f"`{result.row.name}` {key.split('_')[0]}", *_cells(result, key), "**reported**"]
            for key in result.row.reported
        ]
    return _table(["row", *(OURS, THEIRS, FLOOR), f"/ {THEIRS}", f"/ {FLOOR}", "reached"], rows)


def _cells(result: RowResult, key: str) -> list[str]:
    values = {name: found.get(key) for name, found in result.medians.items()}
    shown = [number(values.get(name), UNITS[key]) for name in (OURS, THEIRS, FLOOR)]
    return [*shown, *(_ratio(values.get(OURS), values.get(name)) for name in (THEIRS, FLOOR))]


def _ratio(ours: Optional[float], other: Optional[float]) -> str:
    return f"{ours / other:.2f}" if ours is not None and other else "–"


def _judged_table(results: Sequence[RowResult]) -> list[str]:
    rows = [
        [f"`{result.row.name}`", *_judgement_cells(one)]
        for result in results
        for one in result.judgements
    ]
    return _table(["row", "figure", "measured", "must", "aim", "reached"], rows)


def _judgement_cells(one: Judgement) -> list[str]:
    sign = "≥" if one.more_is_better else "≤"
    bounds = [
        f"{sign} {number(bound, one.unit)}" if bound is not None else "–"
        for bound in (one.must, one.aim)
    ]
    return [one.what, number(one.value, one.unit), *bounds, f"**{one.verdict}**"]


def _cost_table(results: Sequence[RowResult]) -> list[str]:
    rows = []
    for result in results:
        cells = []
        for key, unit in (("cpu_us_per_msg", "us"), ("server_rss_mib", "MiB")):
            for name in (OURS, THEIRS, FLOOR):
                cells.append(number(result.medians.get(name, {}).get(key), unit))
        rows.append([f"`{result.row.name}`", *cells])
    names = (OURS, THEIRS, FLOOR)
    head = [f"CPU per message, {name}" for name in names] + [f"memory, {name}" for name in names]
    return _table(["row", *head], rows)


def _program_lines(result: ProgramResult) -> list[str]:
    lines = []
    if result.judgements:
        head = ["figure", "measured", "must", "aim", "reached"]
        lines += ["", *_table(head, [_judgement_cells(one) for one in result.judgements])]
    if result.problem:
        lines += ["", result.problem]
    if result.figures:
        shown = [[f"`{name}`", number(value)] for name, value in result.figures.items()]
        lines += ["", *_table(["median", "value"], shown)]
    return lines


# --- SVG ----------------------------------------------------------------------------------------

LEFT, RIGHT, TOP, GROUP, BAR = 310, 100, 74, 40, 11
WIDTH = 960
LOW, HIGH = 0.25, 32.0
COLOURS = {OURS: "#1f6feb", FLOOR: "#b7bdc6"}


def _x(times: float) -> float:
    share = math.log(min(max(times, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def svg(run: Run) -> str:
    """How many times better than nats-server: bars for Martlet and the floor, ticks for bounds."""
    drawn = [result for result in run.rows if _times(result, OURS) is not None]
    height = TOP + GROUP * len(drawn) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(12, 22, "Times better than nats-server (logarithmic)", size=15),
        _text(12, 40, run.about.get("machine", ""), fill="#57606a"),
        _text(WIDTH - 12, 22, "a red tick: must, a green one: aim", "end", fill="#57606a"),
    ]
    times = LOW
    while times <= HIGH:
        x = _x(times)
        colour = "#57606a" if times == 1 else "#e4e7eb"
        parts.append(_line(x, TOP - 6, x, height - 14, colour))
        parts.append(_text(x, TOP - 10, f"{times:g}×", anchor="middle", fill="#57606a"))
        times *= 2
    for index, result in enumerate(drawn):
        parts += _group(result, TOP + GROUP * index)
    return "\n".join([*parts, "</svg>", ""])


def _group(result: RowResult, y: float) -> list[str]:
    parts = [_text(LEFT - 10, y + 17, result.row.title, anchor="end")]
    for index, name in enumerate((OURS, FLOOR)):
        times = _times(result, name)
        if times is None:
            continue
        top, end = y + 3 + index * (BAR + 2), _x(times)
        begin = _x(1.0)
        parts.append(
            f'<rect x="{min(begin, end):.1f}" y="{top:.1f}" width="{abs(end - begin):.1f}" '
            f'height="{BAR}" fill="{COLOURS[name]}"/>'
        )
        label = f"{name} {times:.2f}×"
        parts.append(_text(max(begin, end) + 5, top + BAR - 1, label, size=10))
    if result.judgements:
        first = result.judgements[0]
        for bound, colour in ((first.must, "#cf222e"), (first.aim, "#1a7f37")):
            scaled = _bound_times(result, first, bound)
            if scaled is not None:
                x = _x(scaled)
                parts.append(_line(x, y + 1, x, y + 2 * BAR + 7, colour, 2))
    return parts


def _bound_times(result: RowResult, one: Judgement, bound: Optional[float]) -> Optional[float]:
    theirs = result.medians.get(THEIRS, {}).get(result.row.figure)
    if not bound or not theirs:
        return None
    return bound / theirs if one.more_is_better else theirs / bound


def _times(result: RowResult, name: str) -> Optional[float]:
    value = result.medians.get(name, {}).get(result.row.figure)
    theirs = result.medians.get(THEIRS, {}).get(result.row.figure)
    if not value or not theirs:
        return None
    is_rate = UNITS[result.row.figure] == "/s"
    return value / theirs if is_rate else theirs / value


def _text(x, y, text, anchor="start", size=12, fill="#1f2328") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{fill}">{escape(text)}</text>'
    )


def _line(x1, y1, x2, y2, colour, width=1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"/>'
    )
