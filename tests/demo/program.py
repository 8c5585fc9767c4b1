# SPDX-License-Identifier: Apache-2.0
"""A program under test in a process of its own: what it says, line by line, and how it ends.

Promises: every wait is bounded, and what the program said is in the failure's text; `stop` leaves
no process.
"""

from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable, Sequence

#: Where the programs stand, with the packages that are installed for them (tools/dev/examples.sh).
EXAMPLES = Path(os.environ["MARTLET_EXAMPLES"])
SECONDS_MAX = 60.0
TOLD_LINES_MAX = 40


@functools.lru_cache(None)
def node() -> str:
    """Node itself: what is called so on PATH may be a script around it, which signals would end
    alone.
    """
    return subprocess.check_output(["node", "-p", "process.execPath"], text=True,
                                   timeout=SECONDS_MAX).strip()


class ProgramError(AssertionError):
    """A program did not do what it should; the text has what it said last."""


class Program:
    """Lifecycle: made running; a context manager that stops it."""

    def __init__(self, command: Sequence[str], **environment: str) -> None:
        self._said: dict[str, list[str]] = {"out": [], "err": []}
        self._changed = threading.Condition()
        self._ended_streams = 0
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **environment}, bufsize=0)
        self._threads = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("out", self.process.stdout), ("err", self.process.stderr))]
        for thread in self._threads:
            thread.start()
        try:
            self.begin()
        except BaseException:
            self.stop()
            raise

    def begin(self) -> None:
        """For those that have to say something before they can be used."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def lines(self, stream: str) -> list[str]:
        with self._changed:
            return list(self._said[stream])

    def send(self, text: str) -> None:
        self.process.stdin.write(text.encode() + b"\n")

    def close_input(self) -> None:
        self.process.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait_lines(self, stream: str, count: int, seconds_max: float = SECONDS_MAX) -> list[str]:
        """Until it has said so many; what it has said."""
        return self._wait(stream, lambda lines: len(lines) >= count, f"{count} lines", seconds_max)

    def wait_match(self, stream: str, pattern: str, seconds_max: float = SECONDS_MAX) -> re.Match:
        """The first line that matches, from the beginning on."""
        lines = self._wait(stream, lambda all_: any(re.search(pattern, one) for one in all_),
                           repr(pattern), seconds_max)
        return next(found for line in lines if (found := re.search(pattern, line)))

    def end(self, seconds_max: float = SECONDS_MAX) -> int:
        """Waits for its end; its status."""
        try:
            status = self.process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            raise self._failure(f"it did not end in {seconds_max:g} s") from None
        for thread in self._threads:
            thread.join(SECONDS_MAX)
        return status

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self, name: str, stream) -> None:
        rest = b""
        while chunk := self._chunk(stream):
            *whole, rest = (rest + chunk).split(b"\n")
            with self._changed:
                self._said[name] += [line.decode(errors="replace") for line in whole]
                self._changed.notify_all()
        with self._changed:
            if rest:
                self._said[name].append(rest.decode(errors="replace"))
            self._ended_streams += 1
            self._changed.notify_all()

    @staticmethod
    def _chunk(stream) -> bytes:
        try:
            return stream.read(1 << 16)
        except ValueError:
            return b""  # It was closed by stop().

    def _wait(self, stream: str, condition: Callable[[list[str]], bool], what: str,
              seconds_max: float) -> list[str]:
        lines = self._said[stream]
        with self._changed:
            self._changed.wait_for(lambda: condition(lines) or self._ended_streams == 2,
                                   seconds_max)
            if condition(lines):
                return list(lines)
        raise self._failure(f"it did not say {what} in {seconds_max:g} s, or before it ended")

    def _failure(self, text: str) -> ProgramError:
        told = {name: lines[-TOLD_LINES_MAX:] for name, lines in self._said.items()}
        return ProgramError(f"{text}; status {self.process.poll()}; it said {told}")


def wait_until(condition: Callable[[], bool], what: str, seconds_max: float = SECONDS_MAX) -> None:
    """For what nobody tells of."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > deadline:
            raise ProgramError(f"after {seconds_max:g} s still waiting for {what}")
        time.sleep(0.05)
