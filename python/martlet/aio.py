# SPDX-License-Identifier: Apache-2.0
"""The asyncio client: ``await martlet.aio.connect(...)``.

The loop itself reads the socket, by a descriptor of the library under ``loop.add_reader``; one
wake-up moves everything that has gathered meanwhile. With ``run="thread"`` a thread of the library
reads, and keeps the connection alive while the loop is busy. All methods belong to the loop that
``connect`` ran on.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import os
import weakref
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Dict,
    List,
    Optional,
    Sequence,
    Set,
    Type,
    Union,
)

from . import _asking, _constants, _options, _process, _raw, _surface, _tasks, errors
from ._raw import AioMsg as Msg
from ._surface import ErrorCallback, EventCallback, HeadersLike, Payload
from .server import Server

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Connection", "Msg", "Subscription", "connect"]

Callback = Union[Callable[[Msg], Awaitable[object]], Callable[[Msg], object]]


class Subscription(_surface.SubscriptionCounts, _raw.AioReader):
    """Messages of one subject, for ``async for`` (one task at a time) or :meth:`next_msg`.

    Made by :meth:`Connection.subscribe`. As an async context manager it unsubscribes at the end.
    Since 0.1.0.
    """

    def __init__(self, connection: "Connection", subject: str, queue: str) -> None:
        super().__init__(connection, _options.OPEN_QUEUE, connection._notifier)
        self.loop = connection._loop
        self.subject = subject
        self.queue = queue

    async def next_msg(self, timeout: Optional[float] = 1.0) -> Msg:
        """The next message; waits at most ``timeout`` seconds (None: without limit).

        Raises:
            martlet.errors.TimeoutError: Nothing came in time.
            martlet.errors.ConnectionClosedError: Nothing can come any more.
        """
        message: Optional[Msg] = self.next_at_once(timeout)
        if message is not None:
            return message
        if self.ended:
            raise errors.ConnectionClosedError("the subscription has ended")
        if timeout == 0:
            raise errors.TimeoutError("no message in time")
        try:
            return await asyncio.wait_for(self._next(), timeout)
        except asyncio.TimeoutError:
            raise errors.TimeoutError("no message in time") from None

    async def _next(self) -> Msg:
        try:
            return await self.__anext__()
        except StopAsyncIteration:
            raise errors.ConnectionClosedError("the subscription has ended") from None

    async def batches(self) -> AsyncIterator[List[Msg]]:
        """Lists of messages, each what has gathered meanwhile: the fastest way to read."""
        async for message in self:
            yield [message, *self.take_at_hand()]

    async def unsubscribe(self, limit: int = 0) -> None:
        """Ends the subscription now, or by itself after ``limit`` messages counted from its
        beginning.
        """
        _surface.unsubscribe(self, limit)

    async def drain(self) -> None:
        """Ends the subscription in order: what was sent before the server learned of the end
        still comes.
        """
        self.drain_start()

    async def __aenter__(self) -> "Subscription":
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if not self.ended:
            try:
                await self.unsubscribe()
            except errors.ConnectionClosedError:
                pass


class Connection(_surface.ConnectionState, _raw.Connection):
    """A connection to a broker, for one asyncio loop. Made by :func:`connect`.

    As an async context manager it sends everything and closes at the end. One that nobody holds
    any more closes too, unless one of its subscriptions has a callback. Since 0.1.0.

    ``await publish(subject, payload=b"", reply="", headers=None)`` copies the message into the
    outgoing buffer, at once when it is called; while that is at its bound (``pending_size``) the
    message is taken when what publish gave is awaited, or run as a task: who does neither loses it
    then, with Python's warning about a coroutine that was never awaited. Raises BadSubjectError,
    MaxPayloadError, ConnectionClosedError, DrainingError, DisconnectedError, and LimitError when
    65,536 calls wait for room already.
    """

    if TYPE_CHECKING:

        def publish(  # type: ignore[override]
            self,
            subject: str,
            payload: Payload = b"",
            reply: str = "",
            headers: Optional[HeadersLike] = None,
        ) -> Coroutine[Any, Any, None]: ...

    else:
        publish = _raw.Connection.publish_awaitable

    def __init__(
        self,
        options: str,
        server: Optional[Server],
        callbacks: _surface.Callbacks,
        *,
        lent: bool = True,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._options = options
        self._server = server  # Lives as long as its connections.
        self._callbacks = callbacks
        self._timer: Optional[asyncio.TimerHandle] = None
        self._lent_descriptor = -1
        self._subscriptions: "weakref.WeakSet[Subscription]" = weakref.WeakSet()
        self._notifier = _raw.Notifier()
        self._completions = _raw.AioReader(notifier=self._notifier, completions=True)
        self._completions.on_event = self._on_completion
        self._waiting: Dict[int, "asyncio.Future[Any]"] = {}
        self._cookies = itertools.count(1)
        self._opened: "asyncio.Future[None]" = self._loop.create_future()
        self._ended: "asyncio.Future[Optional[Exception]]" = self._loop.create_future()
        self._tasks: Set["asyncio.Task[Any]"] = set()
        self._callback_tasks: Set["asyncio.Task[Any]"] = set()
        # Those with callbacks live until they end, and so does their connection, also when nobody
        # holds them: the loop does.
        self._kept: Dict[int, Subscription] = {}
        super().__init__(options, server, self._completions)
        self._completions.connection = self
        if lent:
            self._lent_descriptor = self.descriptor()
            # The loop must not keep a connection that nobody else holds.
            self._turn_later = _tasks.weak_call(self, "_turn")
            self._turn_when_due = _tasks.weak_call(self, "_on_timer")
            self._loop.add_reader(self._lent_descriptor, self._turn_later)
        self._loop.add_reader(self._notifier.descriptor, _drain, self._notifier, self._kept)
        _process.close_at_exit(self)

    async def _connect(self) -> None:
        self.start()
        if self._lent_descriptor >= 0:
            self._turn()
        await self._opened

    def _turn(self) -> None:
        """The library's turn on this loop: reads and writes what can be, and wakes who waits."""
        if self._lent_descriptor < 0:
            return
        left_ms = self.turn(self._notifier)
        if left_ms == -2:
            self._return_loop()
        if left_ms < 0:
            return
        due = self._loop.time() + left_ms / 1000
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._turn_when_due)

    def _on_timer(self) -> None:
        self._timer = None
        self._turn()

    def _is_forked(self) -> bool:
        """In a child's copy the loop is the parent's: even its epoll is shared with it."""
        return os.getpid() != self._process

    def _return_loop(self) -> None:
        if self._is_forked():
            return
        if self._lent_descriptor >= 0:
            self._loop.remove_reader(self._lent_descriptor)
            self._lent_descriptor = -1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _finish(self) -> None:
        """After the end: hands out what is left, then gives back what the connection holds."""
        self.free_now()
        if self._notifier.drain():
            self._loop.call_soon(self._finish)
            return
        if self._notifier.descriptor >= 0:
            self._loop.remove_reader(self._notifier.descriptor)
            self._notifier.close()
        _surface.let_go(list(self._subscriptions))
        self._completions.let_go()
        self._completions.on_event = None
        self._completions.connection = None
        self._kept.clear()

    # --- messages ---

    async def _publish_later(
        self,
        message_bytes: int,
        subject: str,
        payload: Payload,
        reply: str,
        headers: Optional[HeadersLike],
    ) -> None:
        while True:
            await self._wait_capacity(message_bytes)
            if self.publish_try(subject, payload, reply, headers):
                return

    async def _wait_capacity(self, message_bytes: int) -> None:
        cookie, future = self._expect()
        try:
            self.notify_capacity(message_bytes, self._completions, cookie)
            await future
        finally:
            self._waiting.pop(cookie, None)

    async def request(
        self,
        subject: str,
        payload: Payload = b"",
        timeout: Optional[float] = 0.5,
        headers: Optional[HeadersLike] = None,
    ) -> Msg:
        """Sends a request and waits at most ``timeout`` seconds (None: without limit) for its
        first answer; waiting for room in the outgoing buffer counts.

        Raises:
            martlet.errors.NoRespondersError: Nobody listens to the subject.
            martlet.errors.TimeoutError: Nobody answered in time.
        """
        cookie, future = self._expect()
        try:
            bytes_needed = self.request_start(
                subject, payload, timeout, headers, self._completions, cookie
            )
            if bytes_needed > 0:
                await _asking.request_when_room(
                    self, bytes_needed, subject, payload, timeout, headers, cookie
                )
            try:
                reply: Msg = await future
            except errors.Error as error:
                raise _asking.name_request(error, subject, timeout) from None
            return reply
        finally:
            self._waiting.pop(cookie, None)

    async def request_many(
        self,
        subject: str,
        payload: Payload = b"",
        timeout: Optional[float] = 0.5,
        headers: Optional[HeadersLike] = None,
        *,
        max_msgs: int = 0,
    ) -> AsyncIterator[Msg]:
        """Sends a request that several may answer, and gives what iterates over the answers as
        they come: ``async for answer in await connection.request_many(...)``. It ends as that of
        :meth:`martlet.Connection.request_many`, and raises the same.
        """
        return await _asking.ask_many_async(self, subject, payload, timeout, headers, max_msgs)

    async def subscribe(
        self,
        subject: str,
        queue: str = "",
        cb: Optional[Callback] = None,
        *,
        max_msgs: int = 0,
        pending_msgs_limit: Optional[int] = None,
        pending_bytes_limit: Optional[int] = None,
        policy: Optional[_options.Policy] = None,
    ) -> Subscription:
        """Subscribes to a subject, or to a pattern with ``*`` and ``>``.

        Args:
            queue: The queue group: each message goes to one of its members.
            cb: Called with each message on the loop: a function, or a coroutine function, which
                is awaited before it is called again. What a function gives that can be awaited
                becomes a task; nobody waits for it before the next message. Without cb the
                subscription is iterated, and unsubscribes when nobody holds it any more.
            max_msgs: Ends by itself after so many; 0: never.
            pending_msgs_limit, pending_bytes_limit, policy: As for
                :meth:`martlet.Connection.subscribe`.

        Raises:
            martlet.errors.BadSubjectError, martlet.errors.OptionsError,
            martlet.errors.ConnectionClosedError.
        """
        _surface.check_subscribe(cb, self.is_draining, max_msgs)
        options = _options.subscription_json(pending_msgs_limit, pending_bytes_limit, policy)
        subscription = Subscription(self, subject, queue)
        subscription.on_event = self._on_completion
        if cb is not None and not _surface.is_coroutine_function(cb):
            subscription.callback = cb
            subscription.on_error = self._on_callback_error
            subscription.on_result = functools.partial(self._await_later, subscription)
        number = next(self._cookies)
        with _options.named_as_given(_options.SUBSCRIPTION):
            subscription.subscribe(self, subject, queue, options, subscription, number)
        self._subscriptions.add(subscription)
        if cb is not None:
            self._kept[number] = subscription
            subscription._forget = functools.partial(self._kept.pop, number, None)
            if subscription.callback is None:
                self._start_task(self._run_callback(subscription, cb), self._callback_tasks)
        if max_msgs > 0:
            subscription.auto_unsubscribe(max_msgs)
        return subscription

    async def flush(self, timeout: Optional[float] = 10.0) -> None:
        """Sends everything and waits for the server's answer: what was published before has then
        been processed.

        Raises:
            martlet.errors.TimeoutError, martlet.errors.ConnectionClosedError.
        """
        cookie, future = self._expect()
        try:
            self.flush_start(timeout, self._completions, cookie)
            await future
        finally:
            self._waiting.pop(cookie, None)

    # --- the end ---

    async def drain(self, timeout: Optional[float] = None) -> None:
        """Ends in order: no new message comes; what came is handed to callbacks and read by
        iterations, which may still publish; what was published is sent; then the connection is
        closed. Waits for that, but at most ``timeout`` seconds; None: the option
        ``drain_timeout``. Called in a callback it only begins all that.

        It waits for messages that nobody has read, so whoever iterates has to go on, in another
        task. What is left when the time is over can still be read.

        Raises:
            martlet.errors.TimeoutError: Something had not been read or sent in time; the
                connection is closed nevertheless.
            martlet.errors.ConnectionClosedError, martlet.errors.DisconnectedError.
        """
        drain = _surface.Drain(self._options, timeout)
        if asyncio.current_task() in self._callback_tasks:
            self._start_task(self._drain_later(timeout), self._tasks)
            return
        if self._draining:
            await asyncio.wait([self._ended], timeout=timeout)
            return
        if not self.is_connected:
            self.drain_start(0)  # Says why not.
        self._draining = True
        try:
            drain.begin(list(self._subscriptions))
            await self.flush(drain.left())
            while drain.goes_on(list(self._subscriptions)):
                await asyncio.sleep(drain.POLL_SECONDS)
            self.drain_start(drain.left())
        except BaseException:
            self.close_now()  # Its subscriptions have ended: there is no way back.
            raise
        finally:
            self._draining = False
        reason = await asyncio.shield(self._ended)
        if reason is not None:
            raise reason

    async def _drain_later(self, timeout: Optional[float]) -> None:
        try:
            await self.drain(timeout)
        except errors.Error as error:
            self._on_callback_error(error)

    async def close(self) -> None:
        """Closes at once. May be called twice."""
        if not self.is_closed:
            self.close_now()
        if not self._ended.done():
            await asyncio.shield(self._ended)

    # --- what is ---

    async def rtt(self, timeout: Optional[float] = 10.0) -> float:
        """Seconds to the server and back."""
        begin = self._loop.time()
        await self.flush(timeout)
        return self._loop.time() - begin

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            if kind is None and self.is_connected:
                await self.flush()
        except errors.Error:
            pass
        finally:
            await self.close()

    def _expect(self) -> "tuple[int, asyncio.Future[Any]]":
        cookie = next(self._cookies)
        future: "asyncio.Future[Any]" = self._loop.create_future()
        self._waiting[cookie] = future
        return cookie, future

    async def _run_callback(self, subscription: Subscription, cb: Callback) -> None:
        async for message in subscription:
            if not subscription._left:  # After unsubscribe it is not called again.
                await self._run_once(subscription, cb, message)

    async def _run_once(
        self, subscription: Subscription, cb: Callable[..., object], *arguments: object
    ) -> None:
        """Calls a callback and awaits what it gives; errors are told."""
        subscription._running += 1
        try:
            result = cb(*arguments)
            if inspect.isawaitable(result):
                await result
        except asyncio.CancelledError as cancelled:
            if _tasks.is_being_cancelled():
                raise
            error = errors.StateError("a callback ended with CancelledError")
            error.__cause__ = cancelled
            self._on_callback_error(error)
        except Exception as error:  # noqa: BLE001
            self._on_callback_error(error)
        finally:
            subscription._running -= 1

    def _await_later(self, subscription: Subscription, result: object) -> None:
        """A callback that is a plain function gave this."""
        if inspect.isawaitable(result):
            task = self._run_once(subscription, lambda: result)
            self._start_task(task, self._callback_tasks)

    def _on_completion(self, kind: int, status: int, cookie: int, message: Msg) -> None:
        if kind in (_constants.KIND_REPLY, _constants.KIND_FLUSHED, _constants.KIND_CAPACITY):
            future = self._waiting.pop(cookie, None)
            if future is None or future.done():
                return
            if status < 0:
                text = _surface.text_of(message) or _raw.failure_text(status)
                future.set_exception(errors.from_status(status, text))
            else:
                future.set_result(message)
        else:
            self._on_event(kind, status, cookie, message)

    def _on_event(self, kind: int, status: int, cookie: int, message: Msg) -> None:
        text = _surface.text_of(message)
        if kind == _constants.KIND_SUBSCRIPTION_END:
            self._kept.pop(cookie, None)
            return
        if kind == _constants.KIND_CONNECTED and not self._opened.done():
            self._opened.set_result(None)
        elif kind == _constants.KIND_CLOSED:
            self._on_closed(status, text)
        self._callbacks.on_event(kind, status, text, self._call)

    def _on_closed(self, status: int, text: str) -> None:
        self._return_loop()
        if not self._opened.done():
            why = errors.from_status(status or -9, text or "the connection was closed")
            self._opened.set_exception(why)
        if not self._ended.done():
            self._ended.set_result(errors.from_status(status, text) if status < 0 else None)
        closed = "the connection was closed" + (f" ({text})" if status < 0 and text else "")
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(errors.ConnectionClosedError(closed))
        self._waiting.clear()
        self._loop.call_soon(self._finish)

    def _on_callback_error(self, error: Exception) -> None:
        self._callbacks.on_callback_error(error, self._call)

    def _call(self, callback: Callable[..., object], *arguments: object) -> None:
        """Calls a callback of the program; a coroutine function's coroutine becomes a task."""
        try:
            result = callback(*arguments)
        except Exception as error:  # noqa: BLE001 - told, as any other error of the program's.
            _surface.logger.error("a callback raised", exc_info=error)
            return
        if inspect.iscoroutine(result):
            self._start_task(result, self._tasks)

    def _start_task(
        self, coroutine: Coroutine[Any, Any, object], tasks: "Set[asyncio.Task[Any]]"
    ) -> None:
        task = self._loop.create_task(coroutine)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def _close_at_exit(self, timeout: float) -> None:
        self.close_now()

    def __del__(self) -> None:
        notifier = self.__dict__.get("_notifier")
        if notifier is None or self._is_forked() or self._loop.is_closed():
            return
        try:
            if notifier.descriptor >= 0:
                self._loop.remove_reader(notifier.descriptor)
            self._return_loop()
        except (RuntimeError, OSError, ValueError):
            pass  # Another thread's loop, or one that is being torn down.


def _drain(notifier: _raw.Notifier, kept: Dict[int, Subscription]) -> None:
    """What the loop calls: it holds the subscriptions with callbacks by that."""
    notifier.drain()


async def connect(
    servers: Union[str, Sequence[str], Server] = "nats://127.0.0.1:4222",
    *,
    error_cb: Optional[ErrorCallback] = None,
    disconnected_cb: Optional[EventCallback] = None,
    reconnected_cb: Optional[EventCallback] = None,
    closed_cb: Optional[EventCallback] = None,
    discovered_server_cb: Optional[EventCallback] = None,
    lame_duck_mode_cb: Optional[EventCallback] = None,
    **options: Unpack[_options.AioConnectOptions],
) -> Connection:
    """Connects to a broker. Arguments and errors as for :func:`martlet.connect`; callbacks run
    on the loop and may be coroutine functions. What no ``error_cb`` hears is a warning of the
    logger ``martlet``. ``run`` is "lent" (the default: the loop reads the socket) or "thread" (a
    thread of the library does). Since 0.1.0.
    """
    run = options.pop("run", None) or "lent"
    if run not in ("lent", "thread"):
        raise errors.OptionsError('option "run" must be "lent" or "thread" here')
    text, server = _surface.connection_arguments(servers, options, run=run)
    callbacks = _surface.Callbacks(
        error_cb,
        disconnected_cb,
        reconnected_cb,
        closed_cb,
        discovered_server_cb,
        lame_duck_mode_cb,
    )
    with _options.named_as_given(_options.CONNECTION):
        connection = Connection(text, server, callbacks, lent=run == "lent")
    try:
        await connection._connect()
    except BaseException:
        connection.close_now()
        raise
    return connection
