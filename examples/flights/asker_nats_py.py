# SPDX-License-Identifier: Apache-2.0
"""Asks the service about delays: `asker_nats_py.py URL CARRIER...`, on nats-py.

While the flights pass it asks for one carrier after the other; at the word `end` on its input it
asks for each a last time and says what was answered, and how long answers took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import nats
import nats.errors

PAUSE_SECONDS = 0.02
ANSWER_SECONDS_MAX = 20


def tell(event: str, **more: object) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


async def main(url: str, carriers: list[str]) -> None:
    loop = asyncio.get_running_loop()
    connection = await nats.connect(url, allow_reconnect=False)
    seconds: list[float] = []

    async def ask(carrier: str) -> dict:
        begin = time.monotonic()
        answer = await connection.request(f"ask.delays.{carrier}", timeout=ANSWER_SECONDS_MAX)
        seconds.append(time.monotonic() - begin)
        return json.loads(answer.data)

    problems: list[str] = []
    try:
        await connection.request("ask.weather.JFK", timeout=ANSWER_SECONDS_MAX)
        problems.append("somebody answered a question that nobody serves")
    except nats.errors.NoRespondersError:
        pass
    tell("ready")
    end = loop.run_in_executor(None, sys.stdin.readline)
    seen: dict[str, int] = {}
    while not end.done():
        for carrier in carriers:
            answer = await ask(carrier)
            if answer["flights"] < seen.get(carrier, 0):
                problems.append(f"the flights of {carrier} became fewer")
            seen[carrier] = answer["flights"]
            await asyncio.sleep(PAUSE_SECONDS)
            if end.done():
                break
    answers = {carrier: await ask(carrier) for carrier in carriers}
    times = sorted(seconds)
    tell("result", problems=problems, answers=answers, messages=len(times),
         p50_ms=times[len(times) // 2] * 1e3, p99_ms=times[len(times) * 99 // 100] * 1e3)
    await connection.close()


asyncio.run(main(sys.argv[1], sys.argv[2:]))
