# SPDX-License-Identifier: Apache-2.0
"""A NATS-compatible broker inside this process."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Type, Union

from . import _options, _process, _raw, errors

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["LogTarget", "Server"]

_Target = Union[logging.Logger, Callable[[int, str], None]]
LogTarget = Union[bool, logging.Logger, Callable[[int, str], None], None]

#: The library's levels, most important first, as levels of the module logging.
_LEVELS = (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG, 5)


class Server(_raw.Server):
    """A broker in this process. Start it with ``with``, ``async with`` or :meth:`start`.

    By default it listens on any free port of the loopback address; with ``listen=False`` on
    none, and only :func:`martlet.connect` of this process reaches it. It prints nothing and
    installs no signal handler. Any number may live at once. After a fork the child's copy is
    inert (:class:`martlet.errors.ForkedError`).

    Args:
        port: 0 is any free port.
        host: The address to listen on; "0.0.0.0" or "::" is every address.
        listen: False: no port at all.
        name: The server's name, without spaces; its id if None.
        user, password, token: What clients must bring: a user, with or without a password, or a
            token; None: everybody is let in.
        http_port: The port of the monitoring pages (0: any free one); None: none.
        http_host: The address of the monitoring pages; that of ``host`` if None.
        loops: Threads that serve clients (1).
        max_connections: Clients over TCP at once (65,536); one more is refused. Those of this
            process are counted, and never refused.
        max_control_line: Bytes of a line of the protocol without its payload (4,096).
        max_payload: Bytes of a message, payload and headers (1 MiB).
        max_pending: Bytes that may wait for one client (64 MiB); above it it is closed as a slow
            consumer.
        max_subscriptions: Of one client; 0: no bound.
        ping_interval: Seconds between pings to an idle client (120).
        ping_max: Pings without an answer after which a client is closed (2).
        write_deadline: Seconds after which a client that does not read is closed (10).
        max_memory: Bytes that clients can make the server hold; 0: no ceiling.
        spin_us: How long a thread looks for work before it sleeps.
        debug, trace: True: the log has lines of that level too (``log_level`` lets them through).
        config: Configuration text in the language of NATS, instead of the other options (``log``
            and ``log_level`` may be given with it). Unless it says otherwise the address is
            127.0.0.1 and the port any free one; ``port: 0`` is 4222 there, as in NATS.
        log: True: to the logger ``martlet``; or a logger; or a function of (level, line). None
            or False: silent.
        log_level: The least important level that is sent there, a number or a name as in the
            module logging; below INFO it asks the server for debug lines, also with ``config``.

    Raises:
        martlet.errors.OptionsError: An option is unknown or wrong; the text names it.

    Thread: any; start and stop one at a time. Since 0.1.0.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        listen: bool = True,
        config: Optional[str] = None,
        log: LogTarget = None,
        log_level: Union[int, str] = logging.INFO,
        **options: Unpack[_options.ServerOptions],
    ) -> None:
        if not (log is None or isinstance(log, (bool, logging.Logger)) or callable(log)):
            raise errors.OptionsError(
                f"option 'log' must be True, a logger or a function, not {type(log).__name__}"
            )
        level = _level_of(log_level)
        debug = bool(log) and level < logging.INFO
        if config is not None:
            if not isinstance(config, str):
                raise TypeError(f"config must be a str, not {type(config).__name__}")
            _options.check_text("config", config)
            if options or (port, host, listen) != (0, "127.0.0.1", True):
                raise errors.OptionsError("config excludes other options, also port, host, listen")
            text = f"{config}\ndebug: true\n" if debug else config
        else:
            places = {"port": port, "host": host} if listen else {}
            if debug:
                options.setdefault("debug", True)
            text = _options.to_json(_options.SERVER, {"listen": listen, **places, **options})
        with _options.named_as_given(_options.SERVER):
            super().__init__(text)
        self._log: Optional[_LogThread] = None
        self._log_target: Optional[_Target] = None
        self._log_level = level
        if log:
            self._log_target = logging.getLogger("martlet") if isinstance(log, bool) else log
        _process.close_at_exit(self, last=True)

    def start(self) -> "Server":
        """Starts the broker; when it returns, clients can connect. Blocks for a few
        milliseconds, without the GIL.

        Raises:
            martlet.errors.AddressInUseError: The port is taken.
            martlet.errors.StateError: It runs already.
        """
        if self._log_target is None or self._log is not None:
            self.start_now()
            return self
        log = _LogThread(self._log_target, self._log_level)
        try:
            self.set_log(log.reader, log.level_max)
            self.start_now()
        except BaseException:
            log.close()
            raise
        self._log = log
        return self

    def stop(self) -> None:
        """Stops the broker and closes every connection to it. Does nothing if it does not run.
        Blocks, without the GIL. A callback may call it, also one of a connection to this broker.
        """
        self._stop(None)

    def _stop(self, timeout: Optional[float]) -> None:
        self.stop_now()
        log, self._log = self._log, None
        if log is not None:
            log.close(timeout)

    @property
    def port(self) -> int:
        """The port that clients connect to; 0 if it listens on none."""
        return self.client_port()

    @property
    def monitoring_port(self) -> int:
        """The port of the monitoring pages; 0 if there are none."""
        return self.monitoring_port_now()

    @property
    def url(self) -> str:
        """The URL that clients on this machine connect to; empty if it listens on no port."""
        return self.url_now()

    def __repr__(self) -> str:
        try:
            return f"<Server {self.url or 'without a port'}>"
        except errors.StateError:
            return "<Server stopped>"

    def statistics(self) -> Dict[str, Any]:
        """What the broker counts, with the names of /varz."""
        counted: Dict[str, Any] = json.loads(self.statistics_json())
        return counted

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.stop()

    async def __aenter__(self) -> "Server":
        return await asyncio.get_running_loop().run_in_executor(None, self.start)

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.stop)

    def _close_at_exit(self, timeout: float) -> None:
        self._stop(timeout)


def _level_of(level: object) -> int:
    number = logging.getLevelName(level.upper()) if isinstance(level, str) else level
    if isinstance(number, bool) or not isinstance(number, int):
        raise errors.OptionsError(
            "option 'log_level' must be a number or a name as in the module logging, such as "
            f"logging.DEBUG or 'DEBUG', not {level!r}"
        )
    return number


class _LogThread:
    """Carries log lines from the library's queue to their target, so that no thread of the
    library takes the GIL.

    Lifecycle: one for each run of the server.
    """

    def __init__(self, target: _Target, level: int) -> None:
        self.reader = _raw.Reader(completions=True)
        self.reader.on_event = self._on_line
        self.level_max = max((i for i, known in enumerate(_LEVELS) if known >= level), default=0)
        self._target = target
        self._thread = threading.Thread(
            target=self.reader.dispatch, args=({}, None), name="martlet-log", daemon=True
        )
        self._thread.start()

    def close(self, timeout: Optional[float] = None) -> None:
        """Returns when every line has been handed over, or the time is over."""
        self.reader.close_queue()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _on_line(self, kind: int, status: int, cookie: int, message: _raw.Msg) -> None:
        level = _LEVELS[min(message.flags, len(_LEVELS) - 1)]
        line = message.data.decode("utf-8", "replace")
        if isinstance(self._target, logging.Logger):
            self._target.log(level, "%s", line)
        else:
            self._target(level, line)
