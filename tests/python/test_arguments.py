# SPDX-License-Identifier: Apache-2.0
"""Goal: what a program gives is checked before anything is begun, alike in both clients, and the
refusal names it. Method: the wrong value, the exception, and that the object is as it was.
"""

from __future__ import annotations

import asyncio
import errno
import inspect
import subprocess
import sys
import time

import pytest
from conftest import run

import martlet
from martlet import _raw, aio, errors


def test_objects_that_were_not_initialised_refuse():
    nc = martlet.Connection.__new__(martlet.Connection)
    server = martlet.Server.__new__(martlet.Server)
    notifier = _raw.Notifier.__new__(_raw.Notifier)
    reader = _raw.AioReader(completions=True)
    for use in (
        lambda: nc.flush(),
        lambda: nc.stats,
        lambda: nc.close(),
        lambda: nc.is_closed,
        lambda: nc.publish("a"),
        lambda: nc.request("a"),
        lambda: nc.rtt(),
        lambda: nc.new_inbox(),
        lambda: nc.max_payload,
        lambda: nc.turn(_raw.Notifier()),
        lambda: nc.request_start("a", b"", None, None, reader, 1),
        lambda: nc.drain_start(0),
        lambda: nc.free_now(),
        lambda: aio.Connection.__new__(aio.Connection).publish("a"),
        lambda: server.port,
        lambda: server.url,
        lambda: server.statistics(),
        lambda: server.stop_now(),
        lambda: server.start_now(),
        lambda: server.set_log(reader, 1),
        lambda: notifier.drain(),
        lambda: notifier.descriptor,
        lambda: notifier.close(),
        lambda: _raw.Connection("", server, None),
    ):
        with pytest.raises(errors.InvalidHandleError, match="not initialised"):
            use()
    with pytest.raises(TypeError):
        _raw.AioReader(notifier=notifier)
    with pytest.raises(errors.ConnectionClosedError):
        _raw.Reader.__new__(_raw.Reader).next_msg(1)


WRONG_TIMEOUTS = [(-1, ValueError), ("3", TypeError), (float("nan"), ValueError)]
ENDLESS = [1e10, 1e300, float("inf")]


@pytest.mark.parametrize(("wrong", "kind"), WRONG_TIMEOUTS)
def test_timeouts_that_cannot_be(way, wrong, kind):
    with martlet.connect(way) as nc:
        sub = nc.subscribe("a")
        seen = []
        nc.subscribe("b", cb=seen.append)
        for use in (nc.drain, nc.flush, nc.rtt, sub.next_msg, nc.close):
            with pytest.raises(kind, match="timeout"):
                use(wrong)
        with pytest.raises(kind, match="timeout"):
            nc.request("a", timeout=wrong)
        nc.publish("b")
        nc.publish("a")
        nc.flush(20)
        sub.next_msg(20)
        assert nc.is_connected and not nc.is_draining
    assert len(seen) == 1


def test_the_arguments_of_next_msg(nc):
    sub = nc.subscribe("a")
    assert str(inspect.signature(sub.next_msg)) == "(timeout=1.0)"
    for wrong, named in (
        (lambda: sub.next_msg(1, 2), "at most 1 argument"),
        (lambda: sub.next_msg(1, timeout=1), "at most 1 argument"),
        (lambda: sub.next_msg(wait=1), "'wait'"),
        (lambda: sub.next_msg(timeout="1"), "timeout must be a number"),
    ):
        with pytest.raises(TypeError, match=named):
            wrong()
    for number in range(3):
        nc.publish("a", str(number).encode())
    nc.flush(20)
    got = [sub.next_msg(20), sub.next_msg(timeout=20), sub.next_msg(timeout=None)]
    assert [msg.data for msg in got] == [b"0", b"1", b"2"]
    begin = time.monotonic()
    with pytest.raises(errors.TimeoutError, match="no message in time"):
        sub.next_msg()
    assert time.monotonic() - begin >= 1.0


@pytest.mark.parametrize(("wrong", "kind"), WRONG_TIMEOUTS)
def test_asyncio_timeouts_that_cannot_be(way, wrong, kind):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("a")
            for use in (nc.drain, nc.flush, nc.rtt, sub.next_msg):
                with pytest.raises(kind, match="timeout"):
                    await use(wrong)
            with pytest.raises(kind, match="timeout"):
                await nc.request("a", timeout=wrong)
            await nc.publish("a")
            await sub.next_msg(20)
            assert nc.is_connected and not nc.is_draining and not nc._waiting

    run(main())


@pytest.mark.parametrize("endless", [*ENDLESS, None])
def test_timeouts_without_an_end(way, endless):
    with martlet.connect(way) as nc:
        sub = nc.subscribe("a")
        nc.publish("a")
        nc.flush(endless)
        assert nc.rtt(endless) > 0 and sub.next_msg(endless).data == b""
        nc.drain(endless)
        assert nc.is_closed

    async def main():
        nc = await aio.connect(way)
        sub = await nc.subscribe("a")
        await nc.publish("a")
        await nc.flush(endless)
        assert await nc.rtt(endless) > 0 and (await sub.next_msg(endless)).data == b""
        await nc.drain(endless)
        assert nc.is_closed

    run(main())


def test_a_timeout_of_0_takes_what_is_there(way):
    with martlet.connect(way) as nc:
        sub = nc.subscribe("a")
        nc.publish("a", b"1")
        nc.flush(20)
        assert sub.next_msg(0).data == b"1"

    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("a")
            await nc.publish("a", b"1")
            await nc.publish("a", b"2")
            await nc.flush(20)
            assert (await sub.next_msg(0)).data == b"1"
            assert (await sub.next_msg(0)).data == b"2"
            with pytest.raises(errors.TimeoutError):
                await sub.next_msg(0)
            await sub.unsubscribe()
            with pytest.raises(errors.ConnectionClosedError):
                await sub.next_msg(0)

    run(main())


def test_counts_that_cannot_be(nc, server):
    with pytest.raises(ValueError, match="max_msgs"):
        nc.subscribe("a", max_msgs=-1)
    with pytest.raises(TypeError, match="max_msgs"):
        nc.subscribe("a", max_msgs="3")
    with pytest.raises(ValueError, match="limit"):
        nc.subscribe("a").unsubscribe(-1)

    async def main():
        async with await aio.connect(server) as other:
            with pytest.raises(ValueError, match="max_msgs"):
                await other.subscribe("a", max_msgs=-1)

    run(main())


def test_the_ways_to_run_are_those_of_the_client(server):
    for wrong in ("lent", "somehow"):
        with pytest.raises(errors.OptionsError, match="run"):
            martlet.connect(server.url, run=wrong)

    async def main():
        for wrong in ("caller", "somehow"):
            with pytest.raises(errors.OptionsError, match="run"):
                await aio.connect(server.url, run=wrong)

    run(main())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"user": b"x"}, "'user'"),
        ({"ping_interval": 1e300}, "ping_interval"),
        ({"pending_size": 0}, "pending_size"),
        ({"max_reconnect_attempts": "x"}, "max_reconnect_attempts"),
    ],
)
def test_a_wrong_option_is_named_as_it_was_given(server, options, named):
    with pytest.raises(errors.OptionsError, match=named) as caught:
        martlet.connect(server.url, **options)
    assert "_ms" not in str(caught.value) and "_max" not in str(caught.value)

    async def main():
        with pytest.raises(errors.OptionsError, match=named):
            await aio.connect(server.url, **options)

    run(main())


def test_a_connection_that_is_refused_goes_in_silence(server):
    program = (
        "import asyncio, martlet\n"
        "async def main():\n"
        "    try:\n"
        "        await martlet.aio.connect('nats://127.0.0.1:1', name=5)\n"
        "    except martlet.errors.OptionsError:\n"
        "        print('refused')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_options_beside_a_configuration():
    text = "port: -1\nhost: 127.0.0.1\n"
    for wrong in ({"port": 4222}, {"host": "0.0.0.0"}, {"listen": False}, {"name": "x"}):
        with pytest.raises(errors.OptionsError, match="config"):
            martlet.Server(config=text, **wrong)
    lines = []
    with martlet.Server(config=text, log=lambda *line: lines.append(line), log_level=10) as server:
        with martlet.connect(server.url) as nc:
            nc.flush(20)
    assert any(level == 10 for level, _ in lines)


def test_times_are_refused_in_seconds(server):
    for option, wrong, text in (
        ("reconnect_time_wait", -1, 'option "reconnect_time_wait": -1 is below 0 (seconds)'),
        ("connect_timeout", 0, 'option "connect_timeout": 0 is below 0.001 (seconds)'),
    ):
        with pytest.raises(errors.OptionsError) as caught:
            martlet.connect(server.url, **{option: wrong})
        assert str(caught.value) == text
    with pytest.raises(errors.OptionsError) as caught:
        martlet.Server(ping_interval=-1)
    assert str(caught.value) == 'option "ping_interval": -1 is not within 0.001 and 86400 (seconds)'


def test_options_of_a_subscription_are_named_as_they_were_given(server):
    wrong = {"policy": "nope", "pending_msgs_limit": -1, "pending_bytes_limit": "x"}
    with martlet.connect(server) as nc:
        for name, value in wrong.items():
            for cb in (None, print):
                with pytest.raises(errors.OptionsError, match=f'^option "{name}": '):
                    nc.subscribe("a", cb=cb, **{name: value})

    async def main():
        async with await aio.connect(server) as nc:
            for name, value in wrong.items():
                with pytest.raises(errors.OptionsError, match=f'^option "{name}": '):
                    await nc.subscribe("a", **{name: value})

    run(main())


def test_what_is_no_server_to_connect_to():
    for wrong in (4222, None, b"nats://127.0.0.1", [4222]):
        with pytest.raises(TypeError, match="servers must be a URL, a list of URLs or a Server"):
            martlet.connect(wrong)
        with pytest.raises(TypeError, match="servers must be a URL, a list of URLs or a Server"):
            run(aio.connect(wrong))


def test_callbacks_that_cannot_be_called(server):
    for name in ("error_cb", "closed_cb", "reconnected_cb"):
        with pytest.raises(TypeError, match=f"{name} must be callable, not int"):
            martlet.connect(server, **{name: 5})
        with pytest.raises(TypeError, match=f"{name} must be callable, not int"):
            run(aio.connect(server, **{name: 5}))


def test_a_server_that_would_let_nobody_in_or_everybody_see_it():
    for wrong, named in (
        ({"password": "x"}, 'option "password": a password needs a user'),
        ({"user": "", "password": "x"}, 'option "password": a password needs a user'),
        ({"host": ""}, 'option "host": it is empty'),
        ({"name": "a b"}, 'option "name": a name holds no space'),
    ):
        with pytest.raises(errors.OptionsError, match=f"^{named}"):
            martlet.Server(**wrong)
    with martlet.Server(user="u") as server:
        martlet.connect(server.url, user="u").close()


def test_a_configuration_that_cannot_be():
    with pytest.raises(TypeError, match="config must be a str, not int"):
        martlet.Server(config=5)


def test_levels_of_the_log():
    for wrong in ("LOUD", None, 1.5, True):
        with pytest.raises(errors.OptionsError, match="log_level"):
            martlet.Server(log_level=wrong)
    lines = []
    with martlet.Server(log=lambda *line: lines.append(line), log_level="debug") as server:
        with martlet.connect(server.url) as nc:
            nc.flush(20)
    assert any(level == 10 for level, _ in lines)


def test_a_log_that_is_none():
    for wrong in ("x", 5):
        with pytest.raises(errors.OptionsError, match="log"):
            martlet.Server(log=wrong)


async def coroutine_function(*arguments):
    raise AssertionError("never called")


def test_the_synchronous_client_refuses_coroutine_functions(nc, server):
    with pytest.raises(TypeError, match="cb is a coroutine function"):
        nc.subscribe("a", cb=coroutine_function)
    for name in ("error_cb", "disconnected_cb", "closed_cb", "lame_duck_mode_cb"):
        with pytest.raises(TypeError, match=name):
            martlet.connect(server, **{name: coroutine_function})


def test_what_a_function_gives_is_awaited(way):
    async def main():
        seen, told = [], []

        async def take(msg):
            await asyncio.sleep(0)
            seen.append(msg.data)
            if msg.data == b"bad":
                raise KeyError("from the task")

        async with await aio.connect(way, error_cb=told.append) as nc:
            await nc.subscribe("a", cb=lambda msg: take(msg))
            await nc.subscribe("echo", cb=lambda msg: msg.respond(msg.data))
            for data in (b"1", b"bad", b"2"):
                await nc.publish("a", data)
            assert (await nc.request("echo", b"x", timeout=20)).data == b"x"
            await nc.drain(20)
        assert sorted(seen) == [b"1", b"2", b"bad"] and isinstance(told[0], KeyError)

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="a task cannot tell who cancels it")
def test_a_cancelled_error_inside_a_callback_is_told_and_the_next_message_comes(way):
    async def main():
        told, seen = [], asyncio.get_running_loop().create_future()

        async def callback(msg):
            if msg.data == b"bad":
                raise asyncio.CancelledError
            seen.set_result(msg.data)

        async with await aio.connect(way, error_cb=told.append) as nc:
            await nc.subscribe("a", cb=callback)
            await nc.publish("a", b"bad")
            await nc.publish("a", b"good")
            assert await seen == b"good"
        assert isinstance(told[0].__cause__, asyncio.CancelledError)

    run(main())


def test_publish_can_be_a_task(way):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("a")
            await asyncio.create_task(nc.publish("a", b"1"))
            await asyncio.gather(nc.publish("a", b"2"), nc.publish("a", b"3"))
            await asyncio.wait_for(nc.publish("a", b"4"), 20)
            assert [(await sub.next_msg(20)).data for _ in range(4)] == [b"1", b"2", b"3", b"4"]

    run(main())


def test_exceptions_of_the_system_say_why():
    with martlet.Server() as server:
        with pytest.raises(OSError) as caught:
            martlet.Server(port=server.port).start()
    assert caught.value.errno == errno.EADDRINUSE
    with pytest.raises(OSError) as caught:
        _raw.raise_status(-20, "cannot listen on 1.2.3.4:80: Permission denied")
    assert caught.value.errno == errno.EACCES
    assert str(caught.value) == "cannot listen on 1.2.3.4:80: Permission denied"
    assert errors.from_status(-20, "something").errno == errno.EIO


def test_what_a_program_derives_changes_nothing():
    class Mine(martlet.Error):
        pass

    assert type(errors.from_status(-23, "x")) is errors.InternalError
    assert Mine not in errors.by_status().values()


def test_timeouts_are_those_of_asyncio_too():
    assert issubclass(errors.TimeoutError, asyncio.TimeoutError)
