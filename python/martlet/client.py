# SPDX-License-Identifier: Apache-2.0
"""The synchronous client: a connection, its subscriptions, and ``connect``.

Every call may be made from any thread. What waits does so without the GIL, and Ctrl-C ends it.
"""

from __future__ import annotations

import itertools
import threading
import time
import weakref
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Type,
    Union,
)

from . import _asking, _constants, _options, _process, _raw, _surface, _tasks, errors
from ._raw import Msg
from ._surface import ErrorCallback, EventCallback, HeadersLike, Payload
from .server import Server

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Connection", "Subscription", "connect"]

Callback = Callable[[Msg], object]


class Subscription(_surface.SubscriptionCounts, _raw.Reader):
    """Messages of one subject. Iterate it, or ask it with :meth:`next_msg`; one thread at a time.

    Made by :meth:`Connection.subscribe`. As a context manager it unsubscribes at the end. Since
    0.1.0.
    """

    def __init__(self, connection: "Connection", subject: str, queue: str) -> None:
        super().__init__(connection, _options.OPEN_QUEUE)
        self.subject = subject
        self.queue = queue

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
        _surface.unsubscribe(self, limit)

    def drain(self) -> None:
        """Ends the subscription in order: what was sent before the server learned of the end
        still comes.
        """
        self.drain_start()

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
    """The thread that runs a connection's callbacks, in order. Started by the first of them. What
    holds the connection is not the thread but the subscriptions with callbacks, and, with
    ``keeps``, callbacks of its own.
    """

    def __init__(self, connection: "Connection", keeps: bool) -> None:
        self._kept = connection if keeps else None
        self.reader = _raw.Reader(weakref.ref(connection), _options.OPEN_QUEUE)
        self.reader.on_event = _tasks.weak_call(connection, "_on_event")
        self._on_error = _tasks.weak_call(connection, "_on_callback_error")
        self.callbacks: Dict[int, Callback] = {}
        # Those with callbacks live until they end, and so does their connection, also when nobody
        # holds them.
        self.subscriptions: Dict[int, Subscription] = {}
        self._numbers = itertools.count(1)
        self._thread: Optional[threading.Thread] = None

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="martlet-callbacks", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        self.reader.dispatch(self.callbacks, self._on_error)
        self._forget_all()

    def add(self, callback: Callback, subscription: Subscription) -> int:
        number = next(self._numbers)
        self.callbacks[number] = callback
        self.subscriptions[number] = subscription
        return number

    def forget(self, number: int) -> None:
        self.callbacks.pop(number, None)
        subscription = self.subscriptions.pop(number, None)
        if subscription is not None:
            subscription.mark_ended()
            subscription.let_go()

    def is_current(self) -> bool:
        """Is this a callback's thread?"""
        return self._thread is threading.current_thread()

    def close(self, timeout: Optional[float] = None) -> None:
        """Ends it after what has come; waits for that, at most ``timeout`` seconds."""
        self.reader.close_queue()
        if self._thread is None:
            self._forget_all()
        elif not self.is_current():
            self._thread.join(timeout)

    def _forget_all(self) -> None:
        for number in list(self.subscriptions):
            self.forget(number)
        self.callbacks.clear()
        self._kept = None
        self.reader.on_event = None
        self.reader.connection = None
        self.reader.let_go()


class Connection(_surface.ConnectionState, _raw.Connection):
    """A connection to a broker. Made by :func:`connect`.

    It reconnects by itself and then restores its subscriptions. Callbacks run one after the
    other on a thread of the connection. They may call anything, but what another callback of the
    same connection has to do first (answer a request, for one) comes only after they return: use
    a second connection for that. As a context manager it sends everything and closes at the end.
    One that nobody holds any more closes too, unless a callback may still be called: of one of its
    subscriptions, or its own (``closed_cb`` and its like). Since 0.1.0.

    ``publish(subject, payload=b"", reply="", headers=None)`` copies the message into the
    outgoing buffer; while that is at its bound (``pending_size``) it waits, without the GIL.
    Raises BadSubjectError, MaxPayloadError, ConnectionClosedError, DrainingError,
    DisconnectedError.
    """

    def __init__(
        self,
        options: str,
        server: Optional[Server],
        callbacks: _surface.Callbacks,
    ) -> None:
        self._options = options
        self._server = server  # Lives as long as its connections.
        self._callbacks = callbacks
        self._lock = threading.Lock()
        self._subscriptions: "weakref.WeakSet[Subscription]" = weakref.WeakSet()
        self._dispatcher = _Dispatcher(self, keeps=bool(callbacks))
        super().__init__(options, server, self._dispatcher.reader if callbacks else None)
        if callbacks:
            self._dispatcher.start()
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

    def request_many(
        self,
        subject: str,
        payload: Payload = b"",
        timeout: Optional[float] = 0.5,
        headers: Optional[HeadersLike] = None,
        *,
        max_msgs: int = 0,
    ) -> Iterator[Msg]:
        """Sends a request that several may answer, and iterates over the answers as they come. It
        ends after ``max_msgs`` of them (0: no bound), or when ``timeout`` seconds (None: without
        limit) have passed since it was sent, with none too. Answers wait in memory until they are
        read: where very many may come, give ``max_msgs``.

        Raises:
            martlet.errors.NoRespondersError: Nobody listens to the subject. The iterator raises it,
                as it does when the connection is lost or closed meanwhile.
        """
        return _asking.ask_many(self, subject, payload, timeout, headers, max_msgs)

    def subscribe(
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
            cb: Called with each message on the connection's callback thread, until it is
                unsubscribed or the connection closes. Without it the subscription is iterated, and
                lives as long as it is held: who drops it unsubscribes.
            max_msgs: Ends by itself after so many; 0: never.
            pending_msgs_limit: Messages that may wait unread (None: 524,288; 0: no bound).
            pending_bytes_limit: The same in bytes (None: 128 MiB; 0: no bound).
            policy: What happens to a message that comes at the bound. "refuse_new" (the default),
                "drop_oldest" and "keep_latest_of_each_subject" lose messages: ``dropped`` counts
                them, and ``error_cb`` is called with a SlowConsumerError, once until the backlog
                is halved (of an iterated subscription by the thread that reads it).
                "block_reader" drops nothing here, but the whole connection stops reading: no other
                subscription, request or flush of it goes on meanwhile, and if that lasts the
                server closes the connection as a slow consumer. What the server held back is then
                lost, uncounted. ``error_cb`` is called with a SlowConsumerError after each second
                without room, once, and when the connection is lost meanwhile, before
                ``disconnected_cb``. The connection reconnects.

        Raises:
            martlet.errors.BadSubjectError, martlet.errors.OptionsError,
            martlet.errors.ConnectionClosedError.
        """
        _surface.check_subscribe(cb, self.is_draining, max_msgs)
        _surface.refuse_coroutine_functions(cb=cb)
        options = _options.subscription_json(pending_msgs_limit, pending_bytes_limit, policy)
        subscription = Subscription(self, subject, queue)
        if cb is None:
            subscription.on_event = self._on_reader_event
            with _options.named_as_given(_options.SUBSCRIPTION):
                subscription.subscribe(self, subject, queue, options)
        else:
            dispatcher = self._dispatcher
            number = dispatcher.add(cb, subscription)
            try:
                with _options.named_as_given(_options.SUBSCRIPTION):
                    subscription.subscribe(
                        self, subject, queue, options, dispatcher.reader, number
                    )
            except BaseException:
                dispatcher.forget(number)
                raise
            subscription._forget = lambda: dispatcher.forget(number)
            dispatcher.start()
        with self._lock:
            self._subscriptions.add(subscription)
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

    # --- the end ---

    def drain(self, timeout: Optional[float] = None) -> None:
        """Ends in order: no new message comes; what came is handed to callbacks and read by
        iterations, which may still publish; what was published is sent; then the connection is
        closed. Waits for that, but at most ``timeout`` seconds; None: the option
        ``drain_timeout``. Called in a callback it only begins all that.

        It waits for messages that nobody has read, so whoever iterates has to go on, in another
        thread. What is left when the time is over can still be read.

        Raises:
            martlet.errors.TimeoutError: Something had not been read or sent in time; the
                connection is closed nevertheless.
            martlet.errors.ConnectionClosedError, martlet.errors.DisconnectedError.
        """
        drain = _surface.Drain(self._options, timeout)
        if self._dispatcher.is_current():
            threading.Thread(target=self._drain_later, args=(timeout,), daemon=True).start()
            return
        if self._draining:
            while not self.is_closed and drain.left() > 0:
                time.sleep(drain.POLL_SECONDS)
            return
        if not self.is_connected:
            self.drain_start(0)  # Says why not.
        self._draining = True
        try:
            drain.begin(self._known_subscriptions())
            self.flush_now(drain.left())
            while drain.goes_on(self._known_subscriptions(), self._dispatcher.reader.held()):
                time.sleep(drain.POLL_SECONDS)
            self.drain_now(drain.left())
        except BaseException:
            self.close_now()  # Its subscriptions have ended: there is no way back.
            raise
        finally:
            self._draining = False
            self._dispatcher.close(self._CALLBACK_SECONDS)
            self._give_back()

    def _drain_later(self, timeout: Optional[float]) -> None:
        try:
            self.drain(timeout)
        except errors.Error as error:
            self._on_callback_error(error)

    #: How long close() waits by default for a callback that still runs.
    _CALLBACK_SECONDS = 10.0

    def close(self, timeout: Optional[float] = _CALLBACK_SECONDS) -> None:
        """Closes at once, then waits until the callbacks have seen what had come, but at most
        ``timeout`` seconds (None: without limit); those that are left go on by themselves. Called
        in a callback it does not wait. Do not call it under a lock that a callback takes: it then
        waits in vain for all of that time. May be called twice.
        """
        _raw.timeout_ms(timeout)  # Raises for what is none.
        self.close_now()
        self._dispatcher.close(timeout)
        self._give_back()

    # --- what is ---

    def rtt(self, timeout: Optional[float] = 10.0) -> float:
        """Seconds to the server and back."""
        return self.rtt_now(timeout) / 1e9

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            if kind is None and self.is_connected:
                self.flush()
        except errors.Error:
            pass
        finally:
            self.close()

    # --- inside ---

    def _give_back(self) -> None:
        """After the end: descriptors and threads of the library."""
        _surface.let_go(self._known_subscriptions())
        self.free_now()

    def _known_subscriptions(self) -> List[Subscription]:
        with self._lock:
            return list(self._subscriptions)

    def _on_event(self, kind: int, status: int, cookie: int, message: Msg) -> None:
        if kind == _constants.KIND_SUBSCRIPTION_END:
            self._dispatcher.forget(cookie)
            return
        self._callbacks.on_event(kind, status, _surface.text_of(message), _call)
        if kind == _constants.KIND_CLOSED:
            self._dispatcher.reader.close_queue()
            self._give_back()

    def _on_reader_event(self, kind: int, status: int, cookie: int, message: Msg) -> None:
        """Of a subscription that is iterated, on the thread that reads it."""
        if kind == _constants.KIND_SLOW_CONSUMER:
            self._callbacks.on_event(kind, status, _surface.text_of(message), _call)

    def _on_callback_error(self, error: Exception) -> None:
        self._callbacks.on_callback_error(error, _call)

    def _close_at_exit(self, timeout: float) -> None:
        self.close_now()
        self._dispatcher.close(timeout)

    def __del__(self) -> None:
        dispatcher = self.__dict__.get("_dispatcher")
        if dispatcher is not None:
            dispatcher.reader.close_queue()  # Its thread ends.


def _call(callback: Callable[..., object], *arguments: object) -> None:
    try:
        callback(*arguments)
    except Exception as error:  # noqa: BLE001 - told; who reads or dispatches goes on.
        _surface.logger.error("a callback raised", exc_info=error)


def connect(
    servers: Union[str, Sequence[str], Server] = "nats://127.0.0.1:4222",
    *,
    error_cb: Optional[ErrorCallback] = None,
    disconnected_cb: Optional[EventCallback] = None,
    reconnected_cb: Optional[EventCallback] = None,
    closed_cb: Optional[EventCallback] = None,
    discovered_server_cb: Optional[EventCallback] = None,
    lame_duck_mode_cb: Optional[EventCallback] = None,
    **options: Unpack[_options.ConnectOptions],
) -> Connection:
    """Connects to a broker, and waits until it is done.

    Args:
        servers: A URL, several, or a :class:`martlet.Server` of this process (no socket is used
            then).
        error_cb: Called with an exception: what the server refused, a slow consumer, what a
            callback raised; why the connection was lost (before ``disconnected_cb``) and, when
            it is closed for such a reason, that reason (before ``closed_cb``). Without it these
            are warnings of the logger ``martlet``, if there is any other callback here.
        disconnected_cb, reconnected_cb, closed_cb: Called without arguments.
        discovered_server_cb, lame_duck_mode_cb: Called without arguments when the server tells
            of others, or that it is about to stop.
        name: What the server's monitoring shows.
        user, password, token: Credentials; those in a URL count too.
        no_echo: True: messages published by this connection do not come back to it.
        connect_timeout: Seconds for one attempt (2).
        retry_on_first_connect: True: a first connect that fails is tried again.
        allow_reconnect: False: a lost connection is closed.
        max_reconnect_attempts: For each server, in a row (60; -1: for ever).
        reconnect_time_wait, reconnect_jitter: Seconds between attempts, and what chance adds.
        reconnect_buffer_size: Bytes that may be published while the connection is lost (8 MiB);
            beyond them publish raises DisconnectedError.
        dont_randomize, ignore_discovered_servers: True: only those given, in their order.
        pending_size: Bytes that may be published and not written yet (16 MiB).
        max_requests: Requests under way at once. inbox_prefix: Of their replies ("_INBOX").
        ping_interval, max_outstanding_pings, drain_timeout: Seconds, a count, seconds.
        verbose, pedantic: True: the server acknowledges everything; it checks more.
        spin_us: How long the connection's thread looks for work before it sleeps (0).
        run: "thread" (the default: a thread keeps the connection alive) or "caller" (none:
            whoever waits reads).

    Raises:
        martlet.errors.NoServersError: Nobody could be reached.
        martlet.errors.AuthorizationError: The credentials were refused.
        martlet.errors.OptionsError: An option is unknown or wrong.

    Since 0.1.0.
    """
    if options.get("run") not in (None, "thread", "caller"):
        raise errors.OptionsError('option "run" must be "thread" or "caller" here')
    text, server = _surface.connection_arguments(servers, options)
    callbacks = _surface.Callbacks(
        error_cb,
        disconnected_cb,
        reconnected_cb,
        closed_cb,
        discovered_server_cb,
        lame_duck_mode_cb,
    )
    callbacks.refuse_coroutine_functions()
    with _options.named_as_given(_options.CONNECTION):
        connection = Connection(text, server, callbacks)
    try:
        connection.connect_now(-1)
    except BaseException:
        connection.close()
        raise
    return connection
