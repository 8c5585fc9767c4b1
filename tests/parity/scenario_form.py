# SPDX-License-Identifier: Apache-2.0
"""Owns the form of a scenario (README.md): reads the files, and refuses what a runner could not
know.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODES = ("martlet", "nats_server", "in_process")
SCENARIOS_MIN = 50

PAYLOAD = {"data", "hex", "size"}
MESSAGE = {"subject", "headers"} | PAYLOAD
#: Each step and its fields, beside `do`, `gives` and `until`.
FIELDS: dict[str, set[str]] = {
    "server": {"as", "options", "config", "log"},
    "server_do": {"on", "what"},
    "server_get": {"on", "what", "keys"},
    "server_log": {"on", "has", "timeout_ms"},
    "connect": {"as", "to", "urls", "options"},
    "publish": {"on", "reply", "count"} | MESSAGE,
    "flush": {"on", "timeout_ms"},
    "request": {"on", "timeout_ms"} | MESSAGE,
    "subscribe": {"on", "as", "subject", "queue", "max_messages", "options", "handler", "into"},
    "next": {"on", "count", "sorted", "digest", "timeout_ms"},
    "unsubscribe": {"on", "after"},
    "drain_subscription": {"on"},
    "drop": {"on"},
    "counts": {"on"},
    "inbox": {"on", "as"},
    "statistics": {"on", "keys"},
    "state": {"on"},
    "max_payload": {"on"},
    "rtt": {"on", "timeout_ms"},
    "event": {"on", "timeout_ms"},
    "error": {"on", "status", "timeout_ms"},
    "drain": {"on", "timeout_ms"},
    "close": {"on"},
    "begin": {"as", "step"},
    "end": {"on"},
    "release": {"on"},
}
IN_HANDLER: dict[str, set[str]] = {
    **{verb: FIELDS[verb] for verb in ("publish", "request", "close", "drain", "unsubscribe")},
    "respond": {"headers"} | PAYLOAD,
    "throw": set(),
    "hold": set(),
}


class FormError(Exception):
    """A scenario that is not one."""


@dataclass
class Scenario:
    name: str
    body: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = self.body["steps"]
        return steps

    def reason_not_in(self, mode: str) -> str | None:
        reason: str | None = self.body.get("not_in", {}).get(mode)
        return reason

    def gives(self) -> list[Any]:
        return [step.get("gives", "OK") for step in self.steps]


def read_folder(folder: Path) -> list[Scenario]:
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            check(body)
        except (ValueError, FormError) as error:
            raise FormError(f"{path.name}: {error}") from error
        found.append(Scenario(path.stem, body))
    titles = [scenario.body["title"] for scenario in found]
    twice = {title for title in titles if titles.count(title) > 1}
    if twice:
        raise FormError(f"two scenarios have the title {sorted(twice)}")
    return found


def check(body: Any) -> None:
    if not isinstance(body, dict) or set(body) - {"title", "covers", "not_in", "steps"}:
        raise FormError("it has title, covers, steps and perhaps not_in")
    for key in ("title", "covers"):
        if not isinstance(body.get(key), str) or not body[key].strip():
            raise FormError(f"it has no {key}")
    for mode, reason in body.get("not_in", {}).items():
        if mode not in MODES or not isinstance(reason, str) or not reason.strip():
            raise FormError(f"not_in: {mode!r} is no mode, or has no reason")
    if set(body.get("not_in", {})) == set(MODES):
        raise FormError("it runs in no mode")
    if not body.get("steps"):
        raise FormError("it has no steps")
    for number, step in enumerate(body["steps"], 1):
        check_step(step, f"step {number}", FIELDS)


def check_step(step: Any, where: str, fields: dict[str, set[str]]) -> None:
    verb = step.get("do") if isinstance(step, dict) else None
    if verb not in fields:
        raise FormError(f"{where}: there is no step {verb!r} here")
    unknown = set(step) - fields[verb] - {"do", "gives", "until"}
    if unknown:
        raise FormError(f"{where}: {verb} has no field {sorted(unknown)}")
    for inner in step.get("handler", []):
        check_step(inner, f"{where}, handler", IN_HANDLER)
    if verb == "begin":
        check_step(step["step"], f"{where}, begun", FIELDS)
        if "gives" in step["step"]:
            raise FormError(f"{where}: what a begun step gives is given by end")


def bent(scenario: Scenario) -> Scenario:
    """A copy in which the first payload given as a text is another; what is expected stays."""
    body = copy.deepcopy(scenario.body)
    for step in body["steps"]:
        if step["do"] in ("publish", "request") and step.get("data"):
            step["data"] += "~"
            return Scenario(scenario.name, body)
    raise FormError(f"{scenario.name} has no payload that could be bent")
