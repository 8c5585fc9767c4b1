# SPDX-License-Identifier: Apache-2.0
"""Goal: the asyncio client. Method: each promise over a socket and inside the process, one loop
per test.
"""

from __future__ import annotations

import asyncio
import gc
import os

import pytest
import uvloop
from conftest import run

import martlet
from martlet import aio, errors


def test_messages_arrive_as_they_were_sent(way):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("p.*")
            await nc.publish("p.1", b"data", reply="r", headers={"K": "v"})
            msg = await sub.next_msg(5)
            assert (msg.subject, msg.reply, msg.data, msg.headers["K"]) == (
                "p.1",
                "r",
                b"data",
                "v",
            )

    run(main())


def test_async_for_in_order(way):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("a", max_msgs=20_000)

            async def publish():
                for number in range(20_000):
                    await nc.publish("a", b"%d" % number)

            task = asyncio.create_task(publish())
            seen = [int(msg.data) async for msg in sub]
            await task
            assert seen == list(range(20_000))

    run(main())


def test_other_tasks_run_while_messages_flow(way):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("a", max_msgs=50_000)
            for _ in range(50_000):
                await nc.publish("a")
            turns = 0

            async def count():
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            task = asyncio.create_task(count())
            async for _ in sub:
                pass
            task.cancel()
            assert turns > 10

    run(main())


def test_batches(way):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("a", max_msgs=3000)
            for number in range(3000):
                await nc.publish("a", b"%d" % number)
            seen = [int(msg.data) async for batch in sub.batches() for msg in batch]
            assert seen == list(range(3000))

    run(main())


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_callbacks(way, kind):
    async def main():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        seen = []

        def take(msg):
            seen.append(int(msg.data))
            if len(seen) == 3000:
                done.set_result(None)

        async def take_later(msg):
            await asyncio.sleep(0)
            take(msg)

        async with await aio.connect(way) as nc:
            await nc.subscribe("a", cb=take if kind == "function" else take_later)
            for number in range(3000):
                await nc.publish("a", b"%d" % number)
            await done
        assert seen == list(range(3000))

    run(main())


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_a_callback_that_raises_is_told_and_the_next_message_comes(way, kind):
    async def main():
        told, seen = [], asyncio.get_running_loop().create_future()

        def take(msg):
            if msg.data == b"bad":
                raise KeyError("from the callback")
            seen.set_result(msg.data)

        async def take_later(msg):
            take(msg)

        async with await aio.connect(way, error_cb=told.append) as nc:
            await nc.subscribe("a", cb=take if kind == "function" else take_later)
            await nc.publish("a", b"bad")
            await nc.publish("a", b"good")
            assert await seen == b"good"
        assert isinstance(told[0], KeyError)

    run(main())


def test_request_and_reply(way):
    async def main():
        async with await aio.connect(way) as nc:

            async def serve(msg):
                await msg.respond(msg.data * 2)

            await nc.subscribe("double", cb=serve)
            replies = await asyncio.gather(
                *(nc.request("double", b"%d," % n, timeout=20) for n in range(200))
            )
            assert [reply.data for reply in replies] == [b"%d," % n * 2 for n in range(200)]

    run(main())


def test_requests_that_fail(way):
    async def main():
        async with await aio.connect(way) as nc:
            with pytest.raises(errors.NoRespondersError):
                await nc.request("nobody", timeout=10)
            mute = await nc.subscribe("mute")
            with pytest.raises(errors.TimeoutError):
                await nc.request("mute", timeout=0.05)
            assert (await mute.next_msg(20)).reply and mute.delivered == 1
            with pytest.raises(errors.BadSubjectError):
                await nc.request("a b")

    run(main())


def test_a_cancelled_wait_leaves_the_subscription_whole(way):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("a")
            for _ in range(3):
                with pytest.raises(errors.TimeoutError):
                    await sub.next_msg(0.01)
                task = asyncio.create_task(sub.next_msg(None))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await nc.publish("a", b"x")
            assert (await sub.next_msg(5)).data == b"x"
            request = asyncio.create_task(nc.request("mute.cancelled", timeout=10))
            await asyncio.sleep(0)
            request.cancel()
            with pytest.raises((asyncio.CancelledError, errors.NoRespondersError)):
                await request
            assert not nc._waiting

    run(main())


def test_two_tasks_cannot_wait_on_one_subscription(way):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("a")
            task = asyncio.create_task(sub.next_msg(None))
            await asyncio.sleep(0.01)
            with pytest.raises(errors.StateError):
                await sub.next_msg(1)
            await nc.publish("a", b"x")
            assert (await task).data == b"x"

    run(main())


def test_many_subscriptions_use_one_descriptor_of_the_loop_and_no_thread(server):
    async def main():
        async with await aio.connect(server) as nc:
            gc.collect()
            before = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
            subs = [await nc.subscribe(f"s.{number}") for number in range(1000)]
            for number in range(1000):
                await nc.publish(f"s.{number}", b"%d" % number)
            for number, sub in enumerate(subs):
                assert (await sub.next_msg(20)).data == b"%d" % number
            assert (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))) == before

    run(main())


def test_a_request_for_many_gives_answers_as_they_come(way):
    async def main():
        async with await aio.connect(way) as nc:
            for name in (b"first", b"second", b"third"):

                async def answer(message, name=name):
                    await message.respond(message.data + name)

                await nc.subscribe("who", cb=answer)
            bounded = await nc.request_many("who", b"I am ", timeout=30, max_msgs=2)
            assert len({message.data async for message in bounded}) == 2
            answers = await nc.request_many("who", timeout=2)
            assert {message.data async for message in answers} == {b"first", b"second", b"third"}

    run(main())


def test_how_a_request_for_many_ends_otherwise(way):
    async def main():
        nc = await aio.connect(way)
        with pytest.raises(errors.NoRespondersError, match='nobody listens to "nobody"'):
            async for _ in await nc.request_many("nobody"):
                pass
        silent = await nc.subscribe("silent")
        assert [message async for message in await nc.request_many("silent", timeout=0.05)] == []
        assert (await silent.next_msg(10)).data == b""
        with pytest.raises(errors.BadSubjectError):
            await nc.request_many("a b")
        with pytest.raises(errors.InvalidArgumentError, match="max_msgs must be 0 or more"):
            await nc.request_many("silent", max_msgs=-1)
        unanswered = await nc.request_many("silent", timeout=None)
        reading = asyncio.ensure_future(unanswered.__anext__())
        await asyncio.sleep(0)
        await nc.close()
        with pytest.raises(errors.ConnectionClosedError):
            await reading
        with pytest.raises(errors.ConnectionClosedError):
            await nc.request_many("silent")

    run(main())


def test_a_request_that_fails_names_its_subject_and_time(way):
    async def main():
        async with await aio.connect(way) as nc:
            silent = await nc.subscribe("silent")
            with pytest.raises(errors.TimeoutError, match=r'no answer to "silent" in 0\.05 s'):
                await nc.request("silent", timeout=0.05)
            with pytest.raises(errors.NoRespondersError, match='nobody listens to "nobody"'):
                await nc.request("nobody")
            assert repr(nc) == f"<Connection connected, {nc.connected_url}>"
            assert repr(silent) == "<Subscription subject='silent'>"

    run(main())


def test_back_pressure_awaits_and_loses_nothing(server):
    async def main():
        nc = await aio.connect(server.url, pending_size=65536)
        other = await aio.connect(server.url)
        sub = await other.subscribe("a", max_msgs=2000)
        await other.flush(10)

        async def publish():
            for number in range(2000):
                await nc.publish("a", b"%06d" % number + b"x" * 1000)

        task = asyncio.create_task(publish())
        assert [int(msg.data[:6]) async for msg in sub] == list(range(2000))
        await task
        await nc.close()
        await other.close()

    run(main())


def test_drain_waits_for_what_is_read(way):
    async def main():
        closed = []
        nc = await aio.connect(way, closed_cb=lambda: closed.append(1))
        sub = await nc.subscribe("a")
        for number in range(100):
            await nc.publish("a", b"%d" % number)

        async def read():
            return [msg.data async for msg in sub]

        reader = asyncio.create_task(read())
        await nc.drain(30)
        assert nc.is_closed and closed == [1]
        assert await reader == [b"%d" % number for number in range(100)]
        with pytest.raises(errors.ConnectionClosedError):
            await nc.publish("a")
        with pytest.raises(errors.ConnectionClosedError):
            await nc.drain()
        await nc.close()

    run(main())


def test_callbacks_answer_while_the_connection_drains(way):
    async def main():
        nc = await aio.connect(way)
        other = await aio.connect(way)
        answers = await other.subscribe("answers")
        await other.flush()

        async def answer(msg):
            await asyncio.sleep(0.002)
            await nc.publish("answers", msg.data)

        await nc.subscribe("questions", cb=answer)
        await nc.flush()
        for number in range(50):
            await other.publish("questions", b"%d" % number)
        await other.flush()
        await nc.drain(30)
        assert nc.is_closed
        got = [(await answers.next_msg(5)).data for _ in range(50)]
        assert got == [b"%d" % number for number in range(50)]
        await other.close()

    run(main())


def test_a_drain_that_takes_too_long_says_so_and_closes(way):
    async def main():
        nc = await aio.connect(way)
        sub = await nc.subscribe("a")
        for number in range(10):
            await nc.publish("a", b"%d" % number)
        await nc.flush()
        with pytest.raises(errors.TimeoutError):
            await nc.drain(0.2)
        assert nc.is_closed
        assert [msg.data async for msg in sub] == [b"%d" % number for number in range(10)]

    run(main())


def test_a_callback_may_begin_the_drain(way):
    async def main():
        closed = asyncio.Event()
        nc = await aio.connect(way, closed_cb=closed.set)

        async def drain(msg):
            await nc.drain(30)

        await nc.subscribe("a", cb=drain)
        await nc.publish("a")
        await closed.wait()
        assert nc.is_closed

    run(main())


def test_close_ends_who_waits(way):
    async def main():
        nc = await aio.connect(way)
        sub = await nc.subscribe("a")

        async def read():
            return [msg async for msg in sub]

        reader = asyncio.create_task(read())
        mute = await nc.subscribe("mute")
        request = asyncio.create_task(nc.request("mute", timeout=30))
        await asyncio.sleep(0.05)
        await nc.close()
        assert await reader == []
        with pytest.raises(errors.Error):
            await request
        assert mute.ended or mute.delivered == 1

    run(main())


def test_connect_fails_by_name(server):
    async def main():
        with pytest.raises(errors.NoServersError):
            await aio.connect("nats://127.0.0.1:1", allow_reconnect=False)
        with pytest.raises(errors.OptionsError):
            await aio.connect(server.url, nonsense=1)
        with martlet.Server(token="t") as closed, pytest.raises(errors.AuthorizationError):
            await aio.connect(closed.url)

    run(main())


def test_it_reconnects_and_subscribes_again():
    async def main():
        loop = asyncio.get_running_loop()
        lost, back = loop.create_future(), loop.create_future()
        server = martlet.Server().start()
        port = server.port

        async def on_lost():
            lost.set_result(None)

        nc = await aio.connect(
            server.url,
            reconnect_time_wait=0.05,
            disconnected_cb=on_lost,
            reconnected_cb=lambda: back.set_result(None),
        )
        sub = await nc.subscribe("a")
        await nc.flush(10)
        server.stop()
        await lost
        again = martlet.Server(port=port).start()
        await back
        await nc.publish("a", b"x")
        assert (await sub.next_msg(20)).data == b"x"
        await nc.close()
        again.stop()

    run(main())


def test_dropped_unclosed_it_goes(server):
    async def main():
        nc = await aio.connect(server.url)
        sub = await nc.subscribe("a")
        await nc.flush(5)
        assert server.statistics()["connections"] == 1
        del nc, sub
        for _ in range(500):
            gc.collect()  # Again: until its next turn the loop holds what woke this task.
            if server.statistics()["connections"] == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the broker still holds the connection")

    run(main())


def test_uvloop(way):
    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("a", max_msgs=1000)
            for _ in range(1000):
                await nc.publish("a", b"x")
            assert len([msg async for msg in sub]) == 1000

    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(asyncio.wait_for(main(), 60))
    finally:
        loop.close()


@pytest.mark.parametrize("kind", ["coroutine", "function"])
def test_a_callback_is_not_called_again_after_unsubscribe(way, kind):
    async def main():
        async with await aio.connect(way) as nc, await aio.connect(way) as other:
            got, tasks = [], []

            async def coroutine(msg):
                got.append(msg.data)
                await sub.unsubscribe()

            def function(msg):
                got.append(msg.data)
                if not tasks:
                    tasks.append(asyncio.ensure_future(sub.unsubscribe()))

            sub = await nc.subscribe("a", cb=coroutine if kind == "coroutine" else function)
            await nc.flush(20)
            for number in range(5000):
                await other.publish("a", b"%d" % number)
            await other.flush(20)
            await nc.flush(20)
            await asyncio.sleep(0.05)
            assert got[0] == b"0" and len(got) < 5000
            if kind == "coroutine":
                assert got == [b"0"]

    run(main())


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
@pytest.mark.parametrize("run_by", ["lent", "thread"])
def test_stop_of_the_server_inside_a_callback(way, server, run_by, kind):
    async def main():
        nc = await aio.connect(way, allow_reconnect=False, run=run_by)
        stopped = asyncio.get_running_loop().create_future()

        def stop(msg):
            server.stop()
            if not stopped.done():
                stopped.set_result(repr(server))

        async def stop_in_a_coroutine(msg):
            stop(msg)

        other = await nc.subscribe("other")
        await nc.subscribe("a", cb=stop if kind == "function" else stop_in_a_coroutine)
        for _ in range(100):
            await nc.publish("a")
        assert await stopped == "<Server stopped>"
        with pytest.raises(errors.ConnectionClosedError):
            await other.next_msg(20)
        await nc.close()

    run(main())
