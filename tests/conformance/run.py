#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Plays the wire transcripts of this folder against a server that speaks the NATS protocol:
#   run.py --server build/release/bin/martlet        run.py --server nats-server
# Owns the choice of transcripts, the sharing of servers among them and the summary. Its last line
# is 'N passed, N failed'. Does not know the protocol: the transcripts do.

from __future__ import annotations

import argparse
import concurrent.futures
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from differences import Differences, DifferencesError
from player import Failure, Player
from rows import check_rows
from server_process import ServerError, ServerProcess, server_command
from transcript import Transcript, TranscriptError, parse_duration, read_transcript

HERE = Path(__file__).resolve().parent
DYING_SECONDS = 0.5
CRASH_LOG_LINES = 150  # a report of a sanitizer is long, and its top tells most
SETTLE_SECONDS = 0.002  # a server that has closed a connection may forget it a moment later


@dataclass
class Outcome:
    transcript: Transcript
    failure: str | None
    seconds: float


def main() -> int:
    options = parse_arguments()
    try:
        transcripts = [read_transcript(path) for path in sorted(options.folder.glob("*.nats"))]
        check_rows(options.folder / ".." / "rows.toml", transcripts)
        differences = Differences.read(options.differences, transcripts)
        command = server_command(options.server)
    except (TranscriptError, DifferencesError, ServerError, OSError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    if options.only:
        transcripts = [t for t in transcripts if any(word in t.name for word in options.only)]
    if options.list:
        for transcript in transcripts:
            print(f"{transcript.name}: {transcript.title} [{'; '.join(transcript.covers)}]")
        return 0
    if not transcripts:
        print("run.py: no transcript has such a name", file=sys.stderr)
        return 2
    started = time.monotonic()
    outcomes = Runner(command, options.split, differences, options.verbose).run(
        transcripts, options.jobs
    )
    return summarize(outcomes, differences, time.monotonic() - started)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Plays wire transcripts against a NATS server.")
    parser.add_argument("--server", required=True, help="program: nats-server or martlet")
    parser.add_argument("--only", action="append", metavar="NAME", help="part of a name")
    parser.add_argument("--jobs", type=int, default=8, help="transcripts at the same time")
    parser.add_argument("--split", action="store_true", help="send one byte at a time")
    parser.add_argument("--folder", type=Path, default=HERE / "transcripts")
    parser.add_argument(
        "--differences", type=Path, help="default: differences.toml, for nats-server none"
    )
    parser.add_argument("--list", action="store_true", help="list the transcripts and end")
    parser.add_argument("-v", "--verbose", action="store_true", help="one line per transcript")
    options = parser.parse_args()
    is_reference = Path(options.server).name.startswith("nats-server")
    if options.differences is None and not is_reference:
        options.differences = HERE / "differences.toml"
    return options


def summarize(outcomes: list[Outcome], differences: Differences, seconds: float) -> int:
    outcomes.sort(key=lambda outcome: outcome.transcript.name)
    failed = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failed:
        print(f"FAIL {outcome.transcript.name}: {outcome.transcript.title}")
        print(f"    {outcome.failure}")
    not_reached = differences.not_reached({outcome.transcript.name for outcome in outcomes})
    for entry in not_reached:
        print(f"FAIL differences.toml: not needed: {entry.transcript}: {entry.step}")
    print(f"in {seconds:.1f} s")
    print(f"{len(outcomes) - len(failed)} passed, {len(failed) + len(not_reached)} failed")
    return 1 if failed or not_reached else 0


def waiting_seconds(transcript: Transcript) -> float:
    """What the transcript waits by itself, so that the long ones can start first."""
    waiting = [step for step in transcript.steps if step.verb in ("wait", "silent")]
    waits = sum(parse_duration(step.argument) for step in waiting)
    return waits + sum(step.timeout_s or 0.0 for step in transcript.steps)


class Runner:
    """Plays transcripts on several threads; one server serves one transcript at a time."""

    def __init__(
        self, command: list[str], split: bool, differences: Differences, verbose: bool
    ) -> None:
        self.command = command
        self.split = split
        self.differences = differences
        self.verbose = verbose
        self.lock = threading.Lock()
        self.idle: dict[tuple[str, tuple[str, ...]], list[ServerProcess]] = {}
        self.left: dict[tuple[str, tuple[str, ...]], int] = {}

    def run(self, transcripts: list[Transcript], jobs: int) -> list[Outcome]:
        for transcript in transcripts:
            key = transcript.server_key()
            self.left[key] = self.left.get(key, 0) + 1
        transcripts = sorted(transcripts, key=waiting_seconds, reverse=True)
        outcomes = []
        try:
            with concurrent.futures.ThreadPoolExecutor(max(jobs, 1)) as pool:
                outcomes = list(pool.map(self.run_one, transcripts))
        finally:
            idle = [server for servers in self.idle.values() for server in servers]
            faults = [fault for fault in (server.stop() for server in idle) if fault]
        if faults:
            outcomes[-1].failure = "\n".join(filter(None, [outcomes[-1].failure, *faults]))
        return outcomes

    def run_one(self, transcript: Transcript) -> Outcome:
        started = time.monotonic()
        try:
            failure = self.play(transcript)
        except ServerError as error:
            failure = str(error)
        seconds = time.monotonic() - started
        if self.verbose:
            with self.lock:
                word = "FAIL" if failure else "pass"
                print(f"{word} {seconds:5.2f} s  {transcript.name}", flush=True)
        return Outcome(transcript, failure, seconds)

    def play(self, transcript: Transcript) -> str | None:
        server = self.take_server(transcript)
        player = Player(
            transcript, server.port, server.monitoring_url, self.split, self.differences
        )
        failure = None
        try:
            player.play()
        except (Failure, OSError) as error:
            failure = str(error) or type(error).__name__
        finally:
            player.close()
        if not server.is_alive(DYING_SECONDS if failure else 0.0):
            failure = f"{failure or ''}\n    THE SERVER ENDED:\n{server.log_tail(CRASH_LOG_LINES)}"
        elif failure:
            failure += f"\n    server's log:\n{server.log_tail(6)}"
        fault = self.give_back(transcript, server, usable=failure is None)
        return failure or fault

    def take_server(self, transcript: Transcript) -> ServerProcess:
        key = transcript.server_key()
        with self.lock:
            self.left[key] -= 1
            if not transcript.fresh and self.idle.get(key):
                return self.idle[key].pop()
        return ServerProcess(self.command, *key)

    def give_back(
        self, transcript: Transcript, server: ServerProcess, usable: bool
    ) -> str | None:
        key = transcript.server_key()
        time.sleep(SETTLE_SECONDS)
        with self.lock:
            if usable and not transcript.fresh and self.left[key] > 0:
                self.idle.setdefault(key, []).append(server)
                return None
        return server.stop()


if __name__ == "__main__":
    sys.exit(main())
