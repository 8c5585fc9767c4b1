# SPDX-License-Identifier: Apache-2.0
"""Martlet in Python: `guest_python.py host`, or `guest URL NUMBER GUESTS FILE`. See README.md."""

from __future__ import annotations

import sys
import threading

import martlet
from notes import Notes, share_of, tell


def host() -> None:
    with martlet.Server() as server:
        tell("ready", url=server.url)
        sys.stdin.read()


def guest(url: str, number: int, guests: int, path: str) -> None:
    notes = Notes(guests, path)
    with martlet.connect(url, name="python") as connection:
        subscription = connection.subscribe("flights.>")
        connection.flush()
        tell("ready")
        sys.stdin.readline()
        publisher = threading.Thread(target=publish, args=(connection, number, guests, path))
        publisher.start()
        while not notes.is_complete:
            try:
                message = subscription.next_msg(timeout=notes.seconds_left)
            except martlet.errors.TimeoutError:
                break
            notes.add(message.subject, message.data)
        publisher.join()
    tell("result", **notes.result())


def publish(connection: martlet.Connection, number: int, guests: int, path: str) -> None:
    for subject, line in share_of(path, number, guests):
        connection.publish(subject, line)
    connection.flush()


if sys.argv[1] == "host":
    host()
else:
    guest(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
