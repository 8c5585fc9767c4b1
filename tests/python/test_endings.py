# SPDX-License-Identifier: Apache-2.0
"""Goal: what has ended gives back what it held, and what still lives is kept. Method: counts of
descriptors and of living objects, in both clients.
"""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import weakref

import pytest
from conftest import run

import martlet
from martlet import aio, errors


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_closed_connection_holds_no_descriptor(way):
    gc.collect()
    gc.disable()
    try:
        before = descriptors()
        closed = []
        for _ in range(20):
            nc = martlet.connect(way)
            nc.subscribe("a", cb=lambda msg: None)
            nc.flush(20)
            nc.close()
            closed.append(nc)
        # The server's side goes with its next turn.
        deadline = time.monotonic() + 10
        while descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert descriptors() == before
    finally:
        gc.enable()
    for nc in closed:
        assert nc.is_closed and nc.stats["out_msgs"] == 0 and nc.max_payload == 1024 * 1024
        with pytest.raises(errors.ConnectionClosedError):
            nc.publish("a")
        with pytest.raises(errors.ConnectionClosedError):
            nc.rtt()
        nc.close()


def test_a_closed_asyncio_connection_holds_no_descriptor(server):
    async def main():
        gc.collect()
        gc.disable()
        try:
            before = descriptors()
            closed = []
            for run_by in ("lent", "thread") * 10:
                nc = await aio.connect(server.url, run=run_by)
                await nc.subscribe("a", cb=lambda msg: None)
                await nc.flush(20)
                await nc.close()
                closed.append(nc)
            for _ in range(1000):
                if descriptors() <= before:
                    break
                await asyncio.sleep(0.01)
            assert descriptors() == before
        finally:
            gc.enable()
        for nc in closed:
            assert nc.is_closed and nc.stats["out_msgs"] == 0
            with pytest.raises(errors.ConnectionClosedError):
                await nc.publish("a")

    run(main())


def test_a_closed_asyncio_connection_goes_without_the_collector(server):
    async def main():
        gc.collect()
        gc.disable()
        try:
            nc = await aio.connect(server.url)
            await nc.flush(20)
            await nc.close()
            gone = weakref.ref(nc)
            del nc
            for _ in range(100):
                if gone() is None:
                    return
                await asyncio.sleep(0.01)
            raise AssertionError("something holds it in a circle")
        finally:
            gc.enable()

    run(main())


def test_what_is_unread_at_the_end_can_still_be_read(way):
    async def main():
        nc = await aio.connect(way)
        sub = await nc.subscribe("a")
        seen = []
        await nc.subscribe("a", cb=seen.append)
        for number in range(5000):
            await nc.publish("a", b"%d" % number)
        await nc.flush(20)
        await nc.close()
        assert len([msg async for msg in sub]) == 5000
        while len(seen) < 5000:
            await asyncio.sleep(0.01)

    run(main())


def test_a_message_does_not_keep_its_connection(server):
    nc = martlet.connect(server.url)
    sub = nc.subscribe("a")
    nc.publish("a", b"x", reply="r")
    nc.last = sub.next_msg(20)
    gone = weakref.ref(nc)
    last = nc.last
    del nc, sub
    gc.collect()
    assert gone() is None and last.data == b"x"
    with pytest.raises(errors.ConnectionClosedError):
        last.respond(b"y")


def test_a_connection_keeps_the_server_that_it_was_given():
    nc = martlet.connect(martlet.Server().start())
    gc.collect()
    assert nc.rtt(20) > 0 and nc.is_connected
    nc.close()

    async def main():
        nc = await aio.connect(martlet.Server().start())
        gc.collect()
        await nc.flush(20)
        assert nc.is_connected
        await nc.close()

    run(main())


@pytest.mark.parametrize("ending", ["max_msgs", "drain", "unsubscribe"])
def test_a_callback_that_has_ended_is_forgotten(way, ending):
    def callback(msg):
        pass

    gone = weakref.ref(callback)
    with martlet.connect(way) as nc:
        sub = nc.subscribe("a", cb=callback, max_msgs=1 if ending == "max_msgs" else 0)
        del callback
        nc.publish("a")
        nc.flush(20)
        if ending != "max_msgs":
            getattr(sub, ending)()
        deadline = time.monotonic() + 20
        while gone() is not None and time.monotonic() < deadline:
            gc.collect()
            time.sleep(0.01)
        assert gone() is None and sub.ended
        assert not nc._dispatcher.callbacks and not nc._dispatcher.subscriptions


@pytest.mark.parametrize("ending", ["max_msgs", "drain", "unsubscribe"])
def test_an_asyncio_callback_that_has_ended_is_forgotten(way, ending):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe(
                "a", cb=lambda msg: None, max_msgs=1 if ending == "max_msgs" else 0
            )
            await nc.publish("a")
            await nc.flush(20)
            if ending != "max_msgs":
                await getattr(sub, ending)()
            for _ in range(1000):
                if not nc._kept and sub.ended:
                    break
                await asyncio.sleep(0.01)
            assert not nc._kept and sub.ended

    run(main())


def test_close_does_not_wait_for_ever_for_a_callback(way):
    lock, inside = threading.Lock(), threading.Event()

    def callback(msg):
        inside.set()
        with lock:
            pass

    nc = martlet.connect(way)
    with lock:
        nc.subscribe("a", cb=callback)
        nc.publish("a")
        assert inside.wait(20)
        nc.close(timeout=0.1)
        assert nc.is_closed


def test_leaving_the_context_closes_also_when_the_flush_is_interrupted(way, monkeypatch):
    nc = martlet.connect(way)

    def interrupted(timeout=10.0):
        raise KeyboardInterrupt

    monkeypatch.setattr(nc, "flush", interrupted)
    with pytest.raises(KeyboardInterrupt), nc:
        pass
    assert nc.is_closed


def test_leaving_the_asyncio_context_closes_also_when_it_is_cancelled(way):
    async def main():
        nc = await aio.connect(way)
        flushing = asyncio.Event()

        async def flush(timeout=10.0):
            flushing.set()
            await asyncio.sleep(60)

        nc.flush = flush

        async def use():
            async with nc:
                pass

        task = asyncio.create_task(use())
        await flushing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert nc.is_closed

    run(main())


def test_a_drain_that_fails_closes(way, monkeypatch):
    nc = martlet.connect(way)
    nc.subscribe("a", cb=lambda msg: None)

    def lost(timeout):
        raise errors.DisconnectedError("lost")

    monkeypatch.setattr(nc, "flush_now", lost)
    with pytest.raises(errors.DisconnectedError):
        nc.drain(20)
    assert nc.is_closed


def test_nothing_waits_after_a_start_that_fails(way):
    async def main():
        nc = await aio.connect(way)
        await nc.close()
        for use in (nc.flush(1), nc._wait_capacity(1), nc.request("a")):
            with pytest.raises(errors.ConnectionClosedError):
                await use
        assert not nc._waiting

    run(main())
