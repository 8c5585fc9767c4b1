# SPDX-License-Identifier: Apache-2.0
"""The worker processes: started ahead of the work, replaced when they end, ended in order.

Owns the processes and nothing else: what they work on comes to them over the broker.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from multiprocessing.process import BaseProcess
from typing import Callable, List, Set

import worker

FAILED_STARTS_MAX = 5


class PoolError(Exception):
    """Workers cannot be started; the text says why."""


class Pool:
    """Lifecycle: start, `replace_ended` whenever a sentinel is ready, stop. The main thread's, but
    for `on_ready`.

    `method` is one of the module multiprocessing: with "fork" a worker begins as a copy of this
    process, broker and all. The copies of Martlet's objects are inert there, and the worker makes a
    connection of its own.
    """

    def __init__(self, url: str, token: str, count: int, method: str,
                 tell: Callable[[str], None]) -> None:
        self._context = multiprocessing.get_context(method)
        self._arguments = (url, token)
        self._count = count
        self._tell = tell
        self._processes: List[BaseProcess] = []
        self._ready: Set[int] = set()
        self._failed_starts = 0
        self.replaced = 0

    def start(self) -> None:
        for _ in range(self._count):
            self._processes.append(self._start_one())

    def on_ready(self, pid: int) -> None:
        """A worker has told that it takes jobs. Any thread."""
        self._ready.add(pid)
        self._tell(f"worker {pid} is ready")

    @property
    def is_ready(self) -> bool:
        return len(self._ready) >= self._count

    def sentinels(self) -> List[int]:
        """Descriptors; one is ready when its process has ended."""
        return [process.sentinel for process in self._processes]

    def replace_ended(self) -> None:
        """Raises PoolError when one after the other ends before it was ready."""
        for index, process in enumerate(self._processes):
            if process.exitcode is None:
                continue
            self._note_end(process)
            process.join()
            self._processes[index] = self._start_one()
            self.replaced += 1

    def _note_end(self, process: BaseProcess) -> None:
        how = _how_it_ended(process)
        if process.pid in self._ready:
            self._ready.discard(process.pid)
            self._failed_starts = 0
        else:
            self._failed_starts += 1
        if self._failed_starts >= FAILED_STARTS_MAX:
            raise PoolError(f"{FAILED_STARTS_MAX} workers in a row ended before they were ready, "
                            f"the last {how}")
        self._tell(f"worker {process.pid} ended {how}; another one takes its place")

    def _start_one(self) -> BaseProcess:
        process = self._context.Process(target=worker.main, args=self._arguments, daemon=True)
        # A fork has the parent's handlers of signals until it sets its own: none may come before.
        signal.pthread_sigmask(signal.SIG_BLOCK, worker.SIGNALS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, worker.SIGNALS)
        return process

    def stop(self, seconds_max: float) -> None:
        """Ends all: those that have not finished their work in time are killed."""
        for process in self._processes:
            if process.exitcode is None:
                process.terminate()
        deadline = time.monotonic() + seconds_max
        for process in self._processes:
            process.join(max(deadline - time.monotonic(), 0.0))
            if process.exitcode is None:
                self._tell(f"worker {process.pid} did not end in {seconds_max:g} s and is killed")
                process.kill()
                process.join()


def _how_it_ended(process: BaseProcess) -> str:
    status = process.exitcode or 0
    return f"by signal {-status}" if status < 0 else f"with status {status}"
