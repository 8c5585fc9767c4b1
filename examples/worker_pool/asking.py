# SPDX-License-Identifier: Apache-2.0
"""Asks the workers for the digest of each file, and asks again when no answer comes.

A request of NATS is not kept anywhere: it is lost with the worker that had it. So whoever asked
asks again, when nobody listens or when the answer does not come in time, until a time is over. A
job may be done twice because of that, which does no harm to a digest.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from dataclasses import dataclass
from typing import Callable, Iterator, List, Optional, Tuple

import jobs
import martlet

NOBODY_PAUSE_SECONDS = 0.05

#: A path, and why it cannot be read if so.
Found = Tuple[bytes, str]


@dataclass(frozen=True)
class Result:
    path: bytes
    sha256: str = ""
    error: str = ""
    worker: int = 0
    unanswered: int = 0  #: Requests for it that got no answer in time.


@dataclass(frozen=True)
class Patience:
    """How long a first answer may take (each further one twice as long), and all of them."""

    answer_seconds: float
    give_up_seconds: float


def files_below(folder: bytes) -> Iterator[Found]:
    """Regular files, in the order of their names; links are not followed."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                known = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield here, error.strerror or str(error)
            continue
        for entry in known:
            if entry.is_file(follow_symlinks=False):
                yield entry.path, ""
        waiting += [entry.path for entry in reversed(known)
                    if entry.is_dir(follow_symlinks=False)]


class Askers:
    """So many threads that ask for one file each at a time: no more is ever under way.

    Lifecycle: start; take results until `are_done`; `take_no_more` ends it early, with what is
    under way still answered; `abandon` before the connection is closed.
    """

    def __init__(self, connection: martlet.Connection, found: Iterator[Found], count: int,
                 patience: Patience, wake: Callable[[], None]) -> None:
        self._connection = connection
        self._found: Optional[Iterator[Found]] = found
        self._patience = patience
        self._wake = wake
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._results: "queue.Queue[Result]" = queue.Queue(count)
        self._running = count
        self._failure: Optional[Exception] = None
        self._threads = [threading.Thread(target=self._run, name=f"asker-{number}", daemon=True)
                         for number in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def are_done(self) -> bool:
        with self._lock:
            return self._running == 0 and self._results.empty() and self._failure is None

    def take(self) -> List[Result]:
        """What has been answered meanwhile. Raises what a thread of ours failed with."""
        if self._failure is not None:
            raise self._failure
        taken: List[Result] = []
        while True:
            try:
                taken.append(self._results.get_nowait())
            except queue.Empty:
                return taken

    def take_no_more(self) -> None:
        with self._lock:
            self._found = None

    def abandon(self) -> None:
        """Nobody is going to take results any more."""
        self.take_no_more()
        self._closed.set()

    def _run(self) -> None:
        try:
            while not self._closed.is_set() and (found := self._next()) is not None:
                path, error = found
                result = Result(path, error=error) if error else self._ask(path)
                self._hand_over(result)
        except martlet.errors.ConnectionClosedError:
            pass  # The end came before the answer.
        except Exception as error:  # noqa: BLE001 - told by take(); or files would be missing.
            self._failure = error
        finally:
            with self._lock:
                self._running -= 1
            self._wake()

    def _next(self) -> Optional[Found]:
        with self._lock:
            return None if self._found is None else next(self._found, None)

    def _hand_over(self, result: Result) -> None:
        while not self._closed.is_set():
            try:
                self._results.put(result, timeout=1.0)
            except queue.Full:
                continue
            self._wake()
            return

    def _ask(self, path: bytes) -> Result:
        wait = self._patience.answer_seconds
        give_up = time.monotonic() + self._patience.give_up_seconds
        unanswered = 0
        while (left := give_up - time.monotonic()) > 0 and not self._closed.is_set():
            seconds = min(wait, left)
            try:
                reply = self._connection.request(
                    jobs.SUBJECT, path, timeout=seconds, headers=jobs.headers_of(seconds))
            except martlet.errors.NoRespondersError:
                self._closed.wait(NOBODY_PAUSE_SECONDS)  # None is ready, or all are replaced.
            except martlet.errors.TimeoutError:
                wait *= 2
                unanswered += 1
            else:
                answer = jobs.Answer.of(reply.data)
                return Result(path, answer.sha256, answer.error, answer.worker, unanswered)
        return Result(path, error=f"given up after {unanswered} requests without an answer",
                      unanswered=unanswered)
