# SPDX-License-Identifier: Apache-2.0
"""nats-py: `guest_nats_py.py guest URL NUMBER GUESTS FILE`. Knows nothing of Martlet."""

from __future__ import annotations

import asyncio
import sys

import nats
from notes import Notes, share_of, tell

YIELD_EVERY = 500


async def guest(url: str, number: int, guests: int, path: str) -> None:
    notes = Notes(guests, path)
    complete = asyncio.Event()

    async def on_message(message) -> None:
        notes.add(message.subject, message.data)
        if notes.is_complete:
            complete.set()

    connection = await nats.connect(url, name="nats-py", allow_reconnect=False)
    await connection.subscribe("flights.>", cb=on_message)
    await connection.flush()
    tell("ready")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for count, (subject, line) in enumerate(share_of(path, number, guests), start=1):
        await connection.publish(subject, line)
        if count % YIELD_EVERY == 0:
            await connection.flush()
    await connection.flush()
    try:
        await asyncio.wait_for(complete.wait(), notes.seconds_left)
    except asyncio.TimeoutError:
        pass  # What it has is told, and judged.
    tell("result", **notes.result())
    await connection.close()


asyncio.run(guest(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
