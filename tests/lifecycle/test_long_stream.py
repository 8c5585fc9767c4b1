# SPDX-License-Identifier: Apache-2.0
"""Goal: ten million messages leave the memory of the process as two million have left it.

Method: from one connection to another inside the process, with the reader's bound in force, so that
what waits is the same throughout; memory is read from /proc before and after.
"""

from __future__ import annotations

import threading

from usage import resident_bytes

import martlet

MESSAGES = 10_000_000
WARM_MESSAGES = 2_000_000
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


def test_ten_million_messages_leave_the_memory_flat():
    with (
        martlet.Server(listen=False) as server,
        martlet.connect(server) as publisher,
        martlet.connect(server) as reader,
    ):
        stream(publisher, reader, WARM_MESSAGES)
        before = resident_bytes()
        stream(publisher, reader, MESSAGES)
        grown = resident_bytes() - before
    assert grown <= GROWTH_BYTES_MAX, f"{grown} bytes more"
