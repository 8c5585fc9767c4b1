# SPDX-License-Identifier: Apache-2.0
"""Goal: each language can host the broker for all others, and a wrong guest is found.

Method: examples/languages runs on fewer flights with every host; then again with a guest that
changes a payload, leaves one out, or is missing, each of which it must find and name.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "languages"
FLIGHTS = 14_000
PLANTED_FLIGHTS = 700
SECONDS_MAX = 400


def run_example(*words: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(EXAMPLE / "main.py"), *words], timeout=SECONDS_MAX,
                          env={**os.environ, **environment}, capture_output=True, text=True)


class Languages(unittest.TestCase):
    def test_every_host_serves_everybody(self) -> None:
        answer = run_example("--flights", str(FLIGHTS))
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
        self.assertIn("5 hosts, 35 guests: everybody got everything, in order", answer.stdout)


class Planted(unittest.TestCase):
    """The C++ guest is replaced by a script."""

    def run_with_guest(self, script: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "guest"
            program.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            return run_example("--flights", str(PLANTED_FLIGHTS), "--hosts", "python",
                               GUEST_CPP=str(program), REAL_GUEST=os.environ["GUEST_CPP"])

    def around(self, sed: str) -> subprocess.CompletedProcess:
        # The guest publishes what it reads: from a file of which one flight was changed.
        return self.run_with_guest(
            f'sed "{sed}" "$5" > "$0.tsv"; exec "$REAL_GUEST" "$1" "$2" "$3" "$4" "$0.tsv"')

    def assert_found(self, answer: subprocess.CompletedProcess, text: str) -> None:
        self.assertEqual(answer.returncode, 1, answer.stdout + answer.stderr)
        self.assertIn(text, answer.stdout + answer.stderr)

    def test_a_stand_in_that_changes_nothing_passes(self) -> None:
        answer = self.around("s/a/a/")
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)

    def test_a_changed_payload_is_found_by_everybody(self) -> None:
        answer = self.around("1s/2013/2014/")
        self.assertEqual(answer.returncode, 1, answer.stdout + answer.stderr)
        for name in ("c++", "node", "java", "c#", "nats-py", "nats.js", "jnats"):
            self.assertIn(f"WRONG: {name} at python: digest is ", answer.stdout)

    def test_a_missing_guest_is_found(self) -> None:
        self.assert_found(self.run_with_guest("exit 3"), "FAILED: c++ ended early with status 3")


if __name__ == "__main__":
    unittest.main()
