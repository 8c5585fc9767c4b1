# SPDX-License-Identifier: Apache-2.0
"""Owns the judgement on what a runner wrote: every scenario ran or was rightly skipped, and each
entry of its transcript is what the step is said to give, and what the first runner (C++) got.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scenario_form import Scenario

Line = dict[str, Any]


def read_lines(path: Path) -> tuple[dict[str, Line], list[str]]:
    """What the runner wrote, by scenario, and what is wrong with the file itself."""
    lines: dict[str, Line] = {}
    faults = []
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for number, written in enumerate(text.splitlines(), 1):
        try:
            line = json.loads(written)
            name = line["scenario"]
        except (ValueError, KeyError, TypeError):
            faults.append(f"line {number} of its transcripts cannot be read: {written[:80]!r}")
            continue
        if name in lines:
            faults.append(f"it wrote {name} twice")
        lines[name] = line
    return lines, faults


def differences(
    scenario: Scenario, mode: str, line: Line | None, truth: Line | None
) -> list[str]:
    """What is wrong with one scenario of one runner; `truth` is what the first runner wrote."""
    if line is None:
        return ["it did not run"]
    reason = scenario.reason_not_in(mode)
    if reason is not None:
        return [] if line.get("skipped") == reason else ["it ran, though it is not for this mode"]
    if "skipped" in line:
        return [f"it was skipped: {line['skipped']}"]
    given = line.get("transcript")
    if not isinstance(given, list) or len(given) != len(scenario.steps):
        return [f"it has {len(scenario.steps)} steps, its transcript is {json.dumps(given)[:200]}"]
    found = []
    expected = scenario.gives()
    others = truth.get("transcript") if truth is not None else None
    for number, (step, want, got) in enumerate(zip(scenario.steps, expected, given), 1):
        where = f"step {number} ({step['do']})"
        if not same(got, want):
            found.append(f"{where} gives {shown(got)}, not {shown(want)}")
        if isinstance(others, list) and number <= len(others) and not same(got, others[number - 1]):
            found.append(f"{where} gives {shown(got)}, in C++ {shown(others[number - 1])}")
    return found


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 400 else text[:400] + " …"
