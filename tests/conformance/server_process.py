# SPDX-License-Identifier: Apache-2.0
#
# Owns one server process: its folder, configuration file, start, ports, and end. Promises that the
# process is gone when stop() returns and that its log can be read. Does not know transcripts.

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlparse

START_SECONDS_MAX = 15.0
STOP_SECONDS_MAX = 10.0
SANITIZER_STATUS = 99  # what the suites tell sanitizers to end with


class ServerError(Exception):
    """The server did not start, or it ended by itself."""


def server_command(program: str) -> list[str]:
    """`nats-server` takes its flags at once, every other program is asked to `serve`."""
    path = shutil.which(program) or program
    if not Path(path).is_file():
        raise ServerError(f"no such program: {program}")
    return [path] if Path(path).name.startswith("nats-server") else [path, "serve"]


class ServerProcess:
    """Lifecycle: start, any number of uses by one thread at a time, stop."""

    def __init__(self, command: list[str], config: str, flags: tuple[str, ...]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="conformance_"))
        self.log_path = self.folder / "server.log"
        arguments = [*command, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", str(self.folder)]
        if config:
            config_path = self.folder / "server.conf"
            config_path.write_text(config + "\n", encoding="utf-8")
            arguments += ["-c", str(config_path)]
        arguments += flags
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )
        try:
            self.port, self.monitoring_url = self.wait_for_ports()
        except ServerError:
            self.stop()
            raise

    def wait_for_ports(self) -> tuple[int, str | None]:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServerError(f"the server ended at its start:\n{self.log_tail()}")
            for path in self.folder.glob(f"*_{self.process.pid}.ports"):
                try:
                    ports = json.loads(path.read_text(encoding="utf-8"))
                except ValueError:
                    continue  # being written
                monitoring = ports.get("monitoring") or [None]
                return urlparse(ports["nats"][0]).port or 0, monitoring[0]
            time.sleep(0.01)
        raise ServerError(f"no ports file within {START_SECONDS_MAX} s:\n{self.log_tail()}")

    def is_alive(self, patience_s: float = 0.0) -> bool:
        """After a failure a little patience tells a server that is just dying."""
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return True
        return False

    def log_tail(self, lines: int = 20) -> str:
        text = self.log_path.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> str | None:
        """Ends it; a sentence when the end was bad: its own signal, a sanitizer's report."""
        fault = None
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            try:
                status = self.process.wait(STOP_SECONDS_MAX)
                if status == SANITIZER_STATUS or (status < 0 and status != -signal.SIGTERM):
                    fault = f"at its end its status was {status}:\n{self.log_tail(150)}"
            except subprocess.TimeoutExpired:
                os.kill(self.process.pid, signal.SIGKILL)
                self.process.wait()
                fault = f"it did not end within {STOP_SECONDS_MAX} s:\n{self.log_tail()}"
        shutil.rmtree(self.folder, ignore_errors=True)
        return fault
