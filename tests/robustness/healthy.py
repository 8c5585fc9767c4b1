# SPDX-License-Identifier: Apache-2.0
#
# A healthy client, `healthy.py PORT CONNECT`, in a process of its own so that no load slows it.
# Until its input ends it sends itself a message over two connections and, now and then, opens a
# third. Then it prints, as JSON, how many round trips there were and how long the slowest took. A
# trip that fails or that nobody answers counts as one of `NEVER_SECONDS`.

from __future__ import annotations

import json
import select
import sys
import time

from raw import Closed, Raw

PAUSE_SECONDS = 0.02
FRESH_EVERY = 5
NEVER_SECONDS = 1000.0


def input_ended() -> bool:
    ready, _, _ = select.select([sys.stdin], [], [], PAUSE_SECONDS)
    return bool(ready)


def main() -> None:
    port, connect = int(sys.argv[1]), sys.argv[2].encode() + b"\r\n"
    trips = fresh = 0
    slowest = slowest_fresh = 0.0
    problem = ""
    try:
        with Raw(port, connect) as receiver, Raw(port, connect) as sender:
            receiver.send(b"SUB healthy.inbox 1\r\n")
            receiver.round_trip()
            print("ready", flush=True)
            while not input_ended():
                begin = time.monotonic()
                text = b"%d" % trips
                sender.send(b"PUB healthy.inbox %d\r\n%s\r\n" % (len(text), text))
                _, payload = receiver.message()
                sender.round_trip()
                if payload != text:
                    raise Closed(f"{payload!r} came, not {text!r}")
                slowest = max(slowest, time.monotonic() - begin)
                trips += 1
                if trips % FRESH_EVERY == 0:
                    begin = time.monotonic()
                    with Raw(port, connect) as other:
                        other.round_trip()
                    slowest_fresh = max(slowest_fresh, time.monotonic() - begin)
                    fresh += 1
    except (OSError, Closed) as error:
        problem, slowest = f"{type(error).__name__} {error}", NEVER_SECONDS
    print(json.dumps({"trips": trips, "slowest_seconds": slowest, "fresh": fresh,
                      "slowest_fresh_seconds": slowest_fresh, "problem": problem}), flush=True)


if __name__ == "__main__":
    main()
