# SPDX-License-Identifier: Apache-2.0
"""Measures the Python package beside what users have today, in one run on one server.

    python tests/performance/python_bench.py [--server URL] [--rounds 3] [--messages 200000]
    [--json FILE]

Over TCP beside nats-py: publish, synchronous receive, callback, iterator, asyncio receive, request
p50, and how late a timer of asyncio is while messages flood its loop. Inside the process beside
pyzmq `inproc` and eclipse-zenoh, and beside nats-server ($NATS_SERVER) as a child with nats-py: one
to one rate, request p50, the start of a broker, and what a hundred starts leave behind. Prints the
medians and their ratios; it judges nothing. Without --server an embedded broker in a process of its
own serves both clients.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import math
import multiprocessing
import os
import statistics
import sys
import threading
import time
from typing import Any, Awaitable, Callable, Dict, Iterator, List, Union

import python_peers
from python_peers import PAYLOAD, REQUESTS, SUBJECT, Figures, p50_us, rate

import martlet
from martlet import aio

TIMER_SECONDS = 0.005
STARTS = 20

Connect = Callable[[Any], Awaitable[Any]]


# --- martlet over TCP or inside the process ---


def martlet_publish(where: Any, count: int) -> float:
    with martlet.connect(where) as nc:
        begin = time.perf_counter()
        for _ in range(count):
            nc.publish(SUBJECT, PAYLOAD)
        nc.flush(60)
        return rate(count, begin)


@contextlib.contextmanager
def load(where: Any, count: int) -> Iterator[Callable[[], None]]:
    """A publisher in a process of its own (TCP), started by calling what is given."""
    context = multiprocessing.get_context("spawn")
    go = context.Event()
    ready = context.Event()
    given = (where, count, ready, go)
    process = context.Process(target=publish_all, args=given, daemon=True)
    process.start()
    ready.wait(30)
    try:
        yield go.set
    finally:
        go.set()
        process.join(120)


def publish_all(url: str, count: int, ready: Any, go: Any) -> None:
    with martlet.connect(url) as nc:
        ready.set()
        go.wait()
        for _ in range(count):
            nc.publish(SUBJECT, PAYLOAD)
        nc.flush(120)


def martlet_receive(url: str, count: int, kind: str) -> float:
    with martlet.connect(url) as nc, load(url, count) as start:
        if kind == "callback":
            done = threading.Event()
            seen = 0

            def callback(msg: martlet.Msg) -> None:
                nonlocal seen
                seen += 1
                msg.data
                if seen == count:
                    done.set()

            nc.subscribe(SUBJECT, cb=callback, policy="block_reader")
            nc.flush(10)
            start()
            begin = time.perf_counter()
            done.wait(120)
            return rate(count, begin)
        sub = nc.subscribe(SUBJECT, max_msgs=count, policy="block_reader")
        nc.flush(10)
        start()
        begin = time.perf_counter()
        if kind == "iterator":
            for msg in sub:
                msg.data
        else:
            for _ in range(count):
                sub.next_msg(30).data
        return rate(count, begin)


# What is read of a flood: begins when it is called, and what it gives says the figures when the
# flood is over.
Reading = Callable[[int], Callable[[], Any]]


def rate_of_flood(count: int) -> Callable[[], float]:
    begin = time.perf_counter()
    return lambda: rate(count, begin)


def lateness_of_timer(count: int) -> Callable[[], Figures]:
    """How late, in ms, a timer of the running loop is that is set again and again."""
    loop = asyncio.get_running_loop()
    late_ms: List[float] = []
    due = loop.time() + TIMER_SECONDS
    timer = None

    def on_due() -> None:
        nonlocal due, timer
        late_ms.append((loop.time() - due) * 1000)
        due = loop.time() + TIMER_SECONDS
        timer = loop.call_at(due, on_due)

    def read() -> Figures:
        timer.cancel()
        late_ms.append((loop.time() - due) * 1000)  # One that never had its turn counts too.
        late_ms.sort()
        return {"p99": late_ms[math.ceil(len(late_ms) * 0.99) - 1], "largest": late_ms[-1]}

    timer = loop.call_at(due, on_due)
    return read


def martlet_aio_receive(url: str, count: int, reading: Reading = rate_of_flood) -> Any:
    async def main() -> Any:
        nc = await aio.connect(url)
        sub = await nc.subscribe(SUBJECT, max_msgs=count, policy="block_reader")
        await nc.flush(10)
        with load(url, count) as start:
            start()
            read = reading(count)
            async for msg in sub:
                msg.data
            result = read()
        await nc.close()
        return result

    return asyncio.run(main())


def martlet_request(where: Any) -> float:
    with martlet.connect(where) as service, martlet.connect(where) as nc:
        service.subscribe("bench.echo", cb=lambda msg: msg.respond(msg.data))
        service.flush(10)
        samples = []
        for _ in range(REQUESTS):
            begin = time.perf_counter()
            nc.request("bench.echo", PAYLOAD, timeout=10)
            samples.append(time.perf_counter() - begin)
        return p50_us(samples)


def martlet_in_process(count: int) -> float:
    """One thread publishes, another reads, as for the peers below."""
    with (
        martlet.Server(listen=False) as server,
        martlet.connect(server) as nc,
        martlet.connect(server) as other,
    ):
        sub = other.subscribe(SUBJECT, max_msgs=count, policy="block_reader")
        other.flush(10)

        def publish() -> None:
            for _ in range(count):
                nc.publish(SUBJECT, PAYLOAD)
            nc.flush(60)

        thread = threading.Thread(target=publish)
        begin = time.perf_counter()
        thread.start()
        for msg in sub:
            msg.data
        result = rate(count, begin)
        thread.join()
        return result


def martlet_start() -> float:
    """ms until a client is connected to a new broker."""
    samples = []
    for _ in range(STARTS):
        begin = time.perf_counter()
        with martlet.Server(listen=False) as server, martlet.connect(server):
            samples.append(time.perf_counter() - begin)
    return statistics.median(samples) * 1e3


def martlet_life() -> None:
    with martlet.Server(listen=False) as server, martlet.connect(server) as nc:
        nc.flush(10)


# --- both clients of asyncio over TCP, ours inside the process too: they have the same names ---


async def nats_connect(url: str) -> Any:
    import nats

    return await nats.connect(url)


# Nothing is lost: ours lets the server wait, nats-py has no bound.
BLOCKING = {"policy": "block_reader"}
UNBOUND = {"pending_msgs_limit": -1, "pending_bytes_limit": -1}


def aio_publish(connect: Connect, url: str, count: int) -> float:
    async def main() -> float:
        nc = await connect(url)
        begin = time.perf_counter()
        for _ in range(count):
            await nc.publish(SUBJECT, PAYLOAD)
        await nc.flush(60)
        result = rate(count, begin)
        await nc.close()
        return result

    return asyncio.run(main())


async def subscribed(nc: Any) -> None:
    """Returns when the server has all subscriptions. The PING of a flush of nats-py passes a SUB
    that waits to be written; that of the next one is behind it.
    """
    await nc.flush(10)
    await nc.flush(10)


async def all_called_back(nc: Any, count: int, bounds: Any) -> "asyncio.Future[None]":
    """Subscribes with a callback; what is given is done when it has seen so many messages."""
    done: "asyncio.Future[None]" = asyncio.get_running_loop().create_future()
    seen = 0

    async def callback(msg: Any) -> None:
        nonlocal seen
        seen += 1
        msg.data
        if seen == count:
            done.set_result(None)

    await nc.subscribe(SUBJECT, cb=callback, **bounds)
    await subscribed(nc)
    return done


def aio_callback(
    connect: Connect, url: str, count: int, bounds: Any, reading: Reading = rate_of_flood
) -> Any:
    async def main() -> Any:
        nc = await connect(url)
        done = await all_called_back(nc, count, bounds)
        with load(url, count) as start:
            start()
            read = reading(count)
            await asyncio.wait_for(done, 120)
            result = read()
        await nc.close()
        return result

    return asyncio.run(main())


def aio_one_to_one(connect: Connect, url: str, count: int, bounds: Any) -> float:
    """One connection publishes, another receives, on one event loop."""

    async def main() -> float:
        nc, other = await connect(url), await connect(url)
        done = await all_called_back(other, count, bounds)
        begin = time.perf_counter()
        for _ in range(count):
            await nc.publish(SUBJECT, PAYLOAD)
        await asyncio.wait_for(done, 120)
        result = rate(count, begin)
        await nc.close()
        await other.close()
        return result

    return asyncio.run(main())


def start_of_child(program: str) -> float:
    """As martlet_start(), of nats-server as a child and nats-py."""

    async def main() -> float:
        samples = []
        for _ in range(STARTS):
            begin = time.perf_counter()
            with python_peers.nats_server(program) as url:
                nc = await nats_connect(url)
                samples.append(time.perf_counter() - begin)
                await nc.close()
        return statistics.median(samples) * 1e3

    return asyncio.run(main())


def beside_a_child(program: str, measure: Callable[[str], float]) -> float:
    with python_peers.nats_server(program) as url:
        return measure(url)


def aio_request(connect: Connect, where: Any) -> float:
    async def main() -> float:
        service, nc = await connect(where), await connect(where)

        async def serve(msg: Any) -> None:
            await msg.respond(msg.data)

        await service.subscribe("bench.echo", cb=serve)
        await subscribed(service)
        samples = []
        for _ in range(REQUESTS):
            begin = time.perf_counter()
            await nc.request("bench.echo", PAYLOAD, timeout=10)
            samples.append(time.perf_counter() - begin)
        await service.close()
        await nc.close()
        return p50_us(samples)

    return asyncio.run(main())


# --- the run ---


def has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def of_timers(name: str, figures: Figures) -> Figures:
    return {f"timers of a busy loop, {key} {name}": value for key, value in figures.items()}


def rows(
    url: str, count: int, embedded: martlet.Server
) -> Dict[str, Callable[[], Union[float, Figures]]]:
    """Name -> one measurement, of one figure or of several by their own names. Rates are messages a
    second, requests microseconds, timers milliseconds."""
    few = max(count // 4, 1000)
    many = 5 * count  # Timers want some time.
    table: Dict[str, Callable[[], Union[float, Figures]]] = {
        "publish martlet": lambda: martlet_publish(url, count),
        "publish martlet.aio": lambda: aio_publish(aio.connect, url, count),
        "receive martlet next_msg": lambda: martlet_receive(url, count, "next_msg"),
        "receive martlet callback": lambda: martlet_receive(url, count, "callback"),
        "receive martlet iterator": lambda: martlet_receive(url, count, "iterator"),
        "receive martlet.aio": lambda: martlet_aio_receive(url, count),
        "request martlet": lambda: martlet_request(url),
        "request martlet.aio": lambda: aio_request(aio.connect, url),
        "in-process martlet": lambda: martlet_in_process(count),
        "in-process request martlet": lambda: martlet_request(embedded),
        "in-process request martlet.aio": lambda: aio_request(aio.connect, embedded),
        "in-process start martlet": martlet_start,
        "lives martlet": lambda: python_peers.left_by_lives("martlet", martlet_life),
        "timers iterator martlet.aio": lambda: of_timers(
            "iterator martlet.aio", martlet_aio_receive(url, many, lateness_of_timer)
        ),
        "timers callback martlet.aio": lambda: of_timers(
            "callback martlet.aio",
            aio_callback(aio.connect, url, many, BLOCKING, lateness_of_timer),
        ),
    }
    if has("nats"):
        table["publish nats-py"] = lambda: aio_publish(nats_connect, url, few)
        table["receive nats-py"] = lambda: aio_callback(nats_connect, url, few, UNBOUND)
        table["request nats-py"] = lambda: aio_request(nats_connect, url)
        table["timers callback nats-py"] = lambda: of_timers(
            "callback nats-py",
            aio_callback(nats_connect, url, count, UNBOUND, lateness_of_timer),
        )
    program = os.environ.get("NATS_SERVER", "")
    if has("nats") and program:
        table["child nats-server, nats-py"] = lambda: beside_a_child(
            program, lambda child: aio_one_to_one(nats_connect, child, few, UNBOUND)
        )
        table["child request nats-server, nats-py"] = lambda: beside_a_child(
            program, lambda child: aio_request(nats_connect, child)
        )
        table["child start nats-server"] = lambda: start_of_child(program)
    if has("zmq"):
        table["in-process pyzmq"] = lambda: python_peers.zmq_in_process(count)
        table["in-process request pyzmq"] = python_peers.zmq_request
    if has("zenoh"):
        table["in-process zenoh"] = lambda: python_peers.zenoh_in_process(few)
        table["in-process request zenoh"] = python_peers.zenoh_request
        table["lives zenoh"] = lambda: python_peers.left_by_lives(
            "zenoh", python_peers.zenoh_life
        )
    return table


RATIOS = [
    ("publish martlet", "publish nats-py", ">= 3"),
    ("publish martlet.aio", "publish nats-py", ""),
    ("receive martlet next_msg", "receive nats-py", ">= 6"),
    ("receive martlet callback", "receive nats-py", ">= 6"),
    ("receive martlet iterator", "receive nats-py", ">= 6"),
    ("receive martlet.aio", "receive nats-py", ">= 4"),
    ("request martlet", "request nats-py", "<= 0.6"),
    ("request martlet.aio", "request nats-py", "<= 0.6"),
    ("in-process martlet", "in-process pyzmq", ">= 1, aim 2"),
    ("in-process martlet", "in-process zenoh", ">= 1, aim 2"),
    ("in-process martlet", "child nats-server, nats-py", ""),
    ("in-process request martlet", "request nats-py", "<= 0.5"),
    ("in-process request martlet", "child request nats-server, nats-py", "<= 0.5"),
    ("in-process start martlet", "child start nats-server", "<= 0.5"),
    ("in-process request martlet.aio", "request nats-py", ""),
    ("in-process request martlet", "in-process request zenoh", "aim 1"),
]


def unit_of(name: str) -> str:
    for word, unit in (("request", "us"), ("timers", "ms"), ("left by", ""), ("start", "ms")):
        if word in name:
            return unit
    return "msg/s"


def serve(pipe: Any) -> None:
    """A broker in a process of its own."""
    with martlet.Server() as server:
        pipe.send(server.url)
        pipe.recv()


def main(arguments: List[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--server", help="URL of a running server; an embedded one by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--only", default="", help="rows that contain this")
    parser.add_argument("--json", help="write the medians there")
    options = parser.parse_args(arguments)
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = None
    if not options.server:
        process = context.Process(target=serve, args=(theirs,), daemon=True)
        process.start()
    url = options.server or pipe.recv()
    with martlet.Server(listen=False) as embedded:
        table = {
            name: run
            for name, run in rows(url, options.messages, embedded).items()
            if options.only in name
        }
        found: Dict[str, List[float]] = {}
        for number in range(options.rounds):
            for row, run in table.items():
                result = run()
                figures = result if isinstance(result, dict) else {row: result}
                for name, value in figures.items():
                    found.setdefault(name, []).append(value)
                    print(f"round {number + 1}/{options.rounds} {name}: {value:,.1f}", flush=True)
    if process is not None:
        pipe.send("end")
        process.join(30)
    medians = {name: statistics.median(values) for name, values in found.items()}
    print()
    for name, value in medians.items():
        unit = unit_of(name)
        print(f"{name:<50} {value:14,.1f} {unit}")
    print()
    for ours, theirs_name, wanted in RATIOS:
        if ours in medians and theirs_name in medians:
            print(
                f"{ours + ' / ' + theirs_name:<62} "
                f"{medians[ours] / medians[theirs_name]:6.2f}   {wanted}"
            )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(medians, file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
