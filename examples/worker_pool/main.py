# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of every file below a folder, by worker processes on a broker inside this one.

Owns: the arguments, what is printed, and the order of the end. See README.md.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import threading
import time
from multiprocessing import connection as descriptors
from typing import Dict, List, Optional

import martlet
import worker
from asking import Askers, Patience, Result, files_below
from jobs import READY_SUBJECT
from pool import Pool, PoolError

#: Jobs under way for each worker: the queue group deals them out by chance, so that with one each
#: some would wait for others.
JOBS_EACH = 2
READY_SECONDS_MAX = 30.0


class Wake:
    """A descriptor that is ready after `set`, from any thread or a handler of signals.

    The first SIGTERM or SIGINT is noted; a second one ends the process at once.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        for descriptor in (self._read, self._write):
            os.set_blocking(descriptor, False)
        self.signal = 0

    @property
    def descriptor(self) -> int:
        return self._read

    def listen(self) -> None:
        # The wake-up descriptor also works when the system gives the signal to another thread.
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in worker.SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        self.signal = number
        for known in worker.SIGNALS:
            signal.signal(known, signal.SIG_DFL)

    def set(self) -> None:
        try:
            os.write(self._write, b"\0")
        except BlockingIOError:
            pass  # It is set already.

    def clear(self) -> None:
        try:
            while os.read(self._read, 4096):
                pass
        except BlockingIOError:
            pass


class Output:
    """Lines as `sha256sum --check` reads them, and counts. The main thread's."""

    def __init__(self) -> None:
        self.files = self.failed = self.unanswered = 0
        self.by_worker: Dict[int, int] = {}

    def write(self, results: List[Result]) -> None:
        for result in results:
            self.unanswered += result.unanswered
            if result.error:
                self.failed += 1
                tell(f"{os.fsdecode(result.path)}: {result.error}")
                continue
            self.files += 1
            self.by_worker[result.worker] = self.by_worker.get(result.worker, 0) + 1
            sys.stdout.buffer.write(line_of(result))
        if results:
            sys.stdout.buffer.flush()


def line_of(result: Result) -> bytes:
    """Names with a backslash or an end of line are escaped, and the line then begins so."""
    name = result.path.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"\\" if name != result.path else b""
    return mark + result.sha256.encode() + b"  " + name + b"\n"


_telling = threading.Lock()


def tell(text: str) -> None:
    """A line on the standard error, whole. Any thread."""
    with _telling:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def run(options: argparse.Namespace) -> int:
    """Returns the exit status."""
    token = secrets.token_hex(16)  # Others on this machine must not ask our workers for files.
    wake, output = Wake(), Output()
    begin = time.monotonic()
    patience = Patience(options.answer_seconds, options.give_up_seconds)
    # A worker that has stopped to live is noticed by its unanswered pings, after about 6 s.
    with martlet.Server(token=token, ping_interval=2, ping_max=2) as server, \
            martlet.connect(server, token=token, name="parent") as connection:
        pool = Pool(server.url, token, options.workers, options.start, tell)

        def on_ready(message: martlet.Msg) -> None:
            pool.on_ready(int(message.data))
            wake.set()

        connection.subscribe(READY_SUBJECT, cb=on_ready)
        connection.flush()
        found = files_below(os.fsencode(options.folder))
        askers = Askers(connection, found, options.workers * JOBS_EACH, patience, wake.set)
        try:
            wake.listen()
            pool.start()
            await_ready(pool, wake)
            askers.start()
            look_after(askers, pool, output, wake, options.stop_seconds)
        finally:
            askers.abandon()
            pool.stop(options.stop_seconds)
    tell(summary_of(output, pool, time.monotonic() - begin, options.workers))
    if wake.signal:
        tell(f"ended by {signal.Signals(wake.signal).name} before all was done")
        return 128 + wake.signal
    return 1 if output.failed else 0


def await_ready(pool: Pool, wake: Wake) -> None:
    """Until all workers are ready, so that the first do not get everything; but not for ever, since
    those that are there can begin.
    """
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not pool.is_ready and not wake.signal and (left := deadline - time.monotonic()) > 0:
        descriptors.wait([*pool.sentinels(), wake.descriptor], left)
        wake.clear()
        pool.replace_ended()


def look_after(askers: Askers, pool: Pool, output: Output, wake: Wake, stop_seconds: float) -> None:
    """Until everything is answered. After a signal only what is under way, and only so long."""
    deadline: Optional[float] = None
    while not askers.are_done:
        if wake.signal and deadline is None:
            askers.take_no_more()
            deadline = time.monotonic() + stop_seconds
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            tell(f"what was under way was not done in {stop_seconds:g} s")
            return
        descriptors.wait([*pool.sentinels(), wake.descriptor], left)
        wake.clear()
        output.write(askers.take())
        pool.replace_ended()


def summary_of(output: Output, pool: Pool, seconds: float, workers: int) -> str:
    shares = ", ".join(f"{pid}: {count}" for pid, count in sorted(output.by_worker.items()))
    return (f"{output.files} files in {seconds:.1f} s by {workers} workers ({shares}); "
            f"{pool.replaced} replaced, {output.unanswered} asked again, {output.failed} failed")


def main(words: List[str]) -> int:
    parser = argparse.ArgumentParser(prog="worker_pool", description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="whose files are read; links are not followed")
    parser.add_argument("--workers", type=count, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--start", choices=("fork", "forkserver", "spawn"), default="forkserver",
                        help="how workers begin, as in the module multiprocessing (forkserver)")
    parser.add_argument("--answer-seconds", type=seconds, default=10.0, metavar="S",
                        help="a worker that has not answered by then is asked again, and then "
                             "given twice the time (10)")
    parser.add_argument("--give-up-seconds", type=seconds, default=600.0, metavar="S",
                        help="a file that nobody answered for by then has failed (600)")
    parser.add_argument("--stop-seconds", type=seconds, default=30.0, metavar="S",
                        help="after a signal, for what is under way; then for the workers (30)")
    options = parser.parse_args(words)
    if not os.path.isdir(options.folder):
        parser.error(f"{options.folder} is not a folder")
    try:
        return run(options)
    except (PoolError, martlet.Error) as error:
        tell(f"worker_pool: {error}")
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # For the flush at the end.
        return 128 + signal.SIGPIPE


def count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1024:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 1024")
    return number


def seconds(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
