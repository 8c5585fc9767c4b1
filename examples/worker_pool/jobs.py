# SPDX-License-Identifier: Apache-2.0
"""What the parent and its workers say to each other: the subjects, a job, and an answer.

A job's payload is the path of a file as the system has it, in bytes; its header `Until` says when
nobody waits for the answer any more, in nanoseconds of the monotonic clock, which all processes of
a machine share. An answer is a JSON object: `worker`, and `sha256` or `error`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence, Union

SUBJECT = "job.sha256"
QUEUE = "workers"
READY_SUBJECT = "worker.ready"

_UNTIL = "Until"

Headers = Mapping[str, Union[str, Sequence[str]]]


@dataclass(frozen=True)
class Answer:
    """Either a digest or an error, and the process that it came from."""

    worker: int
    sha256: str = ""
    error: str = ""

    def to_bytes(self) -> bytes:
        return json.dumps(self.__dict__).encode()

    @staticmethod
    def of(payload: bytes) -> "Answer":
        return Answer(**json.loads(payload))


def headers_of(seconds: float) -> Headers:
    """The headers of a job for whose answer somebody waits so long."""
    return {_UNTIL: str(time.monotonic_ns() + int(seconds * 1e9))}


def is_wanted(headers: Optional[Headers]) -> bool:
    """Does anybody still wait for the answer?"""
    until = headers.get(_UNTIL) if headers else None
    return until is None or time.monotonic_ns() < int(str(until))
