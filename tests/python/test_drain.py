# SPDX-License-Identifier: Apache-2.0
"""Goal: a drain of the synchronous client ends in order, and what came is handed out before.
Method: each promise over a socket and inside the process.
"""

from __future__ import annotations

import threading
import time

import pytest

import martlet
from martlet import errors


def test_drain_waits_for_what_is_read(way):
    nc = martlet.connect(way)
    sub = nc.subscribe("a")
    for number in range(100):
        nc.publish("a", b"%d" % number)
    read = []
    thread = threading.Thread(target=lambda: read.extend(msg.data for msg in sub))
    thread.start()
    nc.drain(30)
    assert nc.is_closed
    thread.join(10)
    assert read == [b"%d" % number for number in range(100)]
    with pytest.raises(errors.ConnectionClosedError):
        nc.publish("a")
    with pytest.raises(errors.ConnectionClosedError):
        nc.drain()


def test_callbacks_answer_while_the_connection_drains(way):
    nc = martlet.connect(way)
    other = martlet.connect(way)
    answers = other.subscribe("answers")
    other.flush()

    def answer(msg):
        time.sleep(0.002)
        nc.publish("answers", msg.data)

    nc.subscribe("questions", cb=answer)
    nc.flush()
    for number in range(50):
        other.publish("questions", b"%d" % number)
    other.flush()
    nc.drain(30)
    assert nc.is_closed
    assert [answers.next_msg(5).data for _ in range(50)] == [b"%d" % n for n in range(50)]
    other.close()


def test_a_drain_sees_what_a_thread_took_while_another_ran_python(way):
    """Who takes messages needs the GIL to count them: until then the drain must not miss them."""
    done = threading.Event()

    def keep_the_gil():
        while not done.is_set():
            pass

    rivals = [threading.Thread(target=keep_the_gil) for _ in range(3)]
    for rival in rivals:
        rival.start()
    other = martlet.connect(way)
    answers = other.subscribe("answers")
    other.flush()
    try:
        for _ in range(20):
            nc = martlet.connect(way)
            nc.subscribe("questions", cb=lambda msg, nc=nc: nc.publish("answers", msg.data))
            nc.flush()
            other.publish("questions", b"?")
            other.flush()
            nc.drain(30)
            assert answers.next_msg(5).data == b"?"
    finally:
        done.set()
        for rival in rivals:
            rival.join()
        other.close()


def test_a_drain_that_takes_too_long_says_so_and_closes(way):
    nc = martlet.connect(way)
    sub = nc.subscribe("a")
    for number in range(10):
        nc.publish("a", b"%d" % number)
    nc.flush()
    with pytest.raises(errors.TimeoutError):
        nc.drain(0.2)
    assert nc.is_closed
    assert [msg.data for msg in sub] == [b"%d" % number for number in range(10)]


def test_a_callback_may_begin_the_drain(way):
    closed = threading.Event()
    nc = martlet.connect(way, closed_cb=closed.set)
    nc.subscribe("a", cb=lambda msg: nc.drain(30))
    nc.publish("a")
    assert closed.wait(30)
    assert nc.is_closed
    nc.close()
