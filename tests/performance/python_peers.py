# SPDX-License-Identifier: Apache-2.0
"""Owns what python_bench.py measures martlet beside inside a process: pyzmq, eclipse-zenoh, and
nats-server as a child, and what a hundred starts of one leave behind."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

PAYLOAD = b"x" * 128
SUBJECT = "bench.subject"
REQUESTS = 2000
LIVES = 100
START_SECONDS_MAX = 30

Figures = Dict[str, float]


def rate(count: int, begin: float) -> float:
    return count / (time.perf_counter() - begin)


def p50_us(samples: List[float]) -> float:
    return statistics.median(samples) * 1e6


def left_by_lives(name: str, live: Callable[[], None]) -> Figures:
    """How many threads and descriptors more there are after a hundred lives."""

    def standing() -> List[int]:
        return [len(os.listdir(f"/proc/self/{folder}")) for folder in ("task", "fd")]

    live()
    before = standing()
    for _ in range(LIVES):
        live()
    threads, descriptors = (now - then for now, then in zip(standing(), before))
    return {
        f"threads left by 100 starts {name}": threads,
        f"descriptors left by 100 starts {name}": descriptors,
    }


@contextlib.contextmanager
def nats_server(program: str) -> Iterator[str]:
    """nats-server as a child; its URL when it can be connected to."""
    with tempfile.TemporaryDirectory(prefix="martlet-bench-") as folder:
        child = subprocess.Popen(
            [program, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _url_in(Path(folder))
        finally:
            child.kill()
            child.wait()


def _url_in(folder: Path) -> str:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        for file in folder.glob("*.ports"):
            text = file.read_text(encoding="utf-8")
            if text.endswith("}"):
                url: str = json.loads(text)["nats"][0]
                return url
        time.sleep(0.0002)
    raise TimeoutError("nats-server does not start")


def zmq_in_process(count: int) -> float:
    import zmq

    context = zmq.Context()
    receiver = context.socket(zmq.PULL)
    receiver.bind("inproc://bench")

    def publish() -> None:
        sender = context.socket(zmq.PUSH)
        sender.connect("inproc://bench")
        for _ in range(count):
            sender.send(PAYLOAD)
        sender.close()

    thread = threading.Thread(target=publish)
    begin = time.perf_counter()
    thread.start()
    for _ in range(count):
        receiver.recv()
    result = rate(count, begin)
    thread.join()
    receiver.close()
    context.term()
    return result


def zmq_request() -> float:
    import zmq

    context = zmq.Context()
    service = context.socket(zmq.REP)
    service.bind("inproc://bench")

    def serve() -> None:
        for _ in range(REQUESTS):
            service.send(service.recv())

    thread = threading.Thread(target=serve)
    thread.start()
    asker = context.socket(zmq.REQ)
    asker.connect("inproc://bench")
    samples = []
    for _ in range(REQUESTS):
        begin = time.perf_counter()
        asker.send(PAYLOAD)
        asker.recv()
        samples.append(time.perf_counter() - begin)
    thread.join()
    asker.close()
    service.close()
    context.term()
    return p50_us(samples)


def open_zenoh() -> Any:
    import zenoh

    config = zenoh.Config()
    config.insert_json5("scouting/multicast/enabled", "false")
    config.insert_json5("listen/endpoints", "[]")
    return zenoh.open(config)


def zenoh_in_process(count: int) -> float:
    with open_zenoh() as session:
        done = threading.Event()
        seen = 0

        def callback(sample: Any) -> None:
            nonlocal seen
            seen += 1
            sample.payload.to_bytes()
            if seen == count:
                done.set()

        session.declare_subscriber("bench/subject", callback)
        publisher = session.declare_publisher("bench/subject")
        begin = time.perf_counter()
        for _ in range(count):
            publisher.put(PAYLOAD)
        done.wait(120)
        return rate(count, begin)


def zenoh_request() -> float:
    with open_zenoh() as session:
        session.declare_queryable("bench/echo", lambda query: query.reply("bench/echo", PAYLOAD))
        samples = []
        for _ in range(REQUESTS):
            begin = time.perf_counter()
            for reply in session.get("bench/echo"):
                reply.ok
            samples.append(time.perf_counter() - begin)
        return p50_us(samples)


def zenoh_life() -> None:
    open_zenoh().close()
