# SPDX-License-Identifier: Apache-2.0
"""Goal: a program ends at once and with its own status, whatever runs in it: under load, with a
callback that is blocked, with nothing closed.

Method: programs of their own that say when their end begins; what they printed, their status, and
the time from there to the end of the process.
"""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Callable

import pytest
from programs import COMMAND, run_program

PROGRAM = Path(__file__).with_name("ending_program.py")

# How ending_program.py may end, its status, and what it says of it.
ENDINGS = {
    "end of main": (0, ""),
    "exit call": (7, ""),
    "uncaught exception": (1, "LookupError: planned\n"),
    "SIGTERM": (-signal.SIGTERM, ""),
    "os._exit": (3, ""),
}
ENDING_SECONDS_MAX = 1.0
TRIES = 3  # The machine may be busy: the best of them counts, and none hangs.
HANGING_SECONDS = 30.0


def end_under_load(client: str, way: str, ending: str) -> float:
    """The seconds of one ending, whose words and status are right."""
    status, said = ENDINGS[ending]
    command = [*COMMAND, str(PROGRAM), client, way, ending]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as child:
        try:
            told = child.stdout.readline()
            begin = time.monotonic()
            out, err = child.communicate(timeout=HANGING_SECONDS)
            seconds = time.monotonic() - begin
        finally:
            child.kill()
    assert told.startswith("ending at "), told + err
    print(f"{client}, {way}, {ending}: {seconds * 1000:.0f} ms, {told.strip()}")
    assert (child.returncode, out, err[-len(said) :] if said else err) == (status, "", said)
    return seconds


def assert_ends_in_time(end: Callable[[], float]) -> None:
    took = []
    while not took or (took[-1] > ENDING_SECONDS_MAX and len(took) < TRIES):
        took.append(end())
    assert took[-1] <= ENDING_SECONDS_MAX, took


@pytest.mark.parametrize("client", ["sync", "asyncio"])
@pytest.mark.parametrize("way", ["tcp", "in_process"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_ends_under_100_000_messages_a_second(client, way, ending):
    assert_ends_in_time(lambda: end_under_load(client, way, ending))


@pytest.mark.parametrize("what", ["callback", "log"])
def test_a_program_ends_though_a_callback_is_blocked(what):
    text = f"""
    import threading, time, martlet
    inside, never = threading.Event(), threading.Event()
    def block(*_):
        inside.set()
        never.wait()
    server = martlet.Server(log=block if {what!r} == "log" else None).start()
    nc = martlet.connect(server)
    if {what!r} == "callback":
        nc.subscribe("a", cb=block)
        nc.publish("a")
    assert inside.wait(20)
    print(time.monotonic())
    """

    def end() -> float:
        done = run_program(text, HANGING_SECONDS)
        seconds = time.monotonic() - float(done.stdout)
        assert (done.returncode, done.stderr) == (0, "")
        return seconds

    assert_ends_in_time(end)


def test_the_interpreter_ends_inside_asyncio():
    text = """
    import asyncio, martlet
    async def main():
        server = martlet.Server().start()
        nc = await martlet.aio.connect(server.url)
        await nc.subscribe("a", cb=lambda msg: None)
        sub = await nc.subscribe("a")
        task = asyncio.ensure_future(sub.next_msg(None))
        await nc.publish("b")
        await nc.flush(20)
    asyncio.run(main())
    """
    done = run_program(text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
