# SPDX-License-Identifier: Apache-2.0
"""A registry for npm on loopback (verdaccio) to which some tarballs have been published, and which
asks no other registry.

Owns: the process, its folder and its port, which it takes from the system.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS_MAX = 120
PUBLISH_SECONDS_MAX = 120
LISTENS = "0A"  # As /proc/net/tcp writes the state of a socket.


class NpmRegistry:
    """A context manager; `url` is there inside."""

    def __init__(self, tarballs):
        self._tarballs = sorted(map(Path, tarballs))

    def __enter__(self) -> NpmRegistry:
        self._place = tempfile.TemporaryDirectory()
        self._folder = Path(self._place.name)
        self._start()
        try:
            self.url = f"http://127.0.0.1:{self._port()}/"
            for tarball in self._tarballs:
                self._publish(tarball)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.wait(timeout=START_SECONDS_MAX)
        self._log.close()
        self._place.cleanup()

    def _start(self) -> None:
        config = self._folder / "config.yaml"
        settings = {
            "storage": str(self._folder / "storage"),
            "web": {"enable": False},
            "auth": {"htpasswd": {"file": str(self._folder / "users"), "max_users": -1}},
            "uplinks": {},
            "packages": {"**": {"access": "$all", "publish": "$all"}},
            "max_body_size": "20mb",
        }
        config.write_text(json.dumps(settings))  # JSON is YAML.
        # The program itself: `node` may be a script that starts it, and outlives it or not.
        node = subprocess.check_output(["node", "-p", "process.execPath"], text=True).strip()
        self._log = open(self._folder / "log.txt", "wb")
        self._process = subprocess.Popen(
            [node, os.environ["VERDACCIO"], "--config", config, "--listen", "127.0.0.1:0"],
            cwd=self._folder, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip

    def _port(self) -> int:
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end:
            ports = listening_ports(self._process.pid)
            if ports:
                return ports[0]
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"verdaccio: {(self._folder / 'log.txt').read_text()[-2000:]}")

    def _publish(self, tarball: Path) -> None:
        # npm wants to be somebody, whom this registry does not ask for.
        npmrc = self._folder / "npmrc"
        npmrc.write_text(f"{self.url[len('http:'):]}:_authToken=nobody\nregistry={self.url}\n")
        answer = subprocess.run(
            ["npm", "publish", "--userconfig", npmrc, "--access", "public", tarball],
            cwd=self._folder, text=True, capture_output=True, timeout=PUBLISH_SECONDS_MAX,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if answer.returncode != 0:
            raise RuntimeError(f"npm publish {tarball.name}: {answer.stderr[-2000:]}")


def listening_ports(pid: int) -> list[int]:
    """The TCP ports (IPv4) on which that process listens."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(os.readlink(descriptor))
        except OSError:
            continue  # Closed meanwhile.
    ports = []
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == LISTENS and f"socket:[{fields[9]}]" in sockets:
            ports.append(int(fields[1].split(":")[1], 16))
    return ports
