# SPDX-License-Identifier: Apache-2.0
"""Martlet: a NATS-compatible broker inside your process, and a client for any NATS server.

    import martlet

    with martlet.Server() as server, martlet.connect(server) as nc:
        sub = nc.subscribe("greet.*")
        nc.publish("greet.world", b"hello")
        print(sub.next_msg().data)

The asyncio twin is :mod:`martlet.aio`. NATS is a trademark of its owner; Martlet is compatible
with it, not part of it.
"""

from __future__ import annotations

import json as _json
import os as _os

from . import _native_file

_native_file.refuse_if_damaged(_os.path.dirname(__file__))

from . import _raw, errors  # noqa: E402 - the loader would not refuse one that is cut off.
from .headers import Headers  # noqa: E402

_native_file.refuse_if_of_another_abi(_raw)
_raw.set_error_types(errors.by_status())
_raw.set_headers_factory(Headers.parse)

from . import aio  # noqa: E402 - the raw module needs its exceptions first.
from ._raw import Msg  # noqa: E402
from .aio import connect as connect_async  # noqa: E402
from .client import Connection, Subscription, connect  # noqa: E402
from .errors import Error  # noqa: E402
from .server import Server  # noqa: E402

__version__: str = _raw.version()


def linked_versions() -> dict[str, str]:
    """What others have made and this package carries inside: each library and its version."""
    versions: dict[str, str] = _json.loads(_raw.linked_versions_json())
    return versions


__all__ = [
    "Connection",
    "Error",
    "Headers",
    "Msg",
    "Server",
    "Subscription",
    "__version__",
    "aio",
    "connect",
    "connect_async",
    "errors",
    "linked_versions",
]
