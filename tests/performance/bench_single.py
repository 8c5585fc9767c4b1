# SPDX-License-Identifier: Apache-2.0
"""The rows that blast does not know: the start, a million SUBs, floods beside a healthy client.

Owns: how each of them is measured once, against one contestant. The floods and the healthy client
are those of tests/robustness. Does not judge.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench_rows import FLOOD_ROWS, FLOOR, MILLION, Row
from bench_servers import HERE, BenchError, Contestants, free_port, resident_mib

sys.path.insert(0, str(HERE.parent / "robustness"))

import healthy  # noqa: E402
import run as robustness  # noqa: E402
import scenarios  # noqa: E402

START_SECONDS_MAX = 20.0
SUBS_SECONDS_MAX = 120.0
CONNECT = b'CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1"}\r\n'


def measure_start(contestants: Contestants, name: str, row: Row, count: int) -> dict[str, float]:
    """From exec until the first byte of INFO has come; VmRSS half a second later."""
    port = free_port()
    command = contestants.commands[name]
    flags = [str(port)] if name == FLOOR else ["-a", "127.0.0.1", "-p", str(port)]
    with tempfile.TemporaryFile() as log:
        quiet = [(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
        begin = time.perf_counter()
        pid = os.posix_spawn(command[0], [*command, *flags], os.environ, file_actions=quiet)
        try:
            connection = _await_info(port, begin)
            seconds = time.perf_counter() - begin
            time.sleep(0.5)
            resident = resident_mib(pid)
            connection.close()
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    return {"start_ms": seconds * 1000, "server_rss_mib": resident}


def _await_info(port: int, begin: float) -> socket.socket:
    while time.perf_counter() - begin < START_SECONDS_MAX:
        one = socket.socket()
        one.settimeout(START_SECONDS_MAX)
        try:
            one.connect(("127.0.0.1", port))
            if one.recv(4) == b"INFO":
                return one
        except ConnectionError:
            pass
        one.close()
        time.sleep(0.0001)
    raise BenchError(f"no INFO within {START_SECONDS_MAX:.0f} s")


def measure_subs(contestants: Contestants, name: str, row: Row, count: int) -> dict[str, float]:
    """From the first byte of so many SUBs until the PONG after them."""
    block = b"".join(b"SUB parent.%07d %d\r\n" % (index, index) for index in range(count))
    with contestants.running(name, []) as server:
        before = resident_mib(server.pid)
        with socket.create_connection(("127.0.0.1", server.port), SUBS_SECONDS_MAX) as one:
            one.sendall(CONNECT + b"PING\r\n")
            _await_pong(one)
            begin = time.perf_counter()
            one.sendall(block + b"PING\r\n")
            _await_pong(one)
            seconds = time.perf_counter() - begin
            grown = resident_mib(server.pid) - before
    return {"seconds_per_million": seconds * MILLION / count, "server_rss_mib": grown}


def _await_pong(one: socket.socket) -> None:
    held = b""
    while b"PONG\r\n" not in held:
        data = one.recv(65536)
        if not data or b"-ERR" in data:
            raise BenchError(f"the server said {data[-100:]!r}")
        held = held[-8:] + data
        if b"PING\r\n" in data:
            one.sendall(b"PONG\r\n")


def measure_flood(contestants: Contestants, name: str, row: Row, count: int) -> dict[str, float]:
    """The slowest answer that a healthy client got during one scenario of tests/robustness."""
    scenario = next(one for one in scenarios.SCENARIOS if one.name == row.name)
    with tempfile.TemporaryDirectory(prefix="bench_") as folder:
        flags = []
        if scenario.configuration:
            path = Path(folder) / "server.conf"
            path.write_text(scenario.configuration + "\n", encoding="utf-8")
            flags = ["-c", str(path)]
        with contestants.running(name, flags) as server:
            beside = robustness.Healthy(server.port, scenario.connect)
            watch = robustness.MemoryWatch(server.pid)
            ended = _run_bounded(lambda: scenario.run(scenarios.Server(server.port, server.pid)))
            seen = beside.end()
            grown = watch.end()
    slowest = max(seen["slowest_seconds"], seen["slowest_fresh_seconds"])
    if slowest >= healthy.NEVER_SECONDS:
        raise BenchError(f"the healthy client was not answered: {seen['problem']}")
    if ended:
        raise BenchError(f"{ended}; slowest answer until then {slowest:.2f} s")
    return {"slowest_ms": slowest * 1000, "server_rss_mib": grown / scenarios.MIB}


def _run_bounded(work) -> str:
    """Empty, or how the scenario failed. It bounds its own waits."""
    failure: list[str] = []

    def guarded() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it was is the result.
            failure.append(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    thread.join(SUBS_SECONDS_MAX)
    if thread.is_alive():
        return f"not done after {SUBS_SECONDS_MAX:.0f} s"
    return failure[0] if failure else ""


MEASURES = {
    "start": measure_start,
    "subs": measure_subs,
    **{row.name: measure_flood for row in FLOOD_ROWS},
}
