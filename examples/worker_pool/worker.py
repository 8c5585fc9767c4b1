# SPDX-License-Identifier: Apache-2.0
"""A worker process: takes jobs from the queue group, one at a time, and answers them.

Lifecycle: it works until SIGTERM, then finishes what the broker has given it already and ends with
status 0. When the broker is gone it ends too, with status 1: it never outlives its parent for long.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys

import jobs
import martlet

CHUNK_BYTES = 1 << 20
#: Blocked by the parent while it starts a process; a fork inherits that.
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(url: str, token: str) -> None:
    signal.set_wakeup_fd(-1)  # After a fork it is the parent's, which our signals would wake.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # A Ctrl-C reaches all; the parent decides.
    name = f"worker {os.getpid()}"
    with martlet.connect(url, token=token, name=name, allow_reconnect=False) as connection:
        subscription = connection.subscribe(jobs.SUBJECT, queue=jobs.QUEUE)
        end = _EndInOrder(subscription)
        connection.flush()
        connection.publish(jobs.READY_SUBJECT, b"%d" % os.getpid())
        for message in subscription:
            if jobs.is_wanted(message.headers):
                message.respond(_work(message.data).to_bytes())
    if not end.is_wanted:
        sys.exit(f"{name}: the broker is gone")


class _EndInOrder:
    """On SIGTERM the subscription ends after what the broker has sent before it learned of that."""

    def __init__(self, subscription: martlet.Subscription) -> None:
        self.is_wanted = False
        self._subscription = subscription
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _on_signal(self, number: int, frame: object) -> None:
        self.is_wanted = True
        try:
            self._subscription.drain()
        except martlet.Error:
            pass  # It has ended already, with its connection.


def _work(path: bytes) -> jobs.Answer:
    try:
        return jobs.Answer(os.getpid(), sha256=_sha256(path))
    except OSError as error:
        return jobs.Answer(os.getpid(), error=error.strerror or str(error))


def _sha256(path: bytes) -> str:
    digest = hashlib.sha256()
    chunk = memoryview(bytearray(CHUNK_BYTES))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(chunk):
            digest.update(chunk[:count])
    return digest.hexdigest()
