# SPDX-License-Identifier: Apache-2.0
#
# Owns the transcript format: reads a `*.nats` file into header fields and steps, and turns the
# escapes of a step into bytes or into a pattern. Promises an error with file and line for anything
# it does not understand. Does not talk to a server (player.py does).

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

HEADER_KEYS = {"title", "covers", "config", "flags", "fresh", "budget", "pings"}
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "f": b"\f", "v": b"\v", "\\": b"\\"}


class TranscriptError(Exception):
    """A transcript says something that the format does not know."""


@dataclass(frozen=True)
class Step:
    line: int
    text: str  # the step as written, also the key that differences.toml uses
    verb: str
    names: tuple[str, ...] = ()
    argument: str = ""
    timeout_s: float | None = None


@dataclass
class Transcript:
    name: str
    title: str = ""
    covers: list[str] = field(default_factory=list)
    config: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    fresh: bool = False
    pings_shown: bool = False  # else the player answers the server's PINGs by itself
    budget_s: float = 20.0
    steps: list[Step] = field(default_factory=list)

    def server_key(self) -> tuple[str, tuple[str, ...]]:
        """Transcripts with equal keys may run one after the other on one server."""
        return "\n".join(self.config), tuple(self.flags)


def parse_duration(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text)
    if not match:
        raise TranscriptError(f"not a duration: {text!r}")
    return float(match[1]) / (1000.0 if match[2] == "ms" else 1.0)


# --------------------------------------------------------------------------------------- bytes


@dataclass(frozen=True)
class Literal:
    data: bytes


@dataclass(frozen=True)
class Wildcard:
    pattern: bytes  # a regular expression that never runs over a line's end


WILDCARDS = {
    "?": rb"[^ \t\r\n]+?",  # one word
    "#": rb"[0-9]+?",  # a number
    "~": rb"[^\r\n]*?",  # the rest of a line
}


def parse_bytes(text: str) -> list[Literal | Wildcard]:
    """Turns the escapes of a step into literals and wildcards; see README.md for the list."""
    parts: list[Literal | Wildcard] = []
    pending = bytearray()
    index = 0
    while index < len(text):
        char = text[index]
        if char != "\\":
            pending += char.encode("utf-8")
            index += 1
            continue
        kind = text[index + 1 : index + 2]
        if kind == "x":
            pending.append(int(text[index + 2 : index + 4], 16))
            index += 4
        elif kind in ESCAPES:
            pending += ESCAPES[kind]
            index += 2
        elif kind == "{":
            end = closing_brace(text, index + 2)
            part = parse_braces(text[index + 2 : end])
            if isinstance(part, Literal):
                pending += part.data
            else:
                parts += [Literal(bytes(pending)), part]
                pending.clear()
            index = end + 1
        else:
            raise TranscriptError(f"unknown escape \\{kind}")
    parts.append(Literal(bytes(pending)))
    return [part for part in parts if part != Literal(b"")]


def closing_brace(text: str, index: int) -> int:
    """Braces may stand in braces, so that a repeated command can hold a repeated payload."""
    depth = 1
    while index < len(text):
        if text.startswith("\\{", index):
            depth += 1
            index += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    raise TranscriptError(r"\{ without }")


def parse_braces(inner: str) -> Literal | Wildcard:
    if inner in WILDCARDS:
        return Wildcard(b"(?:" + WILDCARDS[inner] + b")")
    counted = re.fullmatch(r"(.*)\*(\d+)", inner, re.DOTALL)
    if counted:
        return Literal(literal_bytes(counted[1]) * int(counted[2]))
    ranged = re.fullmatch(r"(.*)\*(\d+)\.\.(\d+)", inner, re.DOTALL)
    if ranged:
        first, last = int(ranged[2]), int(ranged[3])
        texts = (ranged[1].replace("%d", str(number)) for number in range(first, last + 1))
        return Literal(b"".join(literal_bytes(text) for text in texts))
    if "|" in inner:
        options = b"|".join(re.escape(literal_bytes(option)) for option in inner.split("|"))
        return Wildcard(b"(?:" + options + b")")
    raise TranscriptError(f"unknown braces {inner!r}")


def literal_bytes(text: str) -> bytes:
    parts = parse_bytes(text)
    if any(isinstance(part, Wildcard) for part in parts):
        raise TranscriptError(f"no wildcard may stand in {text!r}")
    return b"".join(part.data for part in parts if isinstance(part, Literal))


# --------------------------------------------------------------------------------------- steps

STEP_FORMS: list[tuple[str, str]] = [
    # (verb, regular expression); the groups are names and argument
    ("open", r"open (?P<names>\w+)(?: (?P<argument>.+))?"),
    ("connect", r"connect (?P<names>\w+)(?: (?P<argument>\{.*\}))?"),
    ("send", r"(?P<names>\w+)>(?: (?P<argument>.*))?"),
    ("send-raw", r"(?P<names>\w+)>\|(?: (?P<argument>.*))?"),
    ("expect", r"(?P<names>\w+)<(?: (?P<argument>.*))?"),
    ("expect-raw", r"(?P<names>\w+)<\| (?P<argument>.*)"),
    ("expect-any-order", r"(?P<names>\w+)<\? (?P<argument>.*)"),
    ("info", r"(?P<names>\w+) info(?: (?P<argument>\{.*\}))?"),
    ("silent", r"(?P<names>\w+) silent (?P<argument>\S+)"),
    ("closed", r"(?P<names>\w+) closed(?P<argument> after messages)?"),
    ("hangup", r"(?P<names>\w+) hangup"),
    ("finish", r"(?P<names>\w+) finish"),
    ("leave", r"(?P<names>\w+) leave"),
    ("barrier", r"barrier (?P<names>\w+(?: \w+)*)"),
    ("one-of", r"one of (?P<names>\w+(?: \w+)*) < (?P<argument>.*)"),
    ("share", r"share (?P<names>\w+(?: \w+)*) (?P<argument>\d+ least \d+ < .*)"),
    ("get", r"get (?P<argument>\S+ \d+(?: .+)?)"),
    ("wait", r"wait (?P<argument>\S+)"),
]


def parse_step(line_number: int, text: str) -> Step:
    body, timeout_s = text, None
    within = re.fullmatch(r"within (\S+) (.*)", text)
    if within:
        timeout_s, body = parse_duration(within[1]), within[2]
    for verb, form in STEP_FORMS:
        match = re.fullmatch(form, body, re.DOTALL)
        if not match:
            continue
        groups = match.groupdict()
        names = tuple((groups.get("names") or "").split())
        step = Step(line_number, text, verb, names, groups.get("argument") or "", timeout_s)
        check_step(step)
        return step
    raise TranscriptError(f"line {line_number}: no such step: {text!r}")


def check_step(step: Step) -> None:
    """Reads what a step carries once more, so that a slip is told before a server starts."""
    try:
        if step.verb in ("send", "send-raw"):
            literal_bytes(step.argument)
        elif step.verb.startswith("expect") or step.verb == "one-of":
            parse_bytes(step.argument)
        elif step.verb in ("info", "connect") and step.argument:
            json.loads(step.argument)
        elif step.verb in ("silent", "wait"):
            parse_duration(step.argument)
    except (TranscriptError, ValueError) as error:
        raise TranscriptError(f"line {step.line}: {error}") from error


def read_transcript(path: Path) -> Transcript:
    transcript = Transcript(name=path.stem)
    in_header = True
    for number, raw in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        line = raw.rstrip("\r")
        if line.lstrip().startswith("#"):
            continue
        if not line.strip():
            in_header = in_header and not transcript.title
            continue
        try:
            if in_header:
                read_header_line(transcript, line)
            else:
                transcript.steps.append(parse_step(number, line))
        except TranscriptError as error:
            raise TranscriptError(f"{path.name}: {error}") from error
    if not (transcript.title and transcript.covers and transcript.steps):
        raise TranscriptError(f"{path.name}: title, covers and steps are needed")
    return transcript


def read_header_line(transcript: Transcript, line: str) -> None:
    key, colon, value = line.partition(":")
    value = value.strip()
    if not colon or key not in HEADER_KEYS:
        raise TranscriptError(f"no such header: {line!r}")
    if key == "title":
        transcript.title = value
    elif key == "covers":
        transcript.covers += [item.strip() for item in value.split(";")]
    elif key == "config":
        transcript.config.append(value)
    elif key == "flags":
        transcript.flags += value.split()
    elif key == "fresh":
        transcript.fresh = value == "yes"
    elif key == "pings":
        transcript.pings_shown = value == "shown"
    elif key == "budget":
        transcript.budget_s = parse_duration(value)
