# SPDX-License-Identifier: Apache-2.0
"""A receiver that is the `nats` tool: `receiver_nats_tool.py URL SUBJECT` runs `$NATS_CLI sub`.

Reads what the tool prints, and says the same on its own output as receiver_nats_py.py. The tool
says neither that its subscription stands nor that all has come: both are learned from marks among
the flights. An input that ends without the word `end` means that nobody is left to read this.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from typing import BinaryIO, Iterator

from tally import BEGIN_MARK, END_MARK, PROGRESS_EVERY, Tally


def tell(event: str, **more: object) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


def messages(output: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """`[#1] Received on "flight.UA.EWR.IAH"`, the payload, an empty line."""
    lines = iter(output)
    for line in lines:
        if line.startswith(b"[#"):
            yield line.rstrip().split(b'"')[1].decode(), next(lines).rstrip(b"\r\n")


def kill(tool: subprocess.Popen) -> None:
    """With what it may have started: it may be a script around the tool."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(tool.pid, signal.SIGKILL)


def end_with_input(tool: subprocess.Popen) -> None:
    if not sys.stdin.readline():
        kill(tool)


def main(url: str, subject: str) -> None:
    tally = Tally(in_order=True)
    ready = False
    # An empty configuration: whatever context its owner has chosen stays out of this.
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        tool = subprocess.Popen(
            [os.environ["NATS_CLI"], "--server", url, "sub", subject],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            env={**os.environ, "XDG_CONFIG_HOME": folder}, start_new_session=True)
        threading.Thread(target=end_with_input, args=(tool,), daemon=True).start()
        try:
            for name, payload in messages(tool.stdout):
                if name == END_MARK:
                    break
                if name == BEGIN_MARK:
                    if not ready:
                        tell("ready")
                    ready = True
                    continue
                tally.add(name, payload)
                if tally.messages % PROGRESS_EVERY == 0:
                    tell("progress", messages=tally.messages)
            else:
                errors.seek(0)
                sys.exit(f"the tool ended: {errors.read().decode(errors='replace')[-500:]}")
        finally:
            kill(tool)
            tool.wait()
    tell("result", problems=[], **tally.result())


main(*sys.argv[1:])
