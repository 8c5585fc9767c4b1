# SPDX-License-Identifier: Apache-2.0
"""Owns a program that ends under load: ending_program.py CLIENT WAY ENDING. It says "ending" when
RATE_MIN messages a second reach its callback and its iteration alike, and then ends as told, with
nothing closed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from typing import Iterator, List

import martlet
from martlet import aio

RATE_MIN = 100_000
#: What is counted over: some turns of the interpreter's threads.
WINDOW_SECONDS = 0.25
WITHIN_SECONDS = 30.0
PAYLOAD = b"x" * 100
PUBLISHED_AT_ONCE = 500


class Load:
    """Counts what comes, and knows when it is enough."""

    def __init__(self) -> None:
        self.called = self.iterated = 0

    def call(self, msg: object) -> None:
        self.called += 1

    def take(self, messages: List[martlet.Msg]) -> None:
        self.iterated += len(messages)

    def rates(self) -> Iterator[float]:
        """The rate since the last time, again and again; ends when it is enough."""
        begin, end = time.monotonic(), time.monotonic() + WITHIN_SECONDS
        called, iterated, best = self.called, self.iterated, 0.0
        while best < RATE_MIN:
            assert begin < end, f"no more than {best:.0f} messages a second"
            yield best
            now = time.monotonic()
            came = min(self.called - called, self.iterated - iterated)
            best = max(best, came / (now - begin))
            begin, called, iterated = now, self.called, self.iterated
        print(f"ending at {best:.0f} messages a second", flush=True)


def exit_call() -> None:
    sys.exit(7)


def uncaught() -> None:
    raise LookupError("planned")


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(WITHIN_SECONDS)


ENDINGS = {
    "end of main": lambda: None,
    "exit call": exit_call,
    "uncaught exception": uncaught,
    "SIGTERM": terminate,
    "os._exit": lambda: os._exit(3),
}


def synchronous(way: str, ending: str) -> None:
    server = martlet.Server().start()
    nc = martlet.connect(server if way == "in_process" else server.url)
    load = Load()
    nc.subscribe("load", cb=load.call)
    sub = nc.subscribe("load")

    def read() -> None:
        for messages in sub.batches():
            load.take(messages)

    def publish() -> None:
        try:
            while True:
                nc.publish("load", PAYLOAD)
        except martlet.Error:
            pass

    for work in (read, publish):
        threading.Thread(target=work, daemon=True).start()
    for _ in load.rates():
        time.sleep(WINDOW_SECONDS)
    ENDINGS[ending]()


async def asynchronous(way: str, ending: str) -> None:
    server = martlet.Server().start()
    nc = await aio.connect(server if way == "in_process" else server.url)
    load = Load()
    await nc.subscribe("load", cb=load.call)
    sub = await nc.subscribe("load")

    async def read() -> None:
        async for messages in sub.batches():
            load.take(messages)

    async def publish() -> None:
        while True:
            for _ in range(PUBLISHED_AT_ONCE):
                await nc.publish("load", PAYLOAD)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(read()), asyncio.create_task(publish())]
    for _ in load.rates():
        await asyncio.sleep(WINDOW_SECONDS)
    assert not any(task.done() for task in tasks)
    ENDINGS[ending]()


if __name__ == "__main__":
    client, way, ending = sys.argv[1:]
    if client == "sync":
        synchronous(way, ending)
    else:
        asyncio.run(asynchronous(way, ending), debug=False)  # It would tell of a busy machine.
