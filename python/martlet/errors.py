# SPDX-License-Identifier: Apache-2.0
"""The exceptions of the package: one for each status of the C ABI.

Each is an :class:`Error`; those that Python has a word for (a time that has passed, a wrong
value, a port that is taken) are that too, so that ``except TimeoutError`` and ``except OSError``
do what one expects.
"""

from __future__ import annotations

import asyncio
import builtins
import errno
import os
import sys
from typing import ClassVar, Dict, Type

from . import _constants

__all__ = [
    "AddressInUseError",
    "AuthorizationError",
    "BadSubjectError",
    "BufferTooSmallError",
    "ConnectionClosedError",
    "DisconnectedError",
    "DrainingError",
    "Error",
    "ForkedError",
    "InCallbackError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidHandleError",
    "LimitError",
    "MaxPayloadError",
    "NoMemoryError",
    "NoRespondersError",
    "NoServersError",
    "OptionsError",
    "PermissionsError",
    "ProtocolError",
    "SlowConsumerError",
    "StaleConnectionError",
    "StateError",
    "SystemIOError",
    "TimeoutError",
    "UnsupportedError",
    "by_status",
    "from_status",
]


class Error(Exception):
    """Whatever Martlet refuses or fails at. ``status`` is the number of the C ABI."""

    status: ClassVar[int] = _constants.ERR_INTERNAL


class InvalidArgumentError(Error, ValueError):
    """A value that cannot be: the text names the argument."""

    status = _constants.ERR_INVALID_ARGUMENT


class InvalidHandleError(Error):
    """An object that is not alive."""

    status = _constants.ERR_INVALID_HANDLE


class NoMemoryError(Error, MemoryError):
    """An allocation failed, or ``max_memory`` is reached."""

    status = _constants.ERR_NO_MEMORY


class OptionsError(Error, ValueError):
    """An option is unknown or has a wrong value: the text names it."""

    status = _constants.ERR_OPTIONS


class BadSubjectError(Error, ValueError):
    """A subject that the rules of NATS refuse."""

    status = _constants.ERR_SUBJECT


class MaxPayloadError(Error, ValueError):
    """Payload and headers are above the server's ``max_payload``."""

    status = _constants.ERR_MAX_PAYLOAD


class LimitError(Error):
    """A bound is reached: the text names it."""

    status = _constants.ERR_LIMIT


if sys.version_info >= (3, 11):
    _BuiltinTimeoutError = builtins.TimeoutError
else:

    class _BuiltinTimeoutError(builtins.TimeoutError, asyncio.TimeoutError):
        """Both, where asyncio has one of its own."""


class TimeoutError(Error, _BuiltinTimeoutError):
    """The time given has passed."""

    status = _constants.ERR_TIMEOUT


class ConnectionClosedError(Error, ConnectionError):
    """The connection, or the subscription, is closed."""

    status = _constants.ERR_CLOSED


class DrainingError(Error, ConnectionError):
    """The connection or subscription drains: nothing new is taken."""

    status = _constants.ERR_DRAINING


class DisconnectedError(Error, ConnectionError):
    """There is no connection at the moment, and the reconnect buffer takes nothing."""

    status = _constants.ERR_DISCONNECTED


class NoServersError(Error, ConnectionError):
    """No server could be reached."""

    status = _constants.ERR_NO_SERVERS


class NoRespondersError(Error):
    """A request that nobody listens to."""

    status = _constants.ERR_NO_RESPONDERS


class AuthorizationError(Error, PermissionError):
    """The server refused the credentials."""

    status = _constants.ERR_AUTHORIZATION


class PermissionsError(Error, PermissionError):
    """The server refused a publish or a subscription."""

    status = _constants.ERR_PERMISSIONS


class StaleConnectionError(Error, ConnectionError):
    """The other side did not answer pings."""

    status = _constants.ERR_STALE_CONNECTION


class ProtocolError(Error):
    """The other side spoke something that is not the protocol."""

    status = _constants.ERR_PROTOCOL


class SlowConsumerError(Error):
    """A subscription fell behind its bound and lost messages."""

    status = _constants.ERR_SLOW_CONSUMER


class AddressInUseError(Error, OSError):
    """A port is taken. ``errno`` is EADDRINUSE."""

    status = _constants.ERR_ADDRESS_IN_USE

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.errno = errno.EADDRINUSE


class SystemIOError(Error, OSError):
    """The system refused something: the text names what. ``errno`` says why; it is EIO where the
    text names no reason of the system's.
    """

    status = _constants.ERR_IO

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        text = str(args[0]) if args else ""
        reasons = (number for number in errno.errorcode if os.strerror(number) in text)
        self.errno = max(reasons, key=lambda number: len(os.strerror(number)), default=errno.EIO)


class UnsupportedError(Error):
    """Known, but not available here."""

    status = _constants.ERR_UNSUPPORTED


class ForkedError(Error):
    """The object belongs to the parent process; the copy in a forked child is inert."""

    status = _constants.ERR_FORKED


class InternalError(Error):
    """A case that should not exist: please report it."""

    status = _constants.ERR_INTERNAL


class StateError(Error, RuntimeError):
    """Not possible in the object's present state: started twice, not started, waited on twice."""

    status = _constants.ERR_STATE


class InCallbackError(Error, RuntimeError):
    """A call that would wait for itself: not possible inside a callback of the library."""

    status = _constants.ERR_IN_CALLBACK


class BufferTooSmallError(Error, ValueError):
    """A buffer holds not even the first message."""

    status = _constants.ERR_BUFFER_TOO_SMALL


#: Frozen here: what a program derives from Error later has no status of its own.
_BY_STATUS: Dict[int, Type[Error]] = {kind.status: kind for kind in Error.__subclasses__()}


def by_status() -> Dict[int, Type[Error]]:
    """The exception of each status of the C ABI that is an error."""
    return dict(_BY_STATUS)


def from_status(status: int, text: str) -> Error:
    """The exception that a status stands for; an unknown one is an Error."""
    return _BY_STATUS.get(status, Error)(text)
