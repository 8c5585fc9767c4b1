# SPDX-License-Identifier: Apache-2.0
"""Goal: what happens when a subscription is not read, or its callback is slow, is what the docs
say: who loses, and who is told. Method: both clients; floods above a bound, a stopped server.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import run

import martlet
from martlet import aio, errors


def test_an_unread_subscription_loses_the_newest_and_the_connection_goes_on(way):
    told = []
    with martlet.connect(way, error_cb=told.append) as nc:
        sub = nc.subscribe("a", pending_msgs_limit=100)
        for number in range(1000):
            nc.publish("a", b"%d" % number)
        nc.flush(20)
        with pytest.raises(errors.NoRespondersError):
            nc.request("nobody", timeout=20)
        assert (sub.dropped, sub.delivered, sub.pending_msgs) == (900, 1000, 100)
        assert [int(sub.next_msg(5).data) for _ in range(100)] == list(range(100))
        with pytest.raises(errors.TimeoutError):
            sub.next_msg(0)
    assert len(told) == 1 and isinstance(told[0], errors.SlowConsumerError)


def test_the_bounds_of_nats_py_are_the_default(server):
    with martlet.connect(server) as nc, martlet.connect(server) as other:
        sub = nc.subscribe("a")
        nc.flush(20)
        count = 70_000  # More than a queue of the library holds by itself.
        for _ in range(count):
            other.publish("a")
        other.flush(60)
        nc.flush(60)
        assert sub.pending_msgs == count and sub.dropped == 0


def test_a_slow_callback_is_told_of(way):
    told, slow = [], threading.Event()

    def on_error(error):
        told.append(error)
        slow.set()

    go = threading.Event()
    with martlet.connect(way, error_cb=on_error) as nc:
        sub = nc.subscribe("a", cb=lambda msg: go.wait(20), pending_msgs_limit=10)
        other = nc.subscribe("b")
        for _ in range(100):
            nc.publish("a")
        nc.publish("b", b"x")
        nc.flush(20)
        assert other.next_msg(20).data == b"x" and sub.dropped > 0
        go.set()
        assert slow.wait(20)
    assert isinstance(told[0], errors.SlowConsumerError)


def test_without_an_error_callback_the_loss_is_logged(way, caplog):
    with caplog.at_level(logging.WARNING, logger="martlet"), martlet.connect(way) as nc:
        sub = nc.subscribe("a", pending_msgs_limit=1)
        for _ in range(3):
            nc.publish("a")
        nc.flush(20)
        sub.next_msg(5)
        with pytest.raises(errors.TimeoutError):
            sub.next_msg(0)
    assert any("behind" in record.getMessage() for record in caplog.records)


def test_asyncio_an_unread_subscription_loses_the_newest(way):
    async def main():
        told = []
        async with await aio.connect(way, error_cb=told.append) as nc:
            sub = await nc.subscribe("a", pending_msgs_limit=100)
            for number in range(1000):
                await nc.publish("a", b"%d" % number)
            await nc.flush(20)
            assert (sub.dropped, sub.pending_msgs) == (900, 100)
            assert [int((await sub.next_msg(5)).data) for _ in range(100)] == list(range(100))
            with pytest.raises(errors.TimeoutError):
                await sub.next_msg(0.01)
        assert len(told) == 1 and isinstance(told[0], errors.SlowConsumerError)

    run(main())


def test_block_reader_drops_nothing_and_stops_the_whole_connection(server):
    with martlet.connect(server.url) as nc, martlet.connect(server.url) as other:
        sub = nc.subscribe("a", pending_msgs_limit=10, policy="block_reader")
        nc.flush(20)
        for number in range(1000):
            other.publish("a", b"%d" % number)
        other.flush(20)
        with pytest.raises(errors.TimeoutError):
            nc.flush(0.2)
        assert [int(sub.next_msg(20).data) for _ in range(1000)] == list(range(1000))
        nc.flush(20)
        assert sub.dropped == 0


@pytest.fixture
def stopped_server():
    """A server in a process of its own that SIGSTOP can stop: call it; gives the URL."""
    program = (
        "import martlet, sys\n"
        "with martlet.Server() as server:\n"
        "    print(server.url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def stop():
        os.kill(process.pid, signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)  # It has stopped when this returns.

    try:
        yield process.stdout.readline().strip(), stop
    finally:
        process.kill()
        process.communicate()


FILL = b"x" * 100_000


def test_asyncio_a_request_ends_in_time_when_the_outgoing_buffer_is_full(stopped_server):
    url, stop = stopped_server

    async def main():
        nc = await aio.connect(url, pending_size=65536, ping_interval=60)
        await nc.flush(20)
        stop()
        full = None
        while full is None:
            done = nc.publish("a", FILL)
            if asyncio.iscoroutine(done) and type(done).__name__ == "coroutine":
                full = asyncio.create_task(done)
        for headers in (None, {"large": "y" * 20_000}):
            with pytest.raises(errors.TimeoutError):
                await nc.request("b", memoryview(b"z"), timeout=0.3, headers=headers)
        with pytest.raises(errors.TimeoutError, match="no room in time"):
            await nc.request_many("b", FILL, timeout=0.3)
        assert len(nc._waiting) <= 1
        full.cancel()
        await nc.close()

    run(main())


def test_a_request_for_many_ends_in_time_when_the_outgoing_buffer_is_full(stopped_server):
    url, stop = stopped_server
    nc = martlet.connect(url, pending_size=65536, ping_interval=60)
    nc.flush(20)
    stop()
    with pytest.raises(errors.TimeoutError, match="no room in time"):
        while True:
            nc.request_many("b", FILL, timeout=0.3)
    nc.close()


def test_the_gil_is_free_while_a_publish_is_blocked(stopped_server):
    url, stop = stopped_server
    nc = martlet.connect(url, pending_size=65536, ping_interval=60)
    nc.flush(20)
    stop()
    published = []

    def publish():
        try:
            while True:
                nc.publish("a", FILL)
                published.append(1)
        except errors.ConnectionClosedError:
            pass

    thread = threading.Thread(target=publish)
    thread.start()
    # The number stands still once the buffer is full: the thread is inside publish.
    count = -1
    while count != len(published):
        count = len(published)
        time.sleep(0.3)
    turns = sum(1 for _ in range(10_000))  # Python runs, though publish does not come back.
    assert turns == 10_000 and thread.is_alive() and count == len(published)
    nc.close()
    thread.join(20)
    assert not thread.is_alive()
