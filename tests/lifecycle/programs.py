# SPDX-License-Identifier: Apache-2.0
"""Owns how the tests run a Python program of their own: strictly, and to its end."""

from __future__ import annotations

import subprocess
import sys
import textwrap

#: Every warning is an error.
COMMAND = [sys.executable, "-X", "dev", "-W", "error"]


def run_program(text: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Runs a Python program to its end; what it printed and its status are the caller's to
    judge.
    """
    return subprocess.run(
        [*COMMAND, "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=timeout,
    )
