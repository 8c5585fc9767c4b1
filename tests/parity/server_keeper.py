# SPDX-License-Identifier: Apache-2.0
"""Owns the server processes of one runner: starts what the runner asks for, stops and freezes it,
and promises that none is left.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from server_process import Server, ServerError  # noqa: E402

__all__ = ["ServerError", "ServerKeeper", "configuration_of"]

SIGNALS = {"pause": signal.SIGSTOP, "resume": signal.SIGCONT, "lame_duck": signal.SIGUSR2}
#: Options of capi/records/server_options.toml that NATS configuration text has under the same name.
SAME_NAME = {
    "server_name",
    "max_payload",
    "max_connections",
    "max_subscriptions",
    "max_control_line",
    "max_pending",
    "ping_max",
}
MILLISECONDS = {"ping_interval_ms": "ping_interval", "write_deadline_ms": "write_deadline"}
CREDENTIALS = ("user", "password", "token")


def configuration_of(options: dict[str, Any]) -> str:
    """The options of a server as NATS configuration text."""
    lines = []
    credentials = {key: options[key] for key in CREDENTIALS if key in options}
    if credentials:
        inside = ", ".join(f"{key}: {json.dumps(value)}" for key, value in credentials.items())
        lines.append(f"authorization {{ {inside} }}")
    for key, value in options.items():
        if key in SAME_NAME:
            lines.append(f"{key}: {json.dumps(value)}")
        elif key in MILLISECONDS:
            lines.append(f'{MILLISECONDS[key]}: "{value}ms"')
        elif key not in CREDENTIALS and key != "listen":
            raise ServerError(f"no configuration text is known for the option {key}")
    return "\n".join(lines) + "\n"


class ServerKeeper:
    """Lifecycle: any number of requests by one thread, then end()."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._servers: dict[str, Server] = {}
        self._all: list[Server] = []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._do(request)
        except (ServerError, OSError, KeyError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        what = request["do"]
        if what == "end":
            self.end()
            return {}
        if what == "server":
            return {"url": self._start_new(request).url}
        server = self._servers[request["on"]]
        if what == "start":
            server.start()
        elif what == "stop":
            server.kill()  # As a machine that loses its power: the same with every server.
        elif what in SIGNALS:
            os.kill(server.pid, SIGNALS[what])
            if what == "pause":
                os.waitid(os.P_PID, server.pid, os.WSTOPPED | os.WNOWAIT)
        else:
            raise KeyError(f"nothing is known of {what}")
        return {"url": server.url}

    def _start_new(self, request: dict[str, Any]) -> Server:
        folder = self._folder / f"server_{len(self._all)}"
        folder.mkdir(parents=True)
        configuration = folder / "server.conf"
        text = request.get("config") or configuration_of(request.get("options", {}))
        configuration.write_text(text, encoding="utf-8")
        server = Server(self._command, folder, ["-c", str(configuration)])
        self._all.append(server)
        server.start()
        self._servers[request["as"]] = server
        return server

    def end(self) -> None:
        for server in self._all:
            server.kill()
        self._servers.clear()
