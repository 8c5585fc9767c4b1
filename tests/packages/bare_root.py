# SPDX-License-Identifier: Apache-2.0
"""Owns the way into a bare Debian, which is a folder: a mount namespace that has it as its root,
and where /proc ends with it. Nothing of the environment outside goes along.

    bare_root.py ROOT PROGRAM ARGUMENT...    becomes that program inside, in the same folder

In the words of that command a path below ROOT is written as it is outside.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

SECONDS_MAX = 400
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}
INSIDE = 'cd "$0" && exec "$@"'
OUTSIDE = f"mount -t proc proc \"$0/proc\" && exec chroot \"$0\" /bin/sh -c '{INSIDE}' \"$@\""


def entering(root: Path, folder: str, words: list[str]) -> list[str]:
    """The command that becomes `words` with that root, in that folder of it."""
    return ["unshare", "--mount", "sh", "-c", OUTSIDE, str(root), folder, *words]


def roots() -> dict[str, Path]:
    """The Debians by the names of their variables; ends where `./dev` could make none."""
    if problem := os.environ.get("BARE_ROOT_PROBLEM"):
        raise RuntimeError(f"there is no bare Debian: {problem}")
    return {name: Path(os.environ[name]) for name in ("BARE_ROOT", "BARE_ROOT_OLDER")}


class Place:
    """A folder inside a root, and commands that run in it there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = f"tmp/packages-{uuid.uuid4().hex}"
        self.folder = root / self.name
        self.folder.mkdir()

    def attempt(self, words: str) -> subprocess.CompletedProcess:
        """A shell's command, ended."""
        return subprocess.run(
            entering(self.root, f"/{self.name}", ["/bin/sh", "-c", words]),
            env=ENVIRONMENT, text=True, capture_output=True, timeout=SECONDS_MAX,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self, words: str) -> str:
        """One that must succeed; what it printed."""
        result = self.attempt(words)
        assert result.returncode == 0, f"{words}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
        return result.stdout


def main() -> None:
    root, words = Path(sys.argv[1]).resolve(), sys.argv[2:]
    folder = Path.cwd().resolve().relative_to(root)
    inside = [word.replace(f"{root}/", "/") for word in words]
    command = entering(root, f"/{folder}", inside)
    os.execvpe(command[0], command, ENVIRONMENT)


if __name__ == "__main__":
    main()
