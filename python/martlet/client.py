# SPDX-License-Identifier: Apache-2.0
"""The synchronous client: a connection, its subscriptions, and ``connect``.

Every call may be made from any thread. What waits does so without the GIL, and Ctrl-C ends it.
"""

from __future__ import annotations

import itertools
import json
import logging
import threading
from types import TracebackType
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Type, Union

from . import _options, _process, _raw, errors
from ._raw import Msg
from .server import Server

__all__ = ["Connection", "Subscription", "connect"]

HeadersLike = Mapping[str, Union[str, Sequence[str]]]
Payload = Union[bytes, bytearray, memoryview]
Callback = Callable[[Msg], object]
ErrorCallback = Callable[[Exception], object]
EventCallback = Callable[[], object]

_logger = logging.getLogger("martlet")


class Subscription(_raw.Reader):
    """Messages of one subject. Iterate it, or ask it with :meth:`next_msg`; one thread at a time.

    Made by :meth:`Connection.subscribe`. As a context manager it unsubscribes at the end. Since
    0.1.0.
    """

    def __init__(self, connection: "Connection", subject: str, queue: str) -> None:
        super().__init__(connection)
        self.subject = subject
        self.queue = queue
        self._forget: Optional[Callable[[], None]] = None

    def next_msg(self, timeout: Optional[float] = 1.0) -> Msg:
        """The next message; waits at most ``timeout`` seconds (None: without limit).

        Raises:
            martlet.errors.TimeoutError: Nothing came in time.
            martlet.errors.ConnectionClosedError: Nothing can come any more.
        """
        return self.next_message(timeout)

    def batches(self, timeout: Optional[float] = None) -> Iterator[List[Msg]]:
        """Lists of messages, each what has gathered meanwhile: the fastest way to read. Ends
        after ``timeout`` seconds without a message, or with the subscription.
        """
        while True:
            messages = self.fetch(timeout)
            if not messages:
                return
            yield messages

    def unsubscribe(self, limit: int = 0) -> None:
        """Ends the subscription now, or by itself after ``limit`` messages counted from its
        beginning.
        """
        if limit > 0:
            self.auto_unsubscribe(limit)
            return
        self.unsubscribe_now()
        self.close_queue()
        if self._forget is not None:
            self._forget()

    def drain(self) -> None:
        """Ends the subscription in order: what was sent before the server learned of the end
        still comes.
        """
        self.drain_start()

    @property
    def pending_msgs(self) -> int:
        """Messages that wait to be read."""
        return self.counts()[0]

    @property
    def pending_bytes(self) -> int:
        """Their bytes, as the bound counts them."""
        return self.counts()[1]

    @property
    def dropped(self) -> int:
        """Messages lost at the bound."""
        return self.counts()[2]

    @property
    def delivered(self) -> int:
        """Messages that came, whatever became of them."""
        return self.counts()[3]

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if not self.ended:
            try:
                self.unsubscribe()
            except errors.ConnectionClosedError:
                pass


class _Dispatcher:
    """The thread that runs a connection's callbacks, in order. Started by the first of them."""

    def __init__(self, connection: "Connection", on_event: Callable[..., None]) -> None:
        self.reader = _raw.Reader(connection)
        self.reader.on_event = on_event
        self.callbacks: Dict[int, Callback] = {}
        self._numbers = itertools.count(1)
        self._thread: Optional[threading.Thread] = None

    def start(self, on_error: Callable[[Exception], None]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self.reader.dispatch,
                args=(self.callbacks, on_error),
                name="martlet-callbacks",
                daemon=True,
            )
            self._thread.start()

    def add(self, callback: Callback) -> int:
        number = next(self._numbers)
        self.callbacks[number] = callback
        return number

    def close(self) -> None:
        self.reader.close_queue()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()


class Connection(_raw.Connection):
    """A connection to a broker. Made by :func:`connect`.

    It reconnects by itself and then restores its subscriptions. Callbacks run one after the
    other on a thread of the connection; they may call anything. As a context manager it sends
    everything and closes at the end. Since 0.1.0.

    ``publish(subject, payload=b"", reply="", headers=None)`` copies the message into the
    outgoing buffer; while that is at its bound (``pending_size``) it waits, without the GIL.
    Raises BadSubjectError, MaxPayloadError, ConnectionClosedError, DrainingError,
    DisconnectedError.
    """

    def __init__(
        self,
        options: str,
        server: Optional[Server],
        *,
        error_cb: Optional[ErrorCallback] = None,
        disconnected_cb: Optional[EventCallback] = None,
        reconnected_cb: Optional[EventCallback] = None,
        closed_cb: Optional[EventCallback] = None,
        discovered_server_cb: Optional[EventCallback] = None,
        lame_duck_mode_cb: Optional[EventCallback] = None,
    ) -> None:
        self._error_cb = error_cb
        self._event_cbs: Dict[int, Optional[EventCallback]] = {
            _raw.KIND_DISCONNECTED: disconnected_cb,
            _raw.KIND_RECONNECTED: reconnected_cb,
            _raw.KIND_CLOSED: closed_cb,
            _raw.KIND_DISCOVERED_SERVERS: discovered_server_cb,
            _raw.KIND_LAME_DUCK: lame_duck_mode_cb,
        }
        self._dispatcher = _Dispatcher(self, self._on_event)
        wants_events = error_cb is not None or any(self._event_cbs.values())
        super().__init__(options, server, self._dispatcher.reader if wants_events else None)
        if wants_events:
            self._dispatcher.start(self._on_callback_error)
        _process.close_at_exit(self)

    # --- messages ---

    def request(
        self,
        subject: str,
        payload: Payload = b"",
        timeout: Optional[float] = 0.5,
        headers: Optional[HeadersLike] = None,
    ) -> Msg:
        """Sends a request and waits at most ``timeout`` seconds (None: without limit) for its
        first answer.

        Raises:
            martlet.errors.NoRespondersError: Nobody listens to the subject.
            martlet.errors.TimeoutError: Nobody answered in time.
        """
        return self.request_now(subject, payload, timeout, headers)

    def subscribe(
        self,
        subject: str,
        queue: str = "",
        cb: Optional[Callback] = None,
        *,
        max_msgs: int = 0,
        pending_msgs_limit: Optional[int] = None,
        pending_bytes_limit: Optional[int] = None,
        policy: Optional[str] = None,
    ) -> Subscription:
        """Subscribes to a subject, or to a pattern with ``*`` and ``>``.

        Args:
            queue: The queue group: each message goes to one of its members.
            cb: Called with each message on the connection's callback thread; without it the
                subscription is iterated.
            max_msgs: Ends by itself after so many; 0: never.
            pending_msgs_limit: Messages that may wait unread; 0 or None: as many as the queue
                holds (65,536).
            pending_bytes_limit: The same in bytes.
            policy: What happens at the bound: "block_reader" (the default: nothing is lost, the
                connection stops reading), "refuse_new", "drop_oldest" or
                "keep_latest_of_each_subject".

        Raises:
            martlet.errors.BadSubjectError, martlet.errors.OptionsError,
            martlet.errors.ConnectionClosedError.
        """
        if cb is not None and not callable(cb):
            raise TypeError(f"cb must be callable, not {type(cb).__name__}")
        options = _options.subscription_json(pending_msgs_limit, pending_bytes_limit, policy)
        subscription = Subscription(self, subject, queue)
        if cb is None:
            subscription.subscribe(self, subject, queue, options)
        else:
            number = self._dispatcher.add(cb)
            try:
                subscription.subscribe(
                    self, subject, queue, options, self._dispatcher.reader, number
                )
            except BaseException:
                self._dispatcher.callbacks.pop(number, None)
                raise
            subscription._forget = lambda: self._dispatcher.callbacks.pop(number, None) and None
            self._callback_subscriptions().append(subscription)
            self._dispatcher.start(self._on_callback_error)
        if max_msgs > 0:
            subscription.auto_unsubscribe(max_msgs)
        return subscription

    def flush(self, timeout: Optional[float] = 10.0) -> None:
        """Sends everything and waits for the server's answer: what was published before has then
        been processed.

        Raises:
            martlet.errors.TimeoutError, martlet.errors.ConnectionClosedError.
        """
        self.flush_now(timeout)

    def new_inbox(self) -> str:
        """A subject that nobody else uses."""
        return self.new_inbox_now()

    # --- the end ---

    def drain(self, timeout: Optional[float] = None) -> None:
        """Ends in order: no new message comes, what was published is sent; then the connection
        is closed. What subscriptions still hold can be read. ``timeout`` in seconds; None: the
        option ``drain_timeout``.
        """
        self.drain_now(-1 if timeout is None else int(timeout * 1000))
        self._dispatcher.close()

    def close(self) -> None:
        """Closes at once. May be called twice."""
        self.close_now()
        self._dispatcher.close()

    # --- what is ---

    @property
    def is_connected(self) -> bool:
        return self.state() in (_raw.STATE_CONNECTED, _raw.STATE_DRAINING)

    @property
    def is_closed(self) -> bool:
        return self.state() == _raw.STATE_CLOSED

    @property
    def is_reconnecting(self) -> bool:
        return self.state() == _raw.STATE_RECONNECTING

    @property
    def is_draining(self) -> bool:
        return self.state() == _raw.STATE_DRAINING

    @property
    def max_payload(self) -> int:
        """Bytes of the largest message that the server takes."""
        return self.max_payload_now()

    def rtt(self, timeout: float = 10.0) -> float:
        """Seconds to the server and back."""
        return self.rtt_now(int(timeout * 1000)) / 1e9

    @property
    def stats(self) -> Dict[str, Any]:
        """What the connection counts and knows: in_msgs, out_msgs, connected_url, client_id and
        so on.
        """
        counted: Dict[str, Any] = json.loads(self.statistics_json())
        return counted

    @property
    def connected_url(self) -> str:
        """The server that it is connected to."""
        return str(self.stats["connected_url"])

    @property
    def client_id(self) -> int:
        """Its number at the server."""
        return int(self.stats["client_id"])

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if kind is None and self.is_connected:
            try:
                self.flush()
            except errors.Error:
                pass
        self.close()

    # --- inside ---

    def _callback_subscriptions(self) -> List[Subscription]:
        """Those with callbacks live as long as the connection, also when nobody holds them."""
        kept: List[Subscription] = self.__dict__.setdefault("_kept_subscriptions", [])
        kept[:] = [subscription for subscription in kept if not subscription.ended]
        return kept

    def _on_event(self, kind: int, status: int, cookie: int, message: Msg) -> None:
        if kind in (_raw.KIND_ERROR, _raw.KIND_SLOW_CONSUMER):
            if self._error_cb is not None:
                self._error_cb(errors.from_status(status, message.data.decode("utf-8", "replace")))
            return
        callback = self._event_cbs.get(kind)
        if callback is not None:
            callback()

    def _on_callback_error(self, error: Exception) -> None:
        if self._error_cb is not None:
            self._error_cb(error)
        else:
            _logger.error("a callback raised", exc_info=error)

    def _close_at_exit(self) -> None:
        self.close()


def connect(
    servers: Union[str, Sequence[str], Server] = "nats://127.0.0.1:4222",
    *,
    error_cb: Optional[ErrorCallback] = None,
    disconnected_cb: Optional[EventCallback] = None,
    reconnected_cb: Optional[EventCallback] = None,
    closed_cb: Optional[EventCallback] = None,
    discovered_server_cb: Optional[EventCallback] = None,
    lame_duck_mode_cb: Optional[EventCallback] = None,
    **options: Any,
) -> Connection:
    """Connects to a broker, and waits until it is done.

    Args:
        servers: A URL, several, or a :class:`martlet.Server` of this process (no socket is used
            then).
        error_cb: Called with an exception: what the server refused, a slow consumer, what a
            callback raised.
        disconnected_cb, reconnected_cb, closed_cb: Called without arguments.
        name: What the server's monitoring shows.
        user, password, token: Credentials; those in a URL count too.
        no_echo: True: messages published by this connection do not come back to it.
        connect_timeout: Seconds for one attempt (2).
        allow_reconnect, max_reconnect_attempts (60; -1: for ever), reconnect_time_wait,
        reconnect_jitter: Seconds.
        reconnect_buffer_size: Bytes that may be published while the connection is lost (8 MiB).
        pending_size: Bytes that may be published and not written yet (16 MiB).
        ping_interval, max_outstanding_pings, drain_timeout: Seconds, a count, seconds.
        run: "thread" (the default: a thread keeps the connection alive) or "caller" (none:
            whoever waits reads).

    Raises:
        martlet.errors.NoServersError: Nobody could be reached.
        martlet.errors.AuthorizationError: The credentials were refused.
        martlet.errors.OptionsError: An option is unknown or wrong.

    Since 0.1.0.
    """
    server = servers if isinstance(servers, Server) else None
    addresses = None
    if server is None:
        addresses = servers if isinstance(servers, str) else list(servers)  # type: ignore[arg-type]
    connection = Connection(
        _options.to_json(_options.CONNECTION, options, servers=addresses),
        server,
        error_cb=error_cb,
        disconnected_cb=disconnected_cb,
        reconnected_cb=reconnected_cb,
        closed_cb=closed_cb,
        discovered_server_cb=discovered_server_cb,
        lame_duck_mode_cb=lame_duck_mode_cb,
    )
    try:
        connection.connect_now(-1)
    except BaseException:
        connection.close()
        raise
    return connection
