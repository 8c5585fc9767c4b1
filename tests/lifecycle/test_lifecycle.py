# SPDX-License-Identifier: Apache-2.0
"""Goal: brokers and connections inside a process leave nothing behind, disturb nothing and
survive its forks.

Method: counts of threads, descriptors and memory from /proc; child programs and forks, with what
they printed and how they ended; a client of the parent's broker that must go on being served.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
import time

import pytest
from programs import run_program
from usage import descriptor_count, resident_bytes, thread_count

import martlet
from martlet import aio, errors

CYCLES = 1000
WARM_CYCLES = 100
GROWTH_BYTES_MAX = 1024 * 1024
LOOKS = 20


def assert_flat(cycle) -> None:
    memory, before = 0, (0, 0)
    for number in range(CYCLES):
        cycle()
        if number + 1 == WARM_CYCLES:
            memory, before = resident_bytes(), settled_counts()
    grown = resident_bytes() - memory
    assert settled_counts() == before
    assert grown <= GROWTH_BYTES_MAX


def settled_counts() -> tuple[int, int]:
    """Threads and descriptors. The server's side of what was closed goes with its next turn, so
    the least of some looks counts.
    """
    counts = []
    for _ in range(LOOKS):
        counts.append((thread_count(), descriptor_count()))
        time.sleep(0.01)
    return min(counts)


# --- cycles ---


def test_a_thousand_starts_and_stops_of_new_servers():
    def cycle():
        with martlet.Server():
            pass

    assert_flat(cycle)


def test_a_thousand_starts_and_stops_of_one_server_with_a_client():
    server = martlet.Server()

    def cycle():
        with server, martlet.connect(server) as nc:
            sub = nc.subscribe("a")
            nc.publish("a", b"x")
            assert sub.next_msg(20).data == b"x"

    assert_flat(cycle)


def test_a_thousand_connects_over_tcp():
    with martlet.Server() as server:

        def cycle():
            with martlet.connect(server.url) as nc:
                nc.flush(20)

        assert_flat(cycle)


@pytest.mark.parametrize("run", ["lent", "thread"])
def test_a_thousand_connects_of_asyncio(run):
    with martlet.Server() as server:

        async def connect_and_close():
            nc = await aio.connect(server.url, run=run)
            await nc.flush(20)
            await nc.close()

        loop = asyncio.new_event_loop()
        try:
            assert_flat(lambda: loop.run_until_complete(connect_and_close()))
        finally:
            loop.close()


def test_nothing_is_left_after_the_last_one():
    gc.collect()
    before = thread_count(), descriptor_count()
    servers = [martlet.Server().start() for _ in range(5)]
    connections = [martlet.connect(server.url) for server in servers]
    for connection, server in zip(connections, servers):
        connection.subscribe("a", cb=lambda msg: None)
        connection.flush(20)
        connection.close()
        server.stop()
    del servers, connections, connection, server
    gc.collect()
    deadline = time.monotonic() + 10
    while (thread_count(), descriptor_count()) != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (thread_count(), descriptor_count()) == before


def test_several_brokers_do_not_hear_each_other():
    with martlet.Server() as one, martlet.Server() as two, martlet.Server(listen=False) as three:
        connections = [martlet.connect(server) for server in (one, two, three)]
        subs = [nc.subscribe("same") for nc in connections]
        for number, nc in enumerate(connections):
            nc.publish("same", b"%d" % number)
        for number, (nc, sub) in enumerate(zip(connections, subs)):
            assert sub.next_msg(20).data == b"%d" % number
            nc.flush(20)
            assert sub.pending_msgs == 0
            nc.close()


def connections_become(server, count: int, seconds: float = 5.0) -> bool:
    """Does the broker see so many within that time, while what nobody holds is collected?"""
    deadline = time.monotonic() + seconds
    while server.statistics()["connections"] != count and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    return server.statistics()["connections"] == count


def test_dropped_unclosed_the_broker_sees_it_go():
    with martlet.Server() as server:
        nc = martlet.connect(server.url)
        sub = nc.subscribe("a")
        assert server.statistics()["connections"] == 1
        del nc, sub
        assert connections_become(server, 0)


@pytest.mark.parametrize("ending", ["max_msgs", "unsubscribe"])
def test_dropped_with_a_callback_it_serves_until_that_has_ended(ending):
    gc.collect()
    threads = settled_counts()[0]
    with martlet.Server() as server, martlet.connect(server) as asker:

        def serve() -> None:
            nc = martlet.connect(server.url)

            def end(msg):
                msg.respond(b"the last")
                if ending == "unsubscribe":
                    sub.unsubscribe()

            nc.subscribe("served", cb=lambda msg: msg.respond(b"yes"), max_msgs=3)
            sub = nc.subscribe("end", cb=end, max_msgs=1 if ending == "max_msgs" else 0)
            nc.flush(20)

        serve()
        for _ in range(3):
            assert not connections_become(server, 1, seconds=0.1)
            assert asker.request("served", timeout=20).data == b"yes"
        assert not connections_become(server, 1, seconds=0.1)
        assert asker.request("end", timeout=20).data == b"the last"
        assert connections_become(server, 1)
    assert settled_counts()[0] <= threads


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
@pytest.mark.parametrize("run", ["lent", "thread"])
def test_dropped_with_a_callback_of_asyncio_it_serves_until_that_has_ended(run, kind):
    async def serve(server) -> None:
        nc = await aio.connect(server.url, run=run, error_cb=print)

        async def answer(msg):
            await msg.respond(b"yes")

        cb = answer if kind == "coroutine function" else lambda msg: msg.respond(b"yes")
        await nc.subscribe("served", cb=cb, max_msgs=3)
        await nc.flush(20)

    async def main(server):
        async with await aio.connect(server) as asker:
            await serve(server)
            for _ in range(3):
                gc.collect()
                await asyncio.sleep(0.05)
                assert server.statistics()["connections"] == 2
                assert (await asker.request("served", timeout=20)).data == b"yes"
            deadline = time.monotonic() + 5
            while server.statistics()["connections"] != 1 and time.monotonic() < deadline:
                gc.collect()
                await asyncio.sleep(0.01)
            assert server.statistics()["connections"] == 1

    with martlet.Server() as server:
        asyncio.run(main(server))


def test_a_server_that_is_dropped_ends():
    gc.collect()
    before = thread_count(), descriptor_count()
    server = martlet.Server().start()
    nc = martlet.connect(server)
    sub = nc.subscribe("a")
    nc.flush(20)
    assert thread_count() > before[0] and descriptor_count() > before[1]
    del server, nc, sub
    gc.collect()
    deadline = time.monotonic() + 5
    while (thread_count(), descriptor_count()) != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (thread_count(), descriptor_count()) == before


def test_a_thousand_subscriptions_add_no_thread():
    with martlet.Server() as server, martlet.connect(server.url) as nc:
        called = threading.Semaphore(0)
        nc.subscribe("first", cb=lambda msg: None)
        nc.flush(20)
        before = thread_count()
        subs = [nc.subscribe(f"s.{number}") for number in range(500)]
        for number in range(500):
            nc.subscribe(f"c.{number}", cb=lambda msg: called.release())
            nc.publish(f"s.{number}", b"x")
            nc.publish(f"c.{number}", b"x")
        for sub in subs:
            assert sub.next_msg(20).data == b"x"
        for _ in range(500):
            assert called.acquire(timeout=20)
        assert thread_count() == before


def test_stop_under_load():
    for _ in range(20):
        server = martlet.Server().start()
        nc = martlet.connect(server.url, allow_reconnect=False)
        nc.subscribe("a", cb=lambda msg: None)
        ended = threading.Event()

        def publish(nc=nc, ended=ended):
            try:
                while True:
                    nc.publish("a", b"x" * 100)
            except errors.Error:
                ended.set()

        thread = threading.Thread(target=publish)
        thread.start()
        time.sleep(0.01)
        server.stop()
        assert ended.wait(20)
        thread.join()
        nc.close()


# --- the host ---


def test_signal_handlers_of_the_host_are_untouched():
    text = """
    import signal, martlet
    def handlers():
        with open("/proc/self/status") as status:
            lines = [line for line in status if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
        # 32 and 33 are the C library's own.
        lines = [f"{int(line.split()[1], 16) & ~(3 << 31):x}" for line in lines]
        return lines, [signal.getsignal(number) for number in signal.valid_signals()]
    before = handlers()
    with martlet.Server(http_port=0) as server, martlet.connect(server.url) as nc:
        nc.flush(20)
        assert handlers() == before
    assert handlers() == before
    """
    done = run_program(text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_ctrl_c_ends_a_blocking_wait():
    text = """
    import os, signal, threading, time, martlet
    # Who runs in a shell's background was started with the signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    server = martlet.Server().start()
    nc = martlet.connect(server.url)
    sub = nc.subscribe("a")
    mute = nc.subscribe("mute")
    for wait in (lambda: next(sub), lambda: sub.next_msg(None), lambda: nc.request("mute",
    timeout=None)):
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            wait()
        except KeyboardInterrupt:
            print("interrupted")
    nc.flush(20)
    nc.close()
    server.stop()
    """
    done = run_program(text)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["interrupted"] * 3, "")


def test_ctrl_c_ends_what_waits_for_a_server_that_does_nothing():
    """A server that accepts and stays silent, and one that is stopped."""
    text = """
    import os, signal, socket, subprocess, sys, threading, time, martlet
    signal.signal(signal.SIGINT, signal.default_int_handler)
    def interrupted(wait):
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        begin = time.monotonic()
        try:
            wait()
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - begin < 10)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"nats://127.0.0.1:{silent.getsockname()[1]}"
        for run in ("thread", "caller"):
            interrupted(lambda: martlet.connect(url, connect_timeout=20, run=run))
    server = subprocess.Popen([sys.executable, "-c",
        "import martlet, sys\\n"
        "with martlet.Server() as server:\\n"
        "    print(server.url, flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    nc = martlet.connect(server.stdout.readline().strip(), pending_size=65536, ping_interval=60)
    other = martlet.connect(nc.connected_url, ping_interval=60)
    for one in (nc, other):
        one.flush(20)
    os.kill(server.pid, signal.SIGSTOP)
    interrupted(lambda: other.rtt(20))
    def fill():
        while True:
            nc.publish("a", b"x" * 50_000)
    interrupted(fill)
    interrupted(lambda: nc.request("a", b"x" * 50_000, timeout=None))
    interrupted(lambda: other.drain(20))
    nc.close()
    other.close()
    server.kill()
    server.communicate()
    """
    done = run_program(text, 90)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["interrupted True"] * 6


def test_an_embedded_broker_prints_nothing():
    text = """
    import martlet, socket
    with martlet.Server(http_port=0, max_payload=100) as server:
        for wrong in (b"nonsense\\r\\n", b"PUB a 1000\\r\\n", b"\\0" * 5000):
            with socket.create_connection(("127.0.0.1", server.port)) as peer:
                peer.sendall(wrong)
                while peer.recv(1000):
                    pass
        with martlet.connect(server.url) as nc:
            nc.flush(20)
    """
    done = run_program(text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- forks ---


@pytest.fixture
def served():
    """A broker of the parent, and a proof that it serves: call it."""
    with martlet.Server() as server, martlet.connect(server.url) as nc:
        sub = nc.subscribe("a")

        def prove():
            nc.publish("a", b"x")
            assert sub.next_msg(20).data == b"x"
            with martlet.connect(server.url) as other:
                other.flush(20)

        prove()
        yield server, nc, sub, prove


def in_child(act) -> int:
    """Runs `act` in a fork; 0 when it returned."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        except BaseException:  # noqa: BLE001 - the child ends here whatever happened.
            import traceback

            traceback.print_exc()
        os._exit(status)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


def test_the_copy_in_a_child_is_inert_and_says_so(served):
    server, nc, sub, prove = served

    def act():
        for use in (
            server.stop,
            server.start,
            lambda: server.port,
            lambda: nc.publish("a"),
            lambda: nc.flush(1),
            lambda: nc.request("a"),
            lambda: nc.subscribe("b"),
            lambda: sub.next_msg(1),
            nc.close,
        ):
            with pytest.raises(errors.ForkedError):
                use()

    assert in_child(act) == 0
    prove()


def test_the_parent_goes_on_whatever_the_child_destroys():
    held = {"server": martlet.Server().start()}
    held["nc"] = martlet.connect(held["server"].url)
    held["callbacks"] = held["nc"].subscribe("b", cb=lambda msg: msg.respond(b"y"))
    held["sub"] = held["nc"].subscribe("a")

    def act():
        with pytest.raises(errors.ForkedError):
            held["server"].stop()
        held.clear()
        gc.collect()

    for _ in range(3):
        assert in_child(act) == 0
        held["nc"].publish("a", b"x")
        assert held["sub"].next_msg(20).data == b"x"
        with martlet.connect(held["server"].url) as other:
            assert other.request("b", timeout=20).data == b"y"
    held["nc"].close()
    held["server"].stop()


@pytest.mark.parametrize("run_by", ["lent", "thread"])
def test_a_child_that_drops_an_asyncio_connection_leaves_the_parents_loop_alone(served, run_by):
    server = served[0]

    async def main():
        held = {"nc": await martlet.aio.connect(server.url, run=run_by)}
        held["sub"] = await held["nc"].subscribe("a")
        await held["nc"].flush(20)

        def act():
            held.clear()
            gc.collect()

        for _ in range(2):
            assert in_child(act) == 0
            await held["nc"].publish("a", b"x")
            assert (await held["sub"].next_msg(20)).data == b"x"
        await held["nc"].close()

    asyncio.run(main())


def test_a_child_makes_what_it_needs_itself(served):
    server, _, _, prove = served
    url = server.url

    def act():
        with martlet.Server() as own, martlet.connect(own) as nc, nc.subscribe("c") as mine:
            nc.publish("c", b"own")
            assert mine.next_msg(20).data == b"own"
            with pytest.raises(errors.NoRespondersError):
                nc.request("nobody", timeout=20)
        with martlet.connect(url) as parents:
            parents.publish("from.child", b"hello")
            parents.flush(20)

    with martlet.connect(url) as nc, nc.subscribe("from.child") as heard:
        nc.flush(20)
        assert in_child(act) == 0
        assert heard.next_msg(20).data == b"hello"
    prove()


def test_pre_forked_workers_share_a_queue_group(served):
    """As gunicorn does it: the parent holds the broker, each worker connects for itself."""
    server, nc, _, prove = served
    url = server.url
    workers = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            try:
                own = martlet.connect(url)
                sub = own.subscribe("work", queue="workers")
                for msg in sub:
                    msg.respond(b"%d" % number)
                own.close()
                os._exit(0)
            except BaseException:  # noqa: BLE001 - the child ends here whatever happened.
                os._exit(1)
        workers.append(child)
    deadline = time.monotonic() + 30
    answered: dict[bytes, int] = {}
    while sum(answered.values()) < 400 and time.monotonic() < deadline:
        try:
            reply = nc.request("work", b"task", timeout=5)
        except errors.NoRespondersError:
            time.sleep(0.01)
            continue
        answered[reply.data] = answered.get(reply.data, 0) + 1
    assert sum(answered.values()) == 400
    os.kill(workers[0], signal.SIGKILL)
    os.waitpid(workers[0], 0)
    prove()
    for child in workers[1:]:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
    prove()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(served, method):
    server, nc, _, prove = served
    context = multiprocessing.get_context(method)
    nc.subscribe("square", cb=lambda msg: msg.respond(b"%d" % (int(msg.data) ** 2)))
    nc.flush(20)
    with context.Pool(2) as pool:
        assert pool.starmap(ask, [(server.url, number) for number in range(8)]) == [
            n * n for n in range(8)
        ]
    prove()


def ask(url: str, number: int) -> int:
    """In a worker process: one request to the parent's broker."""
    with martlet.connect(url) as nc:
        return int(nc.request("square", b"%d" % number, timeout=20).data)
