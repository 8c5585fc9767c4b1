#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Goal: this server and nats-server answer the same to what nobody thought of. Method: random
# sessions of several connections, good and malformed commands mixed, are played on both; after
# each command a PING on every connection collects what came, and the answers must be equal. A
# session has a seed:
#   differential.py --server build/release/bin/martlet --reference nats-server --seconds 20
#   differential.py … --seed 1234 -v          plays that one session and prints it
#   differential.py … --split                 sends to --server each byte by itself
# Its last line is 'N passed, N failed'. Leaves out what nats-server leaves open (README.md).

from __future__ import annotations

import argparse
import concurrent.futures
import random
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from random_session import CONFIGS, Command, random_session
from server_process import ServerError, ServerProcess, server_command
from wire import Wire

ANSWER_SECONDS_MAX = 2.0  # a command that swallows the PING (a payload too short) is told by this
CLOSE_SECONDS_MAX = 2.0
ROUND_SESSIONS = 16
AGAIN = (  # what a connection says first after a close
    b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"user":"alice","pass":"secret"}\r\n'
)
INFO_KEYS = ("headers", "max_payload", "auth_required")

Answer = list[bytes]


def main() -> int:
    options = parse_arguments()
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    count_max = 1 if options.seed is not None else options.sessions
    print(f"first seed {first}", flush=True)
    started = time.monotonic()
    passed = failed = 0
    try:
        with Bench(options.server) as ours, Bench(options.reference) as reference:
            while passed + failed < count_max and (time.monotonic() - started < options.seconds):
                seeds = range(first + passed + failed, first + count_max)[:ROUND_SESSIONS]
                for seed, difference in compare_all(list(seeds), ours, reference, options):
                    passed, failed = passed + (not difference), failed + bool(difference)
                    if difference:
                        print(f"FAIL seed {seed}\n{difference}", flush=True)
                if failed >= options.failures_max:
                    break
    except ServerError as error:
        print(f"differential.py: {error}", file=sys.stderr)
        return 2
    print(f"in {time.monotonic() - started:.1f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Random sessions on two NATS servers.")
    parser.add_argument("--server", required=True, help="program that is tested")
    parser.add_argument("--reference", required=True, help="program that is right")
    parser.add_argument("--seconds", type=float, default=20.0, help="start no session after that")
    parser.add_argument("--sessions", type=int, default=10**6, help="at most so many")
    parser.add_argument("--seed", type=int, help="one session of this seed")
    parser.add_argument("--split", action="store_true", help="to --server one byte at a time")
    parser.add_argument("--failures-max", type=int, default=5, dest="failures_max")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the commands")
    return parser.parse_args()


# ------------------------------------------------------------------------------------- servers


class Bench:
    """One program with one server per configuration; started when used, stopped at the end."""

    def __init__(self, program: str) -> None:
        self.command = server_command(program)
        self.servers: list[ServerProcess] = []

    def __enter__(self) -> Bench:
        self.servers = [ServerProcess(self.command, config, ()) for config in CONFIGS]
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.stop()


def compare_all(
    seeds: list[int], ours: Bench, reference: Bench, options: argparse.Namespace
) -> list[tuple[int, str]]:
    """Sessions of one configuration share a server, so they run one after the other on it."""

    def lane(config: int) -> list[tuple[int, str]]:
        mine = [seed for seed in seeds if seed % len(CONFIGS) == config]
        servers = ours.servers[config], reference.servers[config]
        return [(seed, compare(seed, *servers, options)) for seed in mine]

    with concurrent.futures.ThreadPoolExecutor(len(CONFIGS)) as pool:
        lanes = list(pool.map(lane, range(len(CONFIGS))))
    return sorted(result for results in lanes for result in results)


def compare(
    seed: int, ours: ServerProcess, reference: ServerProcess, options: argparse.Namespace
) -> str:
    """Empty when both answered alike, else the commands up to the first difference."""
    commands = random_session(seed)
    right = Session(reference.port, split=False).play(commands)
    mine = Session(ours.port, options.split).play(commands)
    report = [f"    configuration: {CONFIGS[seed % len(CONFIGS)]!r}"]
    for index, command in enumerate(commands):
        report.append(f"    {command.connection}> {command.data!r}")
        if options.verbose:
            got = {name: units for name, units in right[index].items() if units}
            report += [f"        {name}< {units!r}" for name, units in got.items()]
        if mine[index] != right[index]:
            for name in sorted(right[index]):
                if mine[index].get(name) != right[index][name]:
                    report.append(f"      {name} reference: {right[index][name]!r}")
                    report.append(f"      {name} server:    {mine[index].get(name)!r}")
            if not ours.is_alive():
                report.append(f"THE SERVER ENDED\n{ours.log_tail()}")
            return "\n".join(report)
    if options.verbose:
        print("\n".join(report))
    return ""


# ------------------------------------------------------------------------------------- a session


@dataclass
class Session:
    """Plays commands on one server; a connection that was closed is opened again when needed."""

    port: int
    split: bool
    wires: dict[str, Wire] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def play(self, commands: list[Command]) -> list[dict[str, Answer]]:
        answers = []
        try:
            for command in commands:
                answers.append(self.play_one(command))
        finally:
            self.close()
        return answers

    def play_one(self, command: Command) -> dict[str, Answer]:
        answer: dict[str, Answer] = {}
        if command.connection not in self.wires:
            wire = self.wires[command.connection] = Wire(self.port, self.split, None)
            answer["open"] = self.read_greeting(wire)
            if command.connection in self.seen:
                wire.send(AGAIN, ANSWER_SECONDS_MAX)
            self.seen.add(command.connection)
        self.wires[command.connection].send(command.data, ANSWER_SECONDS_MAX)
        names = [command.connection, *sorted(set(self.wires) - {command.connection})]
        for name in names:
            answer[name] = self.collect(name)
        return answer

    def read_greeting(self, wire: Wire) -> Answer:
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while b"\n" not in wire.buffer and wire.fill(deadline):
            pass
        line = wire.take(wire.buffer.find(b"\n") + 1)
        return info_values(line) if line.startswith(b"INFO ") else [line, b"no INFO"]

    def collect(self, name: str) -> Answer:
        """What comes before the PONG; then the end of it: nothing, `closed` or `no answer`."""
        wire = self.wires[name]
        wire.send(b"PING\r\n", ANSWER_SECONDS_MAX)
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while not self.is_answered(wire) and wire.fill(deadline):
            pass
        units = split_units(wire.take(len(wire.buffer)))
        if units and units[-1] == b"PONG\r\n":
            return normalize(units[:-1])
        if units[-2:-1] == [b"PONG\r\n"]:  # the second INFO, behind the first PONG
            return normalize(units[:-2])
        ending = b"closed" if wire.closed_by_server else b"no answer"
        wire.close()
        del self.wires[name]
        return [*normalize(units), ending]

    def is_answered(self, wire: Wire) -> bool:
        """The second INFO of a connection may come with this PONG or with the next answer."""
        tail = wire.buffer[wire.buffer.rfind(b"PONG\r\n") :]
        return tail == b"PONG\r\n" or (tail.startswith(b"PONG\r\nINFO ") and tail.endswith(b"\n"))

    def close(self) -> None:
        for wire in self.wires.values():
            wire.finish()
        deadline = time.monotonic() + CLOSE_SECONDS_MAX
        for wire in self.wires.values():
            while not wire.closed_by_server and wire.fill(deadline):
                wire.buffer = b""
            wire.close()


# ------------------------------------------------------------------------------------- answers


def split_units(data: bytes) -> Answer:
    """Lines, and messages with their payloads."""
    units = []
    while data:
        line_end = data.find(b"\n") + 1 or len(data)
        message = re.match(rb"H?MSG .* (\d+)\r\n", data[:line_end])
        end = line_end + int(message[1]) + 2 if message else line_end
        units.append(data[:end])
        data = data[end:]
    return units


def normalize(units: Answer) -> Answer:
    """Takes out what nats-server leaves open: the order of messages of one command, who of several
    subscriptions gets a 503, an `Invalid Publish Subject` told twice; what depends on time; and the
    events of the system account ($SYS), which this server does not have yet."""
    messages, others = [], []
    for unit in units:
        if unit.startswith((b"MSG $SYS.", b"HMSG $SYS.")):
            continue
        if re.match(rb"H?MSG ", unit):
            unit = re.sub(rb"^(HMSG \S+) \S+ (\d+ \d+\r\nNATS/1.0 503)", rb"\1 ? \2", unit)
            messages.append(unit)
        elif unit == b"PING\r\n" or unit.startswith(b"INFO "):
            continue
        elif not (others and unit == others[-1] == b"-ERR 'Invalid Publish Subject'\r\n"):
            others.append(unit)
    return others + sorted(messages)


def info_values(unit: bytes) -> list[bytes]:
    found = (re.search(rb'"%b":[^,}]+' % key.encode(), unit) for key in INFO_KEYS)
    return [match[0] for match in found if match]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    sys.exit(main())
