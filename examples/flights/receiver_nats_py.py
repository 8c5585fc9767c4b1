# SPDX-License-Identifier: Apache-2.0
"""A receiver on nats-py: `receiver_nats_py.py URL SUBJECT [QUEUE]`. Knows nothing of Martlet.

Says on its output, one JSON object a line, when it is ready, how far it is, and at the end what it
got; the word `end` on its input is the end. Then it drains, so that nothing on its way is missed.
"""

from __future__ import annotations

import asyncio
import json
import sys

import nats
from tally import MARKS, PROGRESS_EVERY, Tally


def tell(event: str, **more: object) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


async def main(url: str, subject: str, queue: str = "") -> None:
    loop = asyncio.get_running_loop()
    tally = Tally(in_order=not queue)
    problems: list[str] = []

    async def on_error(error: Exception) -> None:
        problems.append(f"{type(error).__name__}: {error}")

    async def on_message(message) -> None:
        if message.subject in MARKS:
            return
        tally.add(message.subject, message.data)
        if tally.messages % PROGRESS_EVERY == 0:
            tell("progress", messages=tally.messages)

    connection = await nats.connect(url, error_cb=on_error, allow_reconnect=False)
    subscription = await connection.subscribe(subject, queue=queue, cb=on_message)
    await connection.flush()
    tell("ready")
    await loop.run_in_executor(None, sys.stdin.readline)
    await subscription.drain()
    tell("result", problems=problems, **tally.result())
    await connection.close()


asyncio.run(main(*sys.argv[1:]))
