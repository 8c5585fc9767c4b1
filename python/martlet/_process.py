# SPDX-License-Identifier: Apache-2.0
"""What belongs to the process as a whole: closing everything at the end of the interpreter, and
forks.

At exit connections are closed and servers stopped while Python is still whole, so that no thread
of ours meets an interpreter that is gone. A callback that does not come back is waited for only so
long (EXIT_SECONDS in all); its thread is a daemon and ends with the process.

In a forked child nothing needs doing but forgetting: the library itself knows that its objects
belong to the parent, and answers ForkedError.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from typing import Any, Protocol

from . import _raw


class _Closes(Protocol):
    def _close_at_exit(self, timeout: float) -> None: ...


#: How long the end of the interpreter waits for callbacks of the program that still run. A process
#: ends within a second, whatever waits for its callbacks.
EXIT_SECONDS = 0.25

_open: "weakref.WeakSet[Any]" = weakref.WeakSet()
_last: "weakref.WeakSet[Any]" = weakref.WeakSet()


def close_at_exit(thing: _Closes, last: bool = False) -> None:
    """Remembers `thing`, as long as it lives; those with `last` (servers) end after the others."""
    (_last if last else _open).add(thing)


def _close_all() -> None:
    deadline = time.monotonic() + EXIT_SECONDS
    for group in (_open, _last):
        for thing in list(group):
            try:
                thing._close_at_exit(max(deadline - time.monotonic(), 0.0))
            except Exception:  # noqa: BLE001 - each of the others must still be closed.
                pass


def _after_fork_in_child() -> None:
    _open.clear()
    _last.clear()
    _raw.set_main_thread(threading.get_ident())


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
_raw.set_main_thread(threading.main_thread().ident or 0)
