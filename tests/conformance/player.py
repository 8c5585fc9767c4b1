# SPDX-License-Identifier: Apache-2.0
#
# Owns the playing of one transcript against one running server: its connections and its steps.
# Promises that every wait ends, and that at the end no connection holds a byte nobody expected.
# Does not start servers and does not decide which transcripts run (run.py does).

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from typing import Any

from differences import Differences
from matching import NO, WAIT, BytePattern, json_difference
from transcript import Step, Transcript, literal_bytes, parse_duration
from wire import Wire

STEP_SECONDS = 5.0
CLOSE_SECONDS = 2.0
SHOWN_BYTES_MAX = 400
ERROR = b"-ERR '"
PING = b"PING\r\n"


class Failure(Exception):
    """What came is not what the transcript expects."""


def shown(data: bytes) -> str:
    extra = f" … ({len(data)} bytes)" if len(data) > SHOWN_BYTES_MAX else ""
    return repr(data[:SHOWN_BYTES_MAX])[1:] + extra


class Player:
    """Lifecycle: made, played once, closed. One thread."""

    def __init__(
        self,
        transcript: Transcript,
        port: int,
        monitoring_url: str | None,
        split: bool,
        differences: Differences,
    ) -> None:
        self.transcript = transcript
        self.port = port
        self.monitoring_url = monitoring_url
        self.split = split
        self.differences = differences
        self.wires: dict[str, Wire] = {}
        self.left: set[str] = set()
        self.deadline = time.monotonic() + transcript.budget_s

    # ----------------------------------------------------------------------------- the whole

    def play(self) -> None:
        steps = self.transcript.steps
        index = 0
        while index < len(steps):
            step = steps[index]
            group = [step]
            if step.verb == "expect-any-order":
                while steps[index + len(group) : index + len(group) + 1] and (
                    steps[index + len(group)].verb == step.verb
                    and steps[index + len(group)].names == step.names
                ):
                    group.append(steps[index + len(group)])
            try:
                self.run_step(group)
            except Failure as failure:
                raise Failure(f"line {step.line}: {step.text[:120]}\n      {failure}") from failure
            index += len(group)
        self.check_the_end()

    def run_step(self, group: list[Step]) -> None:
        step = group[0]
        if time.monotonic() > self.deadline:
            raise Failure(f"the transcript's budget of {self.transcript.budget_s} s is spent")
        if step.verb == "expect-any-order":
            self.expect_any_order(group)
            return
        method = getattr(self, "on_" + step.verb.replace("-", "_"))
        method(step)

    def check_the_end(self) -> None:
        """A connection that is still open must answer a PING with nothing before the PONG."""
        for name, wire in self.wires.items():
            if name in self.left:
                continue
            wire.send(b"PING\r\n", STEP_SECONDS)
            try:
                self.expect_bytes(wire, BytePattern("PONG", line_end=True), STEP_SECONDS)
                while self.answer_ping(wire):
                    pass
                if wire.buffer:
                    raise Failure(f"more came: {shown(wire.buffer)}")
            except Failure as failure:
                raise Failure(f"at the end, connection {name}: {failure}") from failure

    def close(self) -> None:
        """Ends every connection and waits until the server has seen it."""
        for wire in self.wires.values():
            wire.finish()
        deadline = time.monotonic() + CLOSE_SECONDS
        for wire in self.wires.values():
            while not wire.closed_by_server and wire.fill(deadline):
                wire.buffer = b""
            wire.close()
        self.wires.clear()

    # ---------------------------------------------------------------------------- connections

    def wire(self, step: Step) -> Wire:
        try:
            return self.wires[step.names[0]]
        except KeyError:
            raise Failure(f"no connection {step.names[0]!r}") from None

    def on_open(self, step: Step) -> None:
        words = step.argument.split()
        receive_buffer_bytes = int(words[1]) if words[:1] == ["receiving"] else None
        if step.argument not in ("", "without info") and receive_buffer_bytes is None:
            raise Failure(f"unknown way to open: {step.argument!r}")
        name = step.names[0]
        if name in self.wires:
            raise Failure(f"connection {name!r} is open already")
        self.wires[name] = Wire(self.port, self.split, receive_buffer_bytes)
        self.left.discard(name)
        if step.argument != "without info":
            self.expect_info(self.wires[name], {})

    def on_connect(self, step: Step) -> None:
        self.on_open(Step(step.line, step.text, "open", step.names))
        options: dict[str, Any] = {"verbose": False, "pedantic": False}
        options.update(json.loads(step.argument or "{}"))
        wire = self.wire(step)
        wire.send(f"CONNECT {json.dumps(options)}\r\n".encode(), STEP_SECONDS)
        if options["verbose"]:
            self.expect_bytes(wire, BytePattern("+OK", line_end=True), STEP_SECONDS)
        self.ping(wire)
        if options.get("protocol", 0) >= 1:
            self.expect_info(wire, {"connect_info": True})

    def ping(self, wire: Wire) -> None:
        wire.send(b"PING\r\n", STEP_SECONDS)
        self.expect_bytes(wire, BytePattern("PONG", line_end=True), STEP_SECONDS)

    def on_barrier(self, step: Step) -> None:
        for name in step.names:
            self.ping(self.wire(Step(step.line, step.text, "barrier", (name,))))

    def on_hangup(self, step: Step) -> None:
        self.wire(step).close()
        del self.wires[step.names[0]]

    def on_finish(self, step: Step) -> None:
        self.wire(step).finish()

    def on_leave(self, step: Step) -> None:
        self.left.add(step.names[0])

    def on_closed(self, step: Step) -> None:
        wire = self.wire(step)
        deadline = time.monotonic() + (step.timeout_s or STEP_SECONDS)
        while wire.fill(deadline):
            if step.argument:
                self.refuse_error(wire)
                wire.buffer = wire.buffer[-len(ERROR) :]
        if wire.buffer and not step.argument:
            raise Failure(f"before the close came {shown(wire.buffer)}")
        if not wire.closed_by_server:
            raise Failure("the server did not close the connection")
        wire.close()
        del self.wires[step.names[0]]

    def refuse_error(self, wire: Wire) -> None:
        if ERROR in wire.buffer:
            raise Failure(f"before the close came {shown(wire.buffer[wire.buffer.index(ERROR):])}")

    # ---------------------------------------------------------------------------- sending

    def on_send(self, step: Step) -> None:
        self.wire(step).send(literal_bytes(step.argument) + b"\r\n", STEP_SECONDS)

    def on_send_raw(self, step: Step) -> None:
        self.wire(step).send(literal_bytes(step.argument), STEP_SECONDS)

    # ---------------------------------------------------------------------------- expecting

    def on_expect(self, step: Step) -> None:
        pattern = BytePattern(step.argument, line_end=True)
        self.expect_bytes(self.wire(step), pattern, step.timeout_s or STEP_SECONDS)

    def on_expect_raw(self, step: Step) -> None:
        pattern = BytePattern(step.argument, line_end=False)
        self.expect_bytes(self.wire(step), pattern, step.timeout_s or STEP_SECONDS)

    def expect_bytes(self, wire: Wire, pattern: BytePattern, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        while True:
            result = pattern.match(wire.buffer)
            if isinstance(result, int):
                return wire.take(result)
            if result == NO:
                if self.answer_ping(wire):
                    continue
                raise Failure(f"came {shown(wire.buffer)}")
            if not wire.fill(deadline):
                raise Failure(self.describe_end(wire))

    def answer_ping(self, wire: Wire) -> bool:
        """The server asks after two seconds; a slow machine must not make a transcript fail. Called
        when what has come does not fit, so that a payload that looks like a PING stays one."""
        start = 0 if wire.buffer.startswith(PING) else wire.buffer.find(b"\n" + PING) + 1
        if self.transcript.pings_shown or not wire.buffer.startswith(PING, start):
            return False
        wire.buffer = wire.buffer[:start] + wire.buffer[start + len(PING) :]
        wire.send(b"PONG\r\n", STEP_SECONDS)
        return True

    def describe_end(self, wire: Wire) -> str:
        ending = "the server closed" if wire.closed_by_server else "nothing more came"
        return f"{ending}; before that came {shown(wire.buffer)}"

    def expect_any_order(self, group: list[Step]) -> None:
        wire = self.wire(group[0])
        deadline = time.monotonic() + STEP_SECONDS
        waiting = [BytePattern(step.argument, line_end=True) for step in group]
        while waiting:
            results = [pattern.match(wire.buffer) for pattern in waiting]
            hit = next((i for i, result in enumerate(results) if isinstance(result, int)), None)
            if hit is not None:
                wire.take(int(results[hit]))
                del waiting[hit]
            elif WAIT not in results:
                if self.answer_ping(wire):
                    continue
                raise Failure(f"none of the {len(waiting)} left: came {shown(wire.buffer)}")
            elif not wire.fill(deadline):
                raise Failure(f"{len(waiting)} left: {self.describe_end(wire)}")

    def on_silent(self, step: Step) -> None:
        wire = self.wire(step)
        deadline = time.monotonic() + parse_duration(step.argument)
        while wire.fill(deadline):
            self.answer_ping(wire)
        if wire.buffer or wire.closed_by_server:
            raise Failure(self.describe_end(wire))

    def on_info(self, step: Step) -> None:
        wire = self.wire(step)
        deadline = time.monotonic() + (step.timeout_s or STEP_SECONDS)
        actual = self.read_info(wire, deadline)
        self.compare_json(step, json.loads(step.argument or "{}"), actual)

    def expect_info(self, wire: Wire, expected: dict[str, Any]) -> None:
        actual = self.read_info(wire, time.monotonic() + STEP_SECONDS)
        difference = json_difference(expected, actual)
        if difference:
            raise Failure(difference)

    def read_info(self, wire: Wire, deadline: float) -> dict[str, Any]:
        while b"\n" not in wire.buffer:
            if not wire.fill(deadline):
                raise Failure(f"no INFO: {self.describe_end(wire)}")
        if self.answer_ping(wire):
            return self.read_info(wire, deadline)
        line = wire.take(wire.buffer.index(b"\n") + 1)
        match = re.fullmatch(rb"INFO (\{.*\}) \r\n", line)
        if not match:
            raise Failure(f"not an INFO: {shown(line)}")
        actual = json.loads(match[1])
        if not isinstance(actual, dict):
            raise Failure(f"INFO is not an object: {shown(line)}")
        return actual

    def compare_json(self, step: Step, expected: Any, actual: Any) -> None:
        """Where differences.toml allows another value, the value of nats-server is an error."""
        difference = json_difference(expected, actual)
        allowed = self.differences.find(self.transcript.name, step.text)
        if allowed is None:
            if difference:
                raise Failure(difference)
            return
        if difference is None:
            raise Failure("differences.toml has an entry for this step that is not needed")
        instead = json_difference(allowed.instead, actual)
        if instead:
            raise Failure(f"{instead} (expected so by differences.toml)")

    # ---------------------------------------------------------------------------- several receivers

    def collect(self, wire: Wire) -> bytes:
        """Everything that comes before the PONG."""
        wire.send(b"PING\r\n", STEP_SECONDS)
        deadline = time.monotonic() + STEP_SECONDS
        while not wire.buffer.endswith(b"PONG\r\n"):
            if not wire.fill(deadline):
                raise Failure(self.describe_end(wire))
        while self.answer_ping(wire):
            pass
        return wire.take(len(wire.buffer))[: -len(b"PONG\r\n")]

    def collect_named(self, step: Step) -> dict[str, bytes]:
        collected = {}
        for name in step.names:
            wire = self.wire(Step(step.line, step.text, step.verb, (name,)))
            collected[name] = self.collect(wire)
        return collected

    def on_one_of(self, step: Step) -> None:
        pattern = BytePattern(step.argument, line_end=True)
        collected = self.collect_named(step)
        receivers = [name for name, data in collected.items() if data]
        if len(receivers) != 1:
            raise Failure(f"received by {receivers or 'nobody'}")
        data = collected[receivers[0]]
        if pattern.match(data) != len(data):
            raise Failure(f"{receivers[0]} received {shown(data)}")

    def on_share(self, step: Step) -> None:
        """So many messages in all, and each receiver (or each alternative) at least so many."""
        numbers, _, text = step.argument.partition(" < ")
        total, least = (int(word) for word in numbers.split(" least "))
        pattern = BytePattern(text, line_end=True)
        counts: dict[tuple[str, bytes], int] = {}
        for name, data in self.collect_named(step).items():
            rest = data
            while rest:
                length = pattern.match(rest)
                if not isinstance(length, int):
                    raise Failure(f"{name} received {shown(rest)}")
                key = (name, rest[:length])
                counts[key] = counts.get(key, 0) + 1
                rest = rest[length:]
        alternatives = max(text.count("|") + 1, 1) * len(step.names)
        if sum(counts.values()) != total:
            raise Failure(f"{sum(counts.values())} messages came, not {total}: {counts}")
        if len(counts) != alternatives or min(counts.values()) < least:
            raise Failure(f"unfair: {counts}")

    # ---------------------------------------------------------------------------- others

    def on_wait(self, step: Step) -> None:
        time.sleep(parse_duration(step.argument))

    def on_get(self, step: Step) -> None:
        """Asks again until the answer fits or the time is over."""
        path, status, *rest = step.argument.split(" ", 2)
        deadline = time.monotonic() + (step.timeout_s or STEP_SECONDS)
        if self.monitoring_url is None:
            raise Failure("the server has no monitoring port")
        url = self.monitoring_url.rstrip("/") + path
        while True:
            try:
                got_status, body = http_get(url)
                if got_status != int(status):
                    raise Failure(f"status {got_status}, not {status}")
                if rest:
                    self.compare_json(step, json.loads(rest[0]), json.loads(body))
                return
            except Failure:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def http_get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=STEP_SECONDS) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, ValueError) as error:
        raise Failure(f"GET {url}: {error}") from error
