# SPDX-License-Identifier: Apache-2.0
"""What the raw module offers beyond what the friendly classes use: it has the whole C ABI."""

from __future__ import annotations

import select

import pytest

import martlet
from martlet import _constants, _raw

WAIT_SECONDS = 10.0


def test_many_answers_to_one_request(nc):
    for name in (b"first", b"second"):
        nc.subscribe("who", cb=lambda message, name=name: message.respond(name))
    nc.flush()
    reader = _raw.Reader(completions=True)
    answers = []

    def on_event(kind, status, cookie, message):
        more = bool(message.flags & _constants.FLAG_MORE_FOLLOWS)
        answers.append((kind, status, cookie, more, message.data))
        if not more:
            reader.close_queue()

    reader.on_event = on_event
    descriptor = _raw.queue_descriptor(reader)
    assert select.select([descriptor], [], [], 0)[0] == []
    assert nc.request_many_start("who", b"?", WAIT_SECONDS, None, 2, reader, 7) == 0
    assert select.select([descriptor], [], [], WAIT_SECONDS)[0] == [descriptor]
    reader.dispatch({}, None)  # Until the queue is closed and empty.
    reply = _constants.KIND_REPLY
    assert [answer[:4] for answer in answers] == [(reply, 0, 7, True), (reply, 0, 7, False)]
    assert {answer[4] for answer in answers} == {b"first", b"second"}


def test_many_answers_of_nobody(nc):
    reader = _raw.Reader(completions=True)
    told = []

    def on_event(kind, status, cookie, message):
        told.append((kind, status, cookie))
        reader.close_queue()

    reader.on_event = on_event
    assert nc.request_many_start("nobody", b"?", WAIT_SECONDS, None, 0, reader, 8) == 0
    reader.dispatch({}, None)
    assert told == [(_constants.KIND_REPLY, _constants.ERR_NO_RESPONDERS, 8)]


def test_one_reader_tells_of_another(nc):
    reader, hub = _raw.Reader(), _raw.Reader(completions=True)
    reader.subscribe(nc, "a", "", "")
    _raw.queue_notify_ready(reader, hub, 9)
    told = []

    def on_event(kind, status, cookie, message):
        told.append((kind, status, cookie))
        hub.close_queue()

    hub.on_event = on_event
    nc.publish("a", b"x")
    hub.dispatch({}, None)
    assert told == [(_constants.KIND_READY, 0, 9)]
    assert [message.data for message in reader.fetch(0)] == [b"x"]


def test_what_many_answers_and_a_descriptor_refuse(nc):
    reader = _raw.Reader(completions=True)
    with pytest.raises(martlet.errors.InvalidArgumentError):
        nc.request_many_start("who", b"?", 1.0, None, -1, reader, 1)
    with pytest.raises(martlet.errors.BadSubjectError):
        nc.request_many_start("a b", b"?", 1.0, None, 1, reader, 1)
    with pytest.raises(TypeError, match="a reader is needed"):
        nc.request_many_start("who", b"?", 1.0, None, 1, object(), 1)
    with pytest.raises(TypeError, match="a reader is needed"):
        _raw.queue_descriptor(object())
    with pytest.raises(martlet.errors.InvalidArgumentError):
        _raw.queue_notify_ready(reader, reader, 1)
    with pytest.raises(TypeError, match="a reader is needed"):
        _raw.queue_notify_ready(reader, object(), 1)
    with pytest.raises(martlet.errors.ConnectionClosedError):
        _raw.queue_descriptor(_raw.Reader.__new__(_raw.Reader))


def test_an_error_tells_its_own_status(server):
    with pytest.raises(martlet.errors.StateError, match="runs"):
        server.start_now()
