# SPDX-License-Identifier: Apache-2.0
"""What the clients need of tasks and of references, and Python has no word for."""

from __future__ import annotations

import asyncio
import weakref
from typing import Callable


def weak_call(thing: object, name: str) -> Callable[..., None]:
    """Calls a method of `thing` as long as that lives."""
    reference = weakref.ref(thing)

    def call(*arguments: object) -> None:
        alive = reference()
        if alive is not None:
            getattr(alive, name)(*arguments)

    return call


def is_being_cancelled() -> bool:
    """Is the current task itself to end? Before Python 3.11 a task does not tell: then yes."""
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is None or bool(cancelling())
