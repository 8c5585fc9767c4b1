# SPDX-License-Identifier: Apache-2.0
"""Measures the Python package beside what users have today, in one run on one server.

    python tests/performance/python_bench.py [--server URL] [--rounds 3] [--messages 200000]
    [--json FILE]

Over TCP beside nats-py: publish, synchronous receive, callback, iterator, asyncio receive,
request p50. Inside the process beside pyzmq `inproc` and eclipse-zenoh: one to one rate, request
p50. Prints the medians and their ratios; it judges nothing. Without --server an embedded broker
in a process of its own serves both clients.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import multiprocessing
import statistics
import sys
import threading
import time
from typing import Any, Callable, Dict, Iterator, List

import martlet
from martlet import aio

PAYLOAD = b"x" * 128
SUBJECT = "bench.subject"
REQUESTS = 2000


def rate(count: int, begin: float) -> float:
    return count / (time.perf_counter() - begin)


def p50_us(samples: List[float]) -> float:
    return statistics.median(samples) * 1e6


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
    process = context.Process(target=publish_all, args=(where, count, ready, go))
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


def martlet_aio_receive(url: str, count: int) -> float:
    async def main() -> float:
        nc = await aio.connect(url)
        sub = await nc.subscribe(SUBJECT, max_msgs=count, policy="block_reader")
        await nc.flush(10)
        with load(url, count) as start:
            start()
            begin = time.perf_counter()
            async for msg in sub:
                msg.data
            result = rate(count, begin)
        await nc.close()
        return result

    return asyncio.run(main())


def martlet_aio_publish(url: str, count: int) -> float:
    async def main() -> float:
        nc = await aio.connect(url)
        begin = time.perf_counter()
        for _ in range(count):
            await nc.publish(SUBJECT, PAYLOAD)
        await nc.flush(60)
        result = rate(count, begin)
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


def martlet_aio_request(where: Any) -> float:
    async def main() -> float:
        service, nc = await aio.connect(where), await aio.connect(where)

        async def serve(msg: aio.Msg) -> None:
            await msg.respond(msg.data)

        await service.subscribe("bench.echo", cb=serve)
        await service.flush(10)
        samples = []
        for _ in range(REQUESTS):
            begin = time.perf_counter()
            await nc.request("bench.echo", PAYLOAD, timeout=10)
            samples.append(time.perf_counter() - begin)
        await service.close()
        await nc.close()
        return p50_us(samples)

    return asyncio.run(main())


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


# --- nats-py ---


def nats_publish(url: str, count: int) -> float:
    async def main() -> float:
        import nats

        nc = await nats.connect(url)
        begin = time.perf_counter()
        for _ in range(count):
            await nc.publish(SUBJECT, PAYLOAD)
        await nc.flush(60)
        result = rate(count, begin)
        await nc.close()
        return result

    return asyncio.run(main())


def nats_receive(url: str, count: int) -> float:
    async def main() -> float:
        import nats

        nc = await nats.connect(url)
        done = asyncio.get_running_loop().create_future()
        seen = 0

        async def callback(msg: Any) -> None:
            nonlocal seen
            seen += 1
            msg.data
            if seen == count:
                done.set_result(None)

        await nc.subscribe(SUBJECT, cb=callback, pending_msgs_limit=-1, pending_bytes_limit=-1)
        await nc.flush()
        with load(url, count) as start:
            start()
            begin = time.perf_counter()
            await asyncio.wait_for(done, 120)
            result = rate(count, begin)
        await nc.close()
        return result

    return asyncio.run(main())


def nats_request(url: str) -> float:
    async def main() -> float:
        import nats

        service, nc = await nats.connect(url), await nats.connect(url)

        async def serve(msg: Any) -> None:
            await msg.respond(msg.data)

        await service.subscribe("bench.echo", cb=serve)
        await service.flush()
        samples = []
        for _ in range(REQUESTS):
            begin = time.perf_counter()
            await nc.request("bench.echo", PAYLOAD, timeout=10)
            samples.append(time.perf_counter() - begin)
        await service.close()
        await nc.close()
        return p50_us(samples)

    return asyncio.run(main())


# --- what others offer inside a process ---


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


# --- the run ---


def has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def rows(url: str, count: int, embedded: martlet.Server) -> Dict[str, Callable[[], float]]:
    """Name -> one measurement. Rates are messages a second, requests microseconds."""
    few = max(count // 4, 1000)
    table: Dict[str, Callable[[], float]] = {
        "publish martlet": lambda: martlet_publish(url, count),
        "publish martlet.aio": lambda: martlet_aio_publish(url, count),
        "receive martlet next_msg": lambda: martlet_receive(url, count, "next_msg"),
        "receive martlet callback": lambda: martlet_receive(url, count, "callback"),
        "receive martlet iterator": lambda: martlet_receive(url, count, "iterator"),
        "receive martlet.aio": lambda: martlet_aio_receive(url, count),
        "request martlet": lambda: martlet_request(url),
        "request martlet.aio": lambda: martlet_aio_request(url),
        "in-process martlet": lambda: martlet_in_process(count),
        "in-process request martlet": lambda: martlet_request(embedded),
        "in-process request martlet.aio": lambda: martlet_aio_request(embedded),
    }
    if has("nats"):
        table["publish nats-py"] = lambda: nats_publish(url, few)
        table["receive nats-py"] = lambda: nats_receive(url, few)
        table["request nats-py"] = lambda: nats_request(url)
    if has("zmq"):
        table["in-process pyzmq"] = lambda: zmq_in_process(count)
        table["in-process request pyzmq"] = zmq_request
    if has("zenoh"):
        table["in-process zenoh"] = lambda: zenoh_in_process(few)
        table["in-process request zenoh"] = zenoh_request
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
    ("in-process request martlet", "request nats-py", "<= 0.5"),
    ("in-process request martlet.aio", "request nats-py", ""),
    ("in-process request martlet", "in-process request zenoh", "aim 1"),
]


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
        process = context.Process(target=serve, args=(theirs,))
        process.start()
    url = options.server or pipe.recv()
    with martlet.Server(listen=False) as embedded:
        table = {
            name: run
            for name, run in rows(url, options.messages, embedded).items()
            if options.only in name
        }
        found: Dict[str, List[float]] = {name: [] for name in table}
        for number in range(options.rounds):
            for name, run in table.items():
                found[name].append(run())
                print(
                    f"round {number + 1}/{options.rounds} {name}: {found[name][-1]:,.1f}",
                    flush=True,
                )
    if process is not None:
        pipe.send("end")
        process.join(30)
    medians = {name: statistics.median(values) for name, values in found.items()}
    print()
    for name, value in medians.items():
        unit = "us" if "request" in name else "msg/s"
        print(f"{name:<34} {value:14,.1f} {unit}")
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
