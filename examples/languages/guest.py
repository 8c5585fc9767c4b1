# SPDX-License-Identifier: Apache-2.0
"""A guest or host in a process of its own, of which nothing is known but what it prints.

Owns: which program each is, starting it, hearing it in a bounded time, ending it. Promises: `stop`
leaves no process; who ends early or says nothing in time is named in a GuestError.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shlex
import subprocess
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
STOP_SECONDS_MAX = 10.0

MARTLET = ("c++", "python", "node", "java", "c#")
OTHERS = ("nats-py", "nats.js", "jnats")


class GuestError(Exception):
    """Somebody failed; the text names him."""


def command_of(name: str) -> list[str]:
    """Its program; where its parts stand, the environment tells (./dev demo languages)."""
    java = ["java", "-XX:+UseSerialGC", "-Xmx512m"]
    commands = {
        "c++": lambda: [_known("GUEST_CPP")],
        "python": lambda: [_known("MARTLET_PYTHON"), str(HERE / "guest_python.py")],
        "node": lambda: ["node", str(HERE / "guest_node.mjs")],
        "java": lambda: [*java, "-cp", _known("GUEST_JAVA_CLASSES"), "GuestJava"],
        "c#": lambda: shlex.split(_known("GUEST_CSHARP")),
        "nats-py": lambda: [_known("NATS_PY_PYTHON"), str(HERE / "guest_nats_py.py")],
        "nats.js": lambda: ["node", str(HERE / "guest_nats_js.mjs")],
        "jnats": lambda: [*java, "-cp", _known("GUEST_JAVA_CLASSES"), "GuestJnats"],
    }
    return commands[name]()


def _known(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise GuestError(f"${name} is not set: ./dev demo languages does that")
    return value


class Guest:
    """Lifecycle: made running; `hear` and `go` as its part asks; `stop` always."""

    def __init__(self, name: str, words: list[str]) -> None:
        self.name = name
        self._errors = tempfile.TemporaryFile()
        self._said: queue.Queue[dict | None] = queue.Queue()
        self._process = subprocess.Popen(
            [*command_of(name), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout:
            try:
                self._said.put(json.loads(line))
            except ValueError:
                self._said.put({"event": line.strip()})
        self._said.put(None)

    def hear(self, event: str, seconds_max: float) -> dict:
        """What it says next, which must be this event."""
        try:
            said = self._said.get(timeout=seconds_max)
        except queue.Empty:
            raise GuestError(f"{self.name}: after {seconds_max:.0f} s no {event}") from None
        if said is None:
            status = self._process.wait()
            self._errors.seek(0)
            text = self._errors.read().decode(errors="replace").strip()[-800:]
            raise GuestError(f"{self.name} ended early with status {status}: {text}")
        if said.get("event") != event:
            raise GuestError(f"{self.name} said {said}, not {event}")
        return said

    def go(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # It has ended: `hear` tells how.
            self._process.stdin.write("go\n")
            self._process.stdin.flush()

    def stop(self) -> int:
        """Its status; -9 if it had to be killed."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            status = self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._errors.close()
        return status


def seconds_until(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.01)
