# SPDX-License-Identifier: Apache-2.0
"""Who takes part beside the publisher: processes with other people's clients, and Martlet's own
client on connections that never leave this process.

Owns: starting them, hearing how far each is, ending them. Promises: `stop` leaves no process; who
ends early or says nothing in time is named in a ParticipantError. Does not check what they got.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Callable, Sequence

import martlet
from tally import MARKS, Tally

HERE = Path(__file__).resolve().parent
STOP_SECONDS_MAX = 5.0


class ParticipantError(Exception):
    """A participant failed; the text names it."""


class Meter:
    """How far everybody is. One for the run; any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.messages: dict[str, int] = {}
        self.ready: set[str] = set()
        self.results: dict[str, dict] = {}
        self.failures: list[str] = []

    def note(self, change: Callable[["Meter"], None]) -> None:
        with self._changed:
            change(self)
            self._changed.notify_all()

    def progress(self, name: str, messages: int) -> None:
        self.note(lambda meter: meter.messages.update({name: messages}))

    def wait(self, condition: Callable[["Meter"], bool], seconds_max: float, what: str) -> None:
        """Until it holds; a failure of anybody ends the waiting."""
        with self._changed:
            held = self._changed.wait_for(lambda: self.failures or condition(self), seconds_max)
        if self.failures:
            raise ParticipantError("; ".join(self.failures))
        if not held:
            raise ParticipantError(f"after {seconds_max:.0f} s still waiting for {what}")


class Process:
    """A client in a process of its own, of which nothing is known but what it prints."""

    def __init__(self, name: str, client: str, subject: str, queue: str,
                 command: Sequence[str]) -> None:
        self.name, self.client, self.subject, self.queue = name, client, subject, queue
        self._command = command
        self._process: subprocess.Popen | None = None
        self._errors = tempfile.TemporaryFile()
        self._has_ended = False

    def start(self, meter: Meter) -> None:
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
            text=True, env=environment)
        threading.Thread(target=self._read, args=(meter,), daemon=True).start()

    def _read(self, meter: Meter) -> None:
        has_result = False
        for line in self._process.stdout:
            said = json.loads(line)
            event = said.pop("event")
            if event == "progress":
                meter.progress(self.name, said["messages"])
            elif event == "ready":
                meter.note(lambda it: it.ready.add(self.name))
            else:
                has_result = True
                meter.note(lambda it, said=said: it.results.update({self.name: said}))
        if not has_result and not self._has_ended:
            status = self._process.wait()
            self._errors.seek(0)
            text = self._errors.read().decode(errors="replace").strip()[-600:]
            failure = f"{self.name} ({self.client}) ended early with status {status}: {text}"
            meter.note(lambda it: it.failures.append(failure))

    def end(self) -> None:
        """No more will be published: it drains and says what it got."""
        # One that has ended already is judged by what it said, or did not say.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("end\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        self._has_ended = True
        if self._process is None:
            return
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


class InProcess:
    """Martlet's client in this process: no socket, and a thread of ours that reads in batches."""

    client = "Martlet, in this process"

    def __init__(self, name: str, subject: str, queue: str, server: martlet.Server,
                 on_line: Callable[[bytes], None] | None = None) -> None:
        self.name, self.subject, self.queue = name, subject, queue
        self._server = server
        self._on_line = on_line
        self._tally = Tally(in_order=not queue)
        self._thread: threading.Thread | None = None

    def start(self, meter: Meter) -> None:
        self._connection = martlet.connect(self._server, name=self.name)
        self._subscription = self._connection.subscribe(self.subject, queue=self.queue)
        self._connection.flush()
        self._thread = threading.Thread(target=self._read, args=(meter,), daemon=True)
        self._thread.start()
        meter.note(lambda it: it.ready.add(self.name))

    def _read(self, meter: Meter) -> None:
        try:
            for batch in self._subscription.batches():
                for message in batch:
                    if message.subject not in MARKS:
                        data = message.data
                        self._tally.add(message.subject, data)
                        if self._on_line is not None:
                            self._on_line(data)
                meter.progress(self.name, self._tally.messages)
            result = {"problems": self._problems(), **self._tally.result()}
            meter.note(lambda it: it.results.update({self.name: result}))
        except Exception as error:  # noqa: BLE001 - a thread's failure is told, or nobody sees it.
            failure = f"{self.name} ({self.client}): {type(error).__name__}: {error}"
            meter.note(lambda it: it.failures.append(failure))

    def _problems(self) -> list[str]:
        dropped = self._subscription.dropped
        return [f"{dropped} messages dropped"] if dropped else []

    def end(self) -> None:
        self._subscription.drain()

    def stop(self) -> None:
        if self._thread is not None:
            self._connection.close()
            self._thread.join(STOP_SECONDS_MAX)


def nats_py(script: str, *arguments: str) -> list[str]:
    return [os.environ.get("NATS_PY_PYTHON", sys.executable), str(HERE / script), *arguments]


def nats_js(*arguments: str) -> list[str]:
    return ["node", str(HERE / "receiver_nats_js.mjs"), *arguments]
