# SPDX-License-Identifier: Apache-2.0
"""What reads the same in both worlds, synchronous and asyncio: the types of arguments, what a
connection and a subscription tell of themselves, what the program wants to hear, and the checks of
what it gives. Waits for nothing and sends nothing.
"""

from __future__ import annotations

import inspect
import json
import logging
import math
import time
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Union,
)

from . import _constants, _options, _raw, errors
from .server import Server

HeadersLike = Mapping[str, Union[str, Sequence[str]]]
Payload = Union[bytes, bytearray, memoryview]
ErrorCallback = Callable[[Exception], object]
EventCallback = Callable[[], object]
Servers = Union[str, Sequence[str], Server]

logger = logging.getLogger("martlet")
logger.addHandler(logging.NullHandler())  # A library prints nothing where logging is not set up.


class _RawReader(Protocol):
    subject: str
    queue: str

    def counts(self) -> Tuple[int, int, int, int]: ...


class SubscriptionCounts:
    """What a subscription counts."""

    _forget: Optional[Callable[[], object]] = None  # Ends what is kept for its callback.
    _left = False  # It was ended, and nobody will read what is still there.
    _running = 0  # Coroutines of its callback that are under way.

    def __repr__(self: _RawReader) -> str:
        group = f" queue={self.queue!r}" if self.queue else ""
        return f"<{type(self).__name__} subject={self.subject!r}{group}>"

    @property
    def pending_msgs(self: _RawReader) -> int:
        """Messages that wait to be read."""
        return self.counts()[0]

    @property
    def pending_bytes(self: _RawReader) -> int:
        """Their bytes, as the bound counts them."""
        return self.counts()[1]

    @property
    def dropped(self: _RawReader) -> int:
        """Messages lost at the bound."""
        return self.counts()[2]

    @property
    def delivered(self: _RawReader) -> int:
        """Messages that came, whatever became of them."""
        return self.counts()[3]


class _RawConnection(Protocol):
    _draining: bool

    def state(self) -> int: ...
    def max_payload_now(self) -> int: ...
    def new_inbox_now(self) -> str: ...
    def statistics_json(self) -> str: ...
    @property
    def stats(self) -> Dict[str, Any]: ...


_STATES = {
    _constants.STATE_NEW: "new",
    _constants.STATE_CONNECTING: "connecting",
    _constants.STATE_CONNECTED: "connected",
    _constants.STATE_RECONNECTING: "reconnecting",
    _constants.STATE_DRAINING: "draining",
    _constants.STATE_CLOSED: "closed",
}


class ConnectionState:
    """What a connection knows of itself."""

    _draining = False

    def __repr__(self: _RawConnection) -> str:
        state = self.state()
        place = f", {self.stats['connected_url']}" if state == _constants.STATE_CONNECTED else ""
        return f"<{type(self).__name__} {_STATES[state]}{place}>"

    def new_inbox(self: _RawConnection) -> str:
        """A subject that nobody else uses."""
        return self.new_inbox_now()

    @property
    def is_connected(self: _RawConnection) -> bool:
        return self.state() in (_constants.STATE_CONNECTED, _constants.STATE_DRAINING)

    @property
    def is_closed(self: _RawConnection) -> bool:
        return self.state() == _constants.STATE_CLOSED

    @property
    def is_reconnecting(self: _RawConnection) -> bool:
        return self.state() == _constants.STATE_RECONNECTING

    @property
    def is_draining(self: _RawConnection) -> bool:
        state = self.state()
        if state == _constants.STATE_CLOSED:
            return False
        return state == _constants.STATE_DRAINING or self._draining

    @property
    def max_payload(self: _RawConnection) -> int:
        """Bytes of the largest message that the server takes."""
        return self.max_payload_now()

    @property
    def stats(self: _RawConnection) -> Dict[str, Any]:
        """What the connection counts and knows: in_msgs, out_msgs, connected_url, client_id and
        so on.
        """
        counted: Dict[str, Any] = json.loads(self.statistics_json())
        return counted

    @property
    def connected_url(self: _RawConnection) -> str:
        """The server that it is connected to."""
        return str(self.stats["connected_url"])

    @property
    def client_id(self: _RawConnection) -> int:
        """Its number at the server."""
        return int(self.stats["client_id"])


class Callbacks:
    """What a program wants to hear of its connection, beside messages. A failure that nobody
    listens to is logged.
    """

    _FAILURES = {
        _constants.KIND_ERROR: "%s",
        _constants.KIND_SLOW_CONSUMER: "%s",
        _constants.KIND_DISCONNECTED: "disconnected: %s",
        _constants.KIND_CLOSED: "closed: %s",
    }

    _NAMES = {
        _constants.KIND_DISCONNECTED: "disconnected_cb",
        _constants.KIND_RECONNECTED: "reconnected_cb",
        _constants.KIND_CLOSED: "closed_cb",
        _constants.KIND_DISCOVERED_SERVERS: "discovered_server_cb",
        _constants.KIND_LAME_DUCK: "lame_duck_mode_cb",
    }

    def __init__(
        self,
        error_cb: Optional[ErrorCallback],
        disconnected_cb: Optional[EventCallback],
        reconnected_cb: Optional[EventCallback],
        closed_cb: Optional[EventCallback],
        discovered_server_cb: Optional[EventCallback],
        lame_duck_mode_cb: Optional[EventCallback],
    ) -> None:
        self.error = error_cb
        self._events: Dict[int, Optional[EventCallback]] = {
            _constants.KIND_DISCONNECTED: disconnected_cb,
            _constants.KIND_RECONNECTED: reconnected_cb,
            _constants.KIND_CLOSED: closed_cb,
            _constants.KIND_DISCOVERED_SERVERS: discovered_server_cb,
            _constants.KIND_LAME_DUCK: lame_duck_mode_cb,
        }
        self._was_connected = False
        self._told: Optional[Tuple[int, str]] = None  # What the same loss has been told as.
        for name, callback in self._named().items():
            check_callable(name, callback)

    def _named(self) -> Dict[str, object]:
        named: Dict[str, object] = {"error_cb": self.error}
        for kind, name in self._NAMES.items():
            named[name] = self._events[kind]
        return named

    def refuse_coroutine_functions(self) -> None:
        refuse_coroutine_functions(**self._named())

    def __bool__(self) -> bool:
        return self.error is not None or any(self._events.values())

    def on_event(
        self, kind: int, status: int, text: str, call: Callable[..., object]
    ) -> None:
        """Lets `call` call whoever wants to hear of this: call(callback, *arguments)."""
        if kind == _constants.KIND_CONNECTED:
            self._was_connected = True
        elif kind == _constants.KIND_RECONNECTING:
            self._told = None
        if kind in self._FAILURES and status < 0 and not self._is_known(kind, status, text):
            if self.error is not None:
                call(self.error, errors.from_status(status, text))
            else:
                logger.warning(self._FAILURES[kind], text)
        callback = self._events.get(kind)
        if callback is not None:
            call(callback)

    def _is_known(self, kind: int, status: int, text: str) -> bool:
        """Was it told before: what the server said and then closed over, a loss that is the end, or
        what connect() raises?
        """
        if kind == _constants.KIND_SLOW_CONSUMER:
            return False
        told, self._told = self._told, (status, text)
        if kind == _constants.KIND_ERROR:
            return False
        if not self._was_connected:
            return True
        return told is not None and told[0] == status and told[1] in text

    def on_callback_error(self, error: Exception, call: Callable[..., object]) -> None:
        """A callback of the program raised `error`."""
        if self.error is not None:
            call(self.error, error)
        else:
            logger.error("a callback raised", exc_info=error)


def text_of(message: Union[_raw.Msg, _raw.AioMsg]) -> str:
    """The words of an event."""
    return message.data.decode("utf-8", "replace")


def check_subscribe(cb: object, draining: bool, max_msgs: int) -> None:
    if draining:
        raise errors.DrainingError("the connection drains")
    check_callable("cb", cb)
    check_count("max_msgs", max_msgs)


def check_callable(name: str, callback: object) -> None:
    if callback is not None and not callable(callback):
        raise TypeError(f"{name} must be callable, not {type(callback).__name__}")


def check_count(name: str, value: int) -> None:
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 0:
        raise errors.InvalidArgumentError(f"{name} must be 0 or more")


def is_coroutine_function(cb: object) -> bool:
    return inspect.iscoroutinefunction(cb) or inspect.iscoroutinefunction(
        getattr(cb, "__call__", None)
    )


def refuse_coroutine_functions(**callbacks: object) -> None:
    """For the synchronous client, which has no loop to run them on."""
    for name, cb in callbacks.items():
        if cb is not None and is_coroutine_function(cb):
            raise TypeError(f"{name} is a coroutine function: use martlet.aio, which awaits it")


def unsubscribe(subscription: Any, limit: int) -> None:
    """Ends a subscription now, or after so many messages; its callback is then not called again."""
    check_count("limit", limit)
    if limit > 0:
        subscription.auto_unsubscribe(limit)
        return
    subscription.unsubscribe_now()
    subscription._left = True
    if subscription.callback is not None:
        subscription.callback = pass_over
    subscription.close_queue()
    if subscription._forget is not None:
        subscription._forget()


def pass_over(message: object) -> None:
    """Instead of the callback of a subscription that was unsubscribed."""


def let_go(subscriptions: Iterable[Any]) -> None:
    """The connection is closed: what is not waited for any more gives back what it holds of it."""
    for subscription in subscriptions:
        if subscription.counts()[0] == 0:
            subscription.let_go()


class Drain:
    """The steps of draining that need no waiting. First all subscriptions end, but the connection
    still publishes, since callbacks may answer; when all is read the library does the rest.
    """

    POLL_SECONDS = 0.005

    def __init__(self, options: str, timeout: Optional[float]) -> None:
        limit_ms = _raw.timeout_ms(timeout)  # Raises for what is none.
        if timeout is None:
            limit_ms = json.loads(options).get("drain_timeout_ms", 30_000)
        limit = limit_ms / 1000 if limit_ms >= 0 else math.inf
        self._deadline = time.monotonic() + limit

    def left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.0)

    def goes_on(self, subscriptions: Iterable[Any], held: int = 0) -> bool:
        """Is there something to read, and time for it?"""
        return self.left() > 0 and (held > 0 or any(map(self._is_unread, subscriptions)))

    @staticmethod
    def _is_unread(subscription: Any) -> bool:
        return not subscription._left and subscription.counts()[0] + subscription._running > 0

    @staticmethod
    def begin(subscriptions: Iterable[Any]) -> None:
        for subscription in subscriptions:
            if not subscription.ended and not subscription._left:
                try:
                    subscription.drain_start()
                except errors.ConnectionClosedError:
                    pass  # It has ended by itself.


def connection_arguments(
    servers: Servers, options: Mapping[str, Any], **fixed: Any
) -> Tuple[str, Optional[Server]]:
    """The library's options for what `connect` was given, and the server if it is in this
    process.
    """
    if isinstance(servers, Server):
        return _options.to_json(_options.CONNECTION, options, **fixed), servers
    addresses = servers if isinstance(servers, str) else _list_of_urls(servers)
    return _options.to_json(_options.CONNECTION, options, servers=addresses, **fixed), None


def _list_of_urls(servers: object) -> List[str]:
    if isinstance(servers, Iterable) and not isinstance(servers, (bytes, bytearray, memoryview)):
        urls = list(servers)
        wrong = [type(url).__name__ for url in urls if not isinstance(url, str)]
        if not wrong:
            return urls
        raise TypeError(f"servers must be a URL, a list of URLs or a Server, not one of {wrong[0]}")
    raise TypeError(
        f"servers must be a URL, a list of URLs or a Server, not {type(servers).__name__}"
    )
