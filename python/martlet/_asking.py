# SPDX-License-Identifier: Apache-2.0
"""What the requests of both clients share: the words of one that fails, the time that its parts
share, and the asking of many.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, AsyncIterator, Callable, Iterator, Optional, Union

from . import _constants, _raw, _surface, errors

if TYPE_CHECKING:
    from . import aio, client


class Deadline:
    """Of a call whose parts share its time."""

    def __init__(self, timeout: Optional[float]) -> None:
        _raw.timeout_ms(timeout)  # Raises for what is none.
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> Optional[float]:
        return None if self._end is None else max(self._end - time.monotonic(), 0.0)


def name_request(error: errors.Error, subject: str, timeout: Optional[float]) -> errors.Error:
    """The failure of a request, which names what was asked for."""
    if not isinstance(error, (errors.NoRespondersError, errors.TimeoutError)):
        return error
    text = _raw.request_failure_text(error.status, subject, timeout)
    return errors.from_status(error.status, text)


def end_of_answers(subject: str) -> Callable[..., None]:
    """For the reader of the answers to a request: raises what ended them, unless it is the time."""

    def on_event(
        kind: int, status: int, cookie: int, message: Union[_raw.Msg, _raw.AioMsg]
    ) -> None:
        if status < 0 and status != _constants.ERR_TIMEOUT:
            text = _raw.request_failure_text(status, subject, None)
            raise errors.from_status(status, _surface.text_of(message) or text)

    return on_event


def ask_many(
    connection: "client.Connection",
    subject: str,
    payload: _surface.Payload,
    timeout: Optional[float],
    headers: Optional[_surface.HeadersLike],
    max_msgs: int,
) -> Iterator[_raw.Msg]:
    _surface.check_count("max_msgs", max_msgs)
    answers = _raw.Reader(connection)
    answers.on_event = end_of_answers(subject)
    deadline = Deadline(timeout)
    while bytes_needed := connection.request_many_start(
        subject, payload, deadline.left(), headers, max_msgs, answers, 0
    ):
        connection.wait_capacity_now(bytes_needed, deadline.left())
    return answers


async def ask_many_async(
    connection: "aio.Connection",
    subject: str,
    payload: _surface.Payload,
    timeout: Optional[float],
    headers: Optional[_surface.HeadersLike],
    max_msgs: int,
) -> AsyncIterator[_raw.AioMsg]:
    _surface.check_count("max_msgs", max_msgs)
    answers = _raw.AioReader(connection, notifier=connection._notifier)
    answers.loop = connection._loop
    answers.on_event = end_of_answers(subject)

    def start(left: Optional[float]) -> int:
        return connection.request_many_start(subject, payload, left, headers, max_msgs, answers, 0)

    await start_when_room(connection, start(timeout), timeout, start)
    return answers


async def request_when_room(
    connection: "aio.Connection",
    bytes_needed: int,
    subject: str,
    payload: _surface.Payload,
    timeout: Optional[float],
    headers: Optional[_surface.HeadersLike],
    cookie: int,
) -> None:
    def start(left: Optional[float]) -> int:
        return connection.request_start(
            subject, payload, left, headers, connection._completions, cookie
        )

    await start_when_room(connection, bytes_needed, timeout, start)


async def start_when_room(
    connection: "aio.Connection",
    bytes_needed: int,
    timeout: Optional[float],
    start: Callable[[Optional[float]], int],
) -> None:
    """Starts a request when there is room for its bytes, if it needs some; it may then again."""
    deadline = Deadline(timeout)
    while bytes_needed > 0:
        try:
            await asyncio.wait_for(connection._wait_capacity(bytes_needed), deadline.left())
        except asyncio.TimeoutError:
            raise errors.TimeoutError("the outgoing buffer had no room in time") from None
        bytes_needed = start(deadline.left())
