# SPDX-License-Identifier: Apache-2.0
"""Goal: ten million messages leave the memory of the process as two million have left it.

Method: from one connection to another inside the process, with the reader's bound in force, so that
what waits is the same throughout; memory is read from /proc before and after, when short streams
have followed: a buffer that a burst made large is given back in those after it.
"""

from __future__ import annotations

import threading

from usage import resident_bytes

import martlet

MESSAGES = 10_000_000
WARM_MESSAGES = 2_000_000
CALM_MESSAGES = 20_000
CALM_STREAMS = 20
PENDING_MAX = 8_192
GROWTH_BYTES_MAX = 16 * 1024 * 1024
PAYLOAD = b"x" * 128


def stream(publisher: martlet.Connection, reader: martlet.Connection, count: int) -> None:
    sub = reader.subscribe(
        "long", max_msgs=count, pending_msgs_limit=PENDING_MAX, policy="block_reader"
    )
    reader.flush(20)

    def publish() -> None:
        for _ in range(count):
            publisher.publish("long", PAYLOAD)
        publisher.flush(60)

    thread = threading.Thread(target=publish)
    thread.start()
    seen = sum(len(message.data) for message in sub)
    thread.join()
    assert seen == count * len(PAYLOAD)


def calm_bytes(publisher: martlet.Connection, reader: martlet.Connection) -> int:
    """What the process has when the last burst is over."""

    def after_a_stream() -> int:
        stream(publisher, reader, CALM_MESSAGES)
        return resident_bytes()

    return min(after_a_stream() for _ in range(CALM_STREAMS))


def test_ten_million_messages_leave_the_memory_flat():
    with (
        martlet.Server(listen=False) as server,
        martlet.connect(server) as publisher,
        martlet.connect(server) as reader,
    ):
        stream(publisher, reader, WARM_MESSAGES)
        before = calm_bytes(publisher, reader)
        stream(publisher, reader, MESSAGES)
        grown = calm_bytes(publisher, reader) - before
    assert grown <= GROWTH_BYTES_MAX, f"{grown} bytes more"
