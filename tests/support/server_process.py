# SPDX-License-Identifier: Apache-2.0
#
# One server process under test: starts it on a free port, learns the port from its ports file,
# kills it, starts it again on that same port. Promises that `stop` leaves no process behind and
# touches no process but its own; the server stays in the process group of the suite, whose end, be
# it a kill, is the server's. Does not judge what the server says.

from __future__ import annotations

import json
import pathlib
import signal
import subprocess
import time

START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 20
LOG_CHARACTERS = 4000


class ServerError(Exception):
    pass


class Server:
    def __init__(self, command: list[str], folder: pathlib.Path, args: list[str]) -> None:
        self._command = command
        self._folder = folder
        self._args = args
        self._process: subprocess.Popen | None = None
        self._killed = False
        self.port = -1
        self.log = folder / "server.log"

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """The first start takes any free port; a later one takes the port of the first."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("*.ports"):
            old.unlink()
        argv = [*self._command, "-a", "127.0.0.1", "-p", str(self.port),
                "--ports_file_dir", str(self._folder), *self._args]
        self._killed = False
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=subprocess.STDOUT)
        except OSError as error:
            raise ServerError(f"cannot start {argv[0]}: {error}") from error
        self.port = self._wait_for_port(time.monotonic() + START_SECONDS_MAX)

    def _wait_for_port(self, end: float) -> int:
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise ServerError(self.describe_end())
            # Written under another name or in several steps by some servers: read until it parses.
            for path in self._folder.glob(f"*_{self._process.pid}.ports"):
                try:
                    urls = json.loads(path.read_text())["nats"]
                    return int(urls[0].rsplit(":", 1)[1])
                except (ValueError, KeyError, IndexError, TypeError):
                    pass
            time.sleep(0.01)
        self.kill()
        raise ServerError(f"no ports file within {START_SECONDS_MAX} s; log: {self.log_tail()}")

    def ended_by_itself(self) -> bool:
        return (self._process is not None and not self._killed
                and self._process.poll() is not None)

    def describe_end(self) -> str:
        return (f"the server ended by itself with status {self._process.poll()}; "
                f"log: {self.log_tail()}")

    def log_tail(self) -> str:
        try:
            return self.log.read_text(errors="replace")[-LOG_CHARACTERS:].replace("\n", " | ")
        except OSError:
            return "(none)"

    def kill(self) -> None:
        """As a machine that loses its power: no goodbye."""
        self._killed = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> str:
        """Asks the server to end; what it did wrong then, or nothing. Sanitizers speak here."""
        if self._process is None or self._process.poll() is not None:
            return ""
        self._killed = True
        self._process.terminate()
        try:
            status = self._process.wait(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"the server did not end within {STOP_SECONDS_MAX} s of being asked to"
        if status not in (0, -signal.SIGTERM):
            return f"asked to end, the server ended with status {status}; log: {self.log_tail()}"
        return ""
