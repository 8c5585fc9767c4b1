# SPDX-License-Identifier: Apache-2.0
"""The three that are measured side by side, and the load generator.

Owns: building blast and floor, starting a contestant afresh for each measurement, running blast
against it. Promises: what was started is ended with `stop`, by its own id. Does not judge.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator, Optional

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import server_process  # noqa: E402
from bench_rows import FLOOR, Row  # noqa: E402

BLAST_SECONDS_MAX = 180
FLOOR_START_SECONDS_MAX = 10.0


class BenchError(Exception):
    """A measurement could not be made; the text says why."""


def compiled(folder: Path) -> dict[str, Path]:
    """blast and floor, built again only when their text or the compiler has changed."""
    compiler = os.environ.get("CXX", "c++")
    folder.mkdir(parents=True, exist_ok=True)
    programs = {}
    for name, flags in (("blast", ["-pthread"]), ("floor", [])):
        source = HERE / f"{name}.cpp"
        mark = hashlib.sha256(source.read_bytes() + compiler.encode()).hexdigest()[:16]
        program = folder / f"{name}_{mark}"
        if not program.exists():
            unfinished = program.with_suffix(f".{os.getpid()}")
            command = [compiler, "-O2", "-std=c++20", *flags, "-o", str(unfinished), str(source)]
            answer = subprocess.run(command, capture_output=True, text=True)
            if answer.returncode != 0:
                raise BenchError(f"{source.name} cannot be compiled: {answer.stderr[-2000:]}")
            unfinished.replace(program)
        programs[name] = program
    return programs


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def server_arguments(program: str) -> list[str]:
    """The command that serves: nats-server takes flags at once, ours is asked to `serve`."""
    words = shlex.split(program)
    if len(words) == 1 and not Path(words[0]).name.startswith("nats-server"):
        words.append("serve")
    return words


class Floor:
    """The floor program, with what server_process.Server has of names."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: Optional[subprocess.Popen] = None
        self.port = 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self.port = free_port()
        self._process = subprocess.Popen([*self._command, str(self.port)], stdin=subprocess.DEVNULL)
        end = time.monotonic() + FLOOR_START_SECONDS_MAX
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            if self._process.poll() is not None or time.monotonic() > end:
                raise BenchError("floor did not start")
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Contestants:
    """Name -> how it is started. Lifecycle: made once; `running` for each measurement."""

    def __init__(self, commands: dict[str, list[str]], blast: Path) -> None:
        self.commands = commands
        self.blast = blast

    @contextlib.contextmanager
    def running(self, name: str, flags: list[str], core: Optional[int] = None) -> Iterator:
        command = [*pinned(core), *self.commands[name]]
        with tempfile.TemporaryDirectory(prefix="bench_") as folder:
            if name == FLOOR:
                server = Floor(command)
            else:
                server = server_process.Server(command, Path(folder), flags)
            try:
                server.start()
                yield server
            except server_process.ServerError as error:
                raise BenchError(str(error)) from error
            finally:
                server.stop()

    def blast_once(self, row: Row, name: str, count: int) -> dict[str, float]:
        """One run of blast against a fresh server: its report."""
        server_core, blast_core = cores() if row.pinned else (None, None)
        with self.running(name, [], server_core) as server:
            return self.blast_at(row, server, count, blast_core)

    def blast_at(self, row: Row, server, count: int, core: Optional[int] = None
                 ) -> dict[str, float]:
        """One run of blast against a server that runs."""
        command = [*pinned(core), str(self.blast), *row.command(count, server.port)]
        environment = {**os.environ, "SERVER_PID": str(server.pid)}
        try:
            answer = subprocess.run(command, env=environment, capture_output=True, text=True,
                                    timeout=BLAST_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise BenchError(f"blast took more than {BLAST_SECONDS_MAX} s") from None
        if answer.returncode != 0:
            raise BenchError(answer.stderr.strip()[-300:] or f"status {answer.returncode}")
        return json.loads(answer.stdout)


def cores() -> tuple[int, int]:
    """One for the server, another for blast; the same where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def pinned(core: Optional[int]) -> list[str]:
    return [] if core is None else ["taskset", "-c", str(core)]


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
