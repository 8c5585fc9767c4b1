# SPDX-License-Identifier: Apache-2.0
"""Turns keyword arguments in Python's units (seconds, bytes) into the JSON options of the C ABI."""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from .errors import OptionsError

Option = Tuple[str, Callable[[str, Any], Any]]


def _as_is(name: str, value: Any) -> Any:
    return value


def _milliseconds(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
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


def to_json(table: Mapping[str, Option], given: Mapping[str, Any], **fixed: Any) -> str:
    """The JSON text for what was given; None means the default. An unknown name is an
    OptionsError.
    """
    out: Dict[str, Any] = {key: value for key, value in fixed.items() if value is not None}
    for name, value in given.items():
        if name not in table:
            raise OptionsError(f"there is no option {name!r}")
        if value is None:
            continue
        key, convert = table[name]
        out[key] = convert(name, value)
    try:
        return json.dumps(out)
    except TypeError as error:
        raise OptionsError(f"an option has a value that cannot be: {error}") from None


def subscription_json(
    messages_max: Optional[int], bytes_max: Optional[int], policy: Optional[str]
) -> str:
    """The options of a subscription; empty for the defaults."""
    given = {"messages_max": messages_max, "bytes_max": bytes_max, "full_policy": policy}
    named = {key: value for key, value in given.items() if value is not None}
    return json.dumps(named) if named else ""
