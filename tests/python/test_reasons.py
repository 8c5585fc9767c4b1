# SPDX-License-Identifier: Apache-2.0
"""Goal: whoever loses the server learns why, in both clients. Method: a server that goes, or
comes back on its port and knows nobody; the calls in the order in which they came.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest
from conftest import run

import martlet
from martlet import aio, errors

QUICK = {"reconnect_time_wait": 0.02, "reconnect_jitter": 0.0, "max_reconnect_attempts": 3}


def listeners(seen):
    """The callbacks of a connection that tell `seen` what they are called with, in order."""
    return {
        "error_cb": seen.append,
        "disconnected_cb": lambda: seen.append("disconnected"),
        "closed_cb": lambda: seen.append("closed"),
    }


def kinds(seen):
    return [what if isinstance(what, str) else type(what).__name__ for what in seen]


def wait_until(is_true):
    deadline = time.monotonic() + 30
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert is_true()


def another(server, **options):
    """A server in the place of one that has stopped."""
    port = server.port
    server.stop()
    return martlet.Server(port=port, **options)


def test_a_server_that_is_gone(server):
    seen = []
    nc = martlet.connect(server.url, **QUICK, **listeners(seen))
    server.stop()
    wait_until(lambda: "closed" in seen)
    assert kinds(seen)[:2] == ["DisconnectedError", "disconnected"]
    assert kinds(seen)[-2:] == ["NoServersError", "closed"] and "refused" in str(seen[-2])
    assert nc.is_closed


def test_a_server_that_does_not_know_us_any_more():
    first = martlet.Server(user="u", password="one").start()
    seen = []
    nc = martlet.connect(first.url, user="u", password="one", **QUICK, **listeners(seen))
    with another(first, user="u", password="two"):
        wait_until(lambda: "closed" in seen)
    told = [what for what in seen if isinstance(what, errors.AuthorizationError)]
    assert told and "Authorization Violation" in str(told[-1])
    assert seen[-1] == "closed" and seen[-2] is told[-1] and nc.is_closed


def test_a_loss_that_is_the_end_is_told_once(server):
    seen = []
    martlet.connect(server.url, allow_reconnect=False, **listeners(seen))
    server.stop()
    wait_until(lambda: "closed" in seen)
    assert kinds(seen) == ["DisconnectedError", "disconnected", "closed"]


def test_the_programs_own_end_is_no_error(way):
    seen = []
    with martlet.connect(way, **listeners(seen)) as nc:
        nc.flush(20)
    assert seen == ["closed"]
    with pytest.raises(errors.ConnectionClosedError, match="^the connection is closed$"):
        nc.publish("a")


def test_a_connect_that_fails_raises_and_tells_nobody(server, caplog):
    seen = []
    url = server.url
    server.stop()
    with pytest.raises(errors.NoServersError):
        martlet.connect(url, error_cb=seen.append)
    with pytest.raises(errors.NoServersError):
        run(aio.connect(url, error_cb=seen.append))
    with pytest.raises(errors.NoServersError):
        run(aio.connect(url))
    assert seen == [] and caplog.records == []


def test_without_error_cb_the_log_tells(server, caplog):
    closed = threading.Event()
    with caplog.at_level(logging.WARNING, logger="martlet"):
        martlet.connect(server.url, **QUICK, closed_cb=closed.set)
        server.stop()
        assert closed.wait(30)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "disconnected: the server closed the connection"
    assert lines[-1].startswith("closed: nats://") and "refused" in lines[-1]


def test_asyncio_a_server_that_does_not_know_us_any_more():
    async def main():
        first = martlet.Server(user="u", password="one").start()
        seen = []
        nc = await aio.connect(
            first.url, user="u", password="one", **QUICK, **listeners(seen)
        )
        with another(first, user="u", password="two"):
            while "closed" not in seen:
                await asyncio.sleep(0.01)
        told = [what for what in seen if isinstance(what, errors.AuthorizationError)]
        assert "Authorization Violation" in str(told[-1])
        assert seen[-1] == "closed" and seen[-2] is told[-1] and nc.is_closed

    run(main())


def test_asyncio_what_waits_at_the_end_learns_why(server):
    async def main():
        nc = await aio.connect(server.url, allow_reconnect=False)
        await nc.subscribe("a", cb=lambda msg: None)
        asked = asyncio.ensure_future(nc.request("a", timeout=None))
        await nc.flush(20)
        await asyncio.to_thread(server.stop) if hasattr(asyncio, "to_thread") else server.stop()
        with pytest.raises(errors.Error, match="connection"):
            await asked

    run(main())
