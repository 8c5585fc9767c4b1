# SPDX-License-Identifier: Apache-2.0
"""Goal: the demonstration works, and its judgement is worth something.

Method: examples/flights runs on fewer flights with the real clients; then again with a `nats` tool
that loses one message, garbles one, or is missing, each of which it must find and name.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "flights"
sys.path.insert(0, str(EXAMPLE))

from data_set import flights  # noqa: E402
from expectation import Expectation, matches  # noqa: E402
from tally import Tally, stamped  # noqa: E402

DATA = Path(os.environ["FLIGHTS_DATA"])
FLIGHTS = 12_000
PLANTED_FLIGHTS = 2_000
SECONDS_MAX = 150


def run_example(count: int, **environment: str) -> subprocess.CompletedProcess:
    command = [os.environ["MARTLET_PYTHON"], str(EXAMPLE / "main.py"), "--flights", str(count)]
    return subprocess.run(command, env={**os.environ, **environment}, timeout=SECONDS_MAX,
                          capture_output=True, text=True)


class Expectations(unittest.TestCase):
    def test_patterns(self) -> None:
        for pattern, subject, wanted in (
            ("flight.>", "flight.UA.JFK.LAX", True),
            ("flight.>", "flight", False),
            ("flight.*.JFK.>", "flight.UA.JFK.LAX", True),
            ("flight.*.JFK.>", "flight.UA.EWR.LAX", False),
            ("flight.*.JFK.>", "flight.UA.JFK", False),
            ("flight.UA.*.*", "flight.UA.JFK.LAX", True),
            ("flight.UA.*.*", "flight.UA.JFK.LAX.x", False),
            ("flight.UA.*.*", "flight.AA.JFK.LAX", False),
        ):
            with self.subTest(pattern=pattern, subject=subject):
                self.assertEqual(matches(pattern, subject), wanted)

    def test_the_data_set_is_the_published_one(self) -> None:
        # 336,776 flights, of which 58,665 by United: what the package's own documentation says.
        found = Expectation(DATA, 0, ["flight.>", "flight.UA.*.*"])
        self.assertEqual(found.flights, 336_776)
        self.assertEqual(found.patterns["flight.UA.*.*"].messages, 58_665)
        self.assertEqual(found.answers["UA"]["flights"], 58_665)
        self.assertEqual(len(found.answers), 16)

    def test_a_tally_agrees_with_the_expectation_and_sees_a_swap(self) -> None:
        expected = Expectation(DATA, 500, ["flight.>"]).patterns["flight.>"]
        some = list(flights(DATA, 500))
        swapped = [some[1], some[0], *some[2:]]
        for order, is_same in ((some, True), (swapped, False)):
            chain, sum_only = Tally(in_order=True), Tally(in_order=False)
            for flight in order:
                chain.add(flight.subject, stamped(flight.line))
                sum_only.add(flight.subject, stamped(flight.line))
            self.assertEqual(chain.result()["digest"] == expected.digest(True), is_same)
            self.assertEqual(sum_only.result()["digest"], expected.digest(False))
            self.assertEqual(chain.result()["bytes"], expected.payload_bytes)


class Demonstration(unittest.TestCase):
    def test_everybody_gets_everything(self) -> None:
        answer = run_example(FLIGHTS)
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
        self.assertIn("everything arrived, whole and in order", answer.stdout)
        for word in ("nats-py", "nats.js", "the nats tool", "Martlet, in this process", "100%"):
            self.assertIn(word, answer.stdout)


class Planted(unittest.TestCase):
    """The `nats` tool is replaced by a script around it."""

    def run_with_tool(self, script: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as folder:
            tool = Path(folder) / "nats"
            tool.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
            tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
            return run_example(PLANTED_FLIGHTS, NATS_CLI=str(tool),
                               REAL_NATS_CLI=os.environ["NATS_CLI"])

    def around(self, sed: str) -> subprocess.CompletedProcess:
        return self.run_with_tool(f'exec sed -u "{sed}" < <(exec "$REAL_NATS_CLI" "$@")')

    def assert_found(self, answer: subprocess.CompletedProcess, text: str) -> None:
        self.assertEqual(answer.returncode, 1, answer.stdout + answer.stderr)
        self.assertIn(text, answer.stdout + answer.stderr)

    def test_a_stand_in_that_changes_nothing_passes(self) -> None:
        answer = self.around("s/a/a/")
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)

    def test_a_garbled_message_is_found(self) -> None:
        # The first flight that left from JFK.
        answer = self.around("s/ 2013,1,1,542,540,/ 2013,1,1,542,541,/")
        self.assert_found(answer, "WRONG: one airport: digest is ")
        self.assertNotIn("WRONG: one airport: messages", answer.stdout)

    def test_a_lost_message_is_found(self) -> None:
        answer = self.around("/^.#100. /,+3d")
        self.assert_found(answer, "WRONG: one airport: messages is ")

    def test_a_missing_receiver_is_found(self) -> None:
        self.assert_found(self.run_with_tool("exit 3"), "FAILED: one airport (the nats tool) ended")


if __name__ == "__main__":
    unittest.main()
