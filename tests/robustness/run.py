#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Ill-behaved clients against a server: during each scenario (scenarios.py) a healthy client must be
# answered within 2 s and the server's memory must stay under the scenario's bound. The 2 s are no
# measurement: they tell a server that serves from one that stands still. See README.md.

from __future__ import annotations

import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import scenarios  # noqa: E402
from server_process import Server, ServerError  # noqa: E402

ANSWER_SECONDS_MAX = 2.0
TRIPS_MIN = 10
SAMPLE_SECONDS = 0.02
AFTERMATH_SECONDS = 0.5  # Tidying up after the scenario must not stop the server either.
SCENARIO_SECONDS_MAX = 60


class MemoryWatch:
    """The most memory that a process had while watched, and what it had before."""

    def __init__(self, pid: int) -> None:
        self._path = pathlib.Path(f"/proc/{pid}/status")
        self._stop = threading.Event()
        self.before = self.most = self._read()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _read(self) -> int:
        for line in self._path.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0  # A process that has ended.

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            try:
                self.most = max(self.most, self._read())
            except OSError:
                return

    def end(self) -> int:
        self._stop.set()
        self._thread.join()
        return self.most - self.before


class Healthy:
    """The healthy client's process; `end` says what it saw."""

    def __init__(self, port: int, connect: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "healthy.py"), str(port), connect],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        if line != "ready\n":
            self._process.wait()
            raise ServerError(f"the healthy client cannot begin: {line.strip()}")

    def end(self) -> dict:
        try:
            text, _ = self._process.communicate(timeout=SCENARIO_SECONDS_MAX)
            return json.loads(text)
        finally:
            self._process.kill()
            self._process.wait()


def complaints_of(one: scenarios.Scenario, command: list[str], folder: pathlib.Path,
                  judge_memory: bool) -> tuple[list[str], str]:
    """What is wrong, and one line of what was seen."""
    folder.mkdir()
    args = []
    if one.configuration:
        path = folder / "server.conf"
        path.write_text(one.configuration + "\n")
        args = ["-c", str(path)]
    process = Server(command, folder, args)
    found: list[str] = []
    try:
        process.start()
        healthy = Healthy(process.port, one.connect)
        watch = MemoryWatch(process.pid)
        begin = time.monotonic()
        try:
            one.run(scenarios.Server(process.port, process.pid))
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
        seconds = time.monotonic() - begin
        time.sleep(AFTERMATH_SECONDS)
        seen = healthy.end()
        grown = watch.end()
        if process.ended_by_itself():
            found.append(process.describe_end())
    except (ServerError, OSError, json.JSONDecodeError, subprocess.TimeoutExpired) as error:
        return [*found, f"{type(error).__name__}: {error}"], ""
    finally:
        found += filter(None, [process.stop()])
    slowest = max(seen["slowest_seconds"], seen["slowest_fresh_seconds"])
    if seen["problem"]:
        found.append(f"the healthy client: {seen['problem']}")
    elif slowest > ANSWER_SECONDS_MAX:
        found.append(f"the healthy client waited {slowest:.1f} s for an answer")
    elif seen["trips"] < TRIPS_MIN or not seen["fresh"]:
        found.append(f"the healthy client made only {seen['trips']} round trips")
    bound = one.bytes_max + one.slack_bytes
    if judge_memory and grown > bound:
        found.append(f"memory grew by {grown / scenarios.MIB:.0f} MiB, "
                     f"the bound is {bound / scenarios.MIB:.0f} MiB")
    return found, (f"{seconds:5.1f} s, slowest answer {1000 * slowest:5.0f} ms of {seen['trips']}, "
                   f"memory +{grown / scenarios.MIB:.0f} of {bound / scenarios.MIB:.0f} MiB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, metavar="PROGRAM",
                        help="the server's command, such as 'build/release/bin/martlet serve'")
    parser.add_argument("--only", action="append", metavar="SCENARIO",
                        choices=[one.name for one in scenarios.SCENARIOS],
                        help="only this scenario (may be repeated)")
    parser.add_argument("--any-memory", action="store_true",
                        help="do not judge memory: the bounds are those of our own server")
    options = parser.parse_args()
    command = shlex.split(options.server)
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="robustness-") as scratch:
        for one in scenarios.SCENARIOS:
            if options.only and one.name not in options.only:
                continue
            found, seen = complaints_of(one, command, pathlib.Path(scratch) / one.name,
                                        not options.any_memory)
            print(f"{'NOT OK' if found else 'ok    '}  {one.name:<22} {seen}", flush=True)
            for text in found:
                print(f"        {text}", flush=True)
            passed, failed = passed + (not found), failed + bool(found)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
