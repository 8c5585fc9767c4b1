# SPDX-License-Identifier: Apache-2.0
"""The options as keyword arguments, with their types, and their way from Python's units (seconds,
bytes) into the JSON options of the C ABI.
"""

from __future__ import annotations

import json
import math
import re
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, Literal, Mapping, Optional, Tuple, TypedDict

from .errors import OptionsError

Option = Tuple[str, Callable[[str, Any], Any]]
Policy = Literal["block_reader", "refuse_new", "drop_oldest", "keep_latest_of_each_subject"]

#: What may wait unread in a subscription that was given no bounds of its own: those of nats-py.
PENDING_MESSAGES = 512 * 1024
PENDING_BYTES = 128 * 1024 * 1024

#: For the queues under the subscriptions, whose own bounds are what counts.
OPEN_QUEUE = json.dumps({"messages_max": 1 << 60, "bytes_max": 1 << 60})


class CommonOptions(TypedDict, total=False):
    """What both clients' ``connect`` takes beside its arguments."""

    name: Optional[str]
    user: Optional[str]
    password: Optional[str]
    token: Optional[str]
    verbose: Optional[bool]
    pedantic: Optional[bool]
    no_echo: Optional[bool]
    connect_timeout: Optional[float]
    retry_on_first_connect: Optional[bool]
    allow_reconnect: Optional[bool]
    reconnect_time_wait: Optional[float]
    reconnect_jitter: Optional[float]
    max_reconnect_attempts: Optional[int]
    reconnect_buffer_size: Optional[int]
    dont_randomize: Optional[bool]
    ignore_discovered_servers: Optional[bool]
    ping_interval: Optional[float]
    max_outstanding_pings: Optional[int]
    drain_timeout: Optional[float]
    pending_size: Optional[int]
    max_requests: Optional[int]
    inbox_prefix: Optional[str]
    spin_us: Optional[int]


class ConnectOptions(CommonOptions, total=False):
    """Those of :func:`martlet.connect`."""

    run: Optional[Literal["thread", "caller"]]


class AioConnectOptions(CommonOptions, total=False):
    """Those of :func:`martlet.aio.connect`."""

    run: Optional[Literal["lent", "thread"]]


class ServerOptions(TypedDict, total=False):
    """What :class:`martlet.Server` takes beside its arguments."""

    name: Optional[str]
    user: Optional[str]
    password: Optional[str]
    token: Optional[str]
    http_host: Optional[str]
    http_port: Optional[int]
    loops: Optional[int]
    max_connections: Optional[int]
    max_control_line: Optional[int]
    max_memory: Optional[int]
    max_payload: Optional[int]
    max_pending: Optional[int]
    max_subscriptions: Optional[int]
    ping_interval: Optional[float]
    ping_max: Optional[int]
    spin_us: Optional[int]
    write_deadline: Optional[float]
    debug: Optional[bool]
    trace: Optional[bool]


_SECONDS_MAX = 1e12  # More than the library takes anywhere, and a number that it can read.


def _as_is(name: str, value: Any) -> Any:
    return value


def _milliseconds(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if abs(value) > _SECONDS_MAX:
        raise OptionsError(f'option "{name}": {value} seconds are too many')
    return math.ceil(value * 1000)


def _inverted(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {type(value).__name__}")
    return not value


#: Python's name -> the name in capi/records/connection_options.toml, and how the value crosses.
CONNECTION: Mapping[str, Option] = {
    "name": ("name", _as_is),
    "user": ("user", _as_is),
    "password": ("password", _as_is),
    "token": ("token", _as_is),
    "verbose": ("verbose", _as_is),
    "pedantic": ("pedantic", _as_is),
    "no_echo": ("echo", _inverted),
    "connect_timeout": ("connect_timeout_ms", _milliseconds),
    "retry_on_first_connect": ("retry_on_first_connect", _as_is),
    "allow_reconnect": ("reconnect", _as_is),
    "reconnect_time_wait": ("reconnect_wait_ms", _milliseconds),
    "reconnect_jitter": ("reconnect_jitter_ms", _milliseconds),
    "max_reconnect_attempts": ("reconnect_attempts_max", _as_is),
    "reconnect_buffer_size": ("reconnect_buffer_bytes_max", _as_is),
    "dont_randomize": ("randomize_servers", _inverted),
    "ignore_discovered_servers": ("ignore_discovered_servers", _as_is),
    "ping_interval": ("ping_interval_ms", _milliseconds),
    "max_outstanding_pings": ("pings_out_max", _as_is),
    "drain_timeout": ("drain_timeout_ms", _milliseconds),
    "pending_size": ("pending_bytes_max", _as_is),
    "max_requests": ("requests_max", _as_is),
    "inbox_prefix": ("inbox_prefix", _as_is),
    "spin_us": ("spin_us", _as_is),
    "run": ("run", _as_is),
}

#: The same for capi/records/server_options.toml.
SERVER: Mapping[str, Option] = {
    "host": ("host", _as_is),
    "port": ("port", _as_is),
    "listen": ("listen", _as_is),
    "name": ("server_name", _as_is),
    "user": ("user", _as_is),
    "password": ("password", _as_is),
    "token": ("token", _as_is),
    "http_host": ("http_host", _as_is),
    "http_port": ("http_port", _as_is),
    "loops": ("loops", _as_is),
    "max_connections": ("max_connections", _as_is),
    "max_control_line": ("max_control_line", _as_is),
    "max_memory": ("max_memory", _as_is),
    "max_payload": ("max_payload", _as_is),
    "max_pending": ("max_pending", _as_is),
    "max_subscriptions": ("max_subscriptions", _as_is),
    "ping_interval": ("ping_interval_ms", _milliseconds),
    "ping_max": ("ping_max", _as_is),
    "spin_us": ("spin_us", _as_is),
    "write_deadline": ("write_deadline_ms", _milliseconds),
    "debug": ("debug", _as_is),
    "trace": ("trace", _as_is),
}


#: The same for what `subscribe` is given.
SUBSCRIPTION: Mapping[str, Option] = {
    "pending_msgs_limit": ("messages_max", _as_is),
    "pending_bytes_limit": ("bytes_max", _as_is),
    "policy": ("full_policy", _as_is),
}


def to_json(table: Mapping[str, Option], given: Mapping[str, Any], **fixed: Any) -> str:
    """The JSON text for what was given; None means the default. An unknown name is an
    OptionsError.
    """
    out: Dict[str, Any] = {}
    for name, value in fixed.items():
        if value is not None:
            out[name] = value
            _check(name, value)
    for name, value in given.items():
        if name not in table:
            raise OptionsError(f"there is no option {name!r}")
        if value is None:
            continue
        key, convert = table[name]
        out[key] = convert(name, value)
        _check(name, out[key])
    return json.dumps(out)


def _check(name: str, value: Any) -> None:
    """Is it what JSON can say, in UTF-8?"""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise OptionsError(f"option {name!r} has a value that cannot be: {error}") from None
    check_text(f"option {name!r}", text)


def check_text(what: str, text: str) -> None:
    """Raises OptionsError for a text that is none: half a surrogate pair has no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise OptionsError(f"{what} is no text: a surrogate stands alone in it") from None


@contextmanager
def named_as_given(table: Mapping[str, Option]) -> Iterator[None]:
    """What the library says of an option names it as Python does."""
    try:
        yield
    except OptionsError as error:
        names = {key: (name, convert) for name, (key, convert) in table.items()}
        text = str(error)
        told = re.match(r'option "(\w+)": ', text)
        if told is not None and told[1] in names:
            name, convert = names[told[1]]
            why = text[told.end() :]
            if convert is _milliseconds:
                why = re.sub(r"-?\d+", lambda ms: f"{int(ms.group()) / 1000:.12g}", why)
                why += " (seconds)"
            text = f'option "{name}": {why}'
        raise OptionsError(text) from None


def subscription_json(
    messages_max: Optional[int], bytes_max: Optional[int], policy: Optional[str]
) -> str:
    """The options of a subscription. None is the default, as everywhere; 0 is no bound."""
    given = {
        "pending_msgs_limit": PENDING_MESSAGES if messages_max is None else messages_max,
        "pending_bytes_limit": PENDING_BYTES if bytes_max is None else bytes_max,
        "policy": "refuse_new" if policy is None else policy,
    }
    return to_json(SUBSCRIPTION, given)
