# SPDX-License-Identifier: Apache-2.0
#
# nats-py against the servers named in the environment. One line a check, a closing line, and
# `call WORD` lines by which it asks the runner to kill or start a server. See ../README.md.

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import traceback
from typing import Awaitable, Callable

import nats
from nats import errors

OPEN = os.environ["INTEROP_OPEN"]
USER = os.environ["INTEROP_USER"]
TOKEN = os.environ["INTEROP_TOKEN"]
RESTART = os.environ["INTEROP_RESTART"]
USER_NAME = os.environ["INTEROP_USER_NAME"]
USER_PASSWORD = os.environ["INTEROP_USER_PASSWORD"]
TOKEN_WORD = os.environ["INTEROP_TOKEN_WORD"]

CHECK_SECONDS_MAX = 30
WAIT_SECONDS_MAX = 10
QUIET_SECONDS = 0.15  # Nothing more may come; a flush before it makes that a sure thing.

CHECKS: list[Callable[[], Awaitable[None]]] = []


def check(function: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    CHECKS.append(function)
    return function


def equal(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise AssertionError(f"{what}: {str(found)[:120]!r} instead of {str(wanted)[:120]!r}")


async def ignore(_: object) -> None:
    """Keeps the client from writing errors that a check provokes to the screen."""


@contextlib.asynccontextmanager
async def connected(url: str = OPEN, **options):
    options.setdefault("error_cb", ignore)
    connection = await nats.connect(url, connect_timeout=5, allow_reconnect=False, **options)
    try:
        yield connection
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def raises(kind: type[Exception], words: str = ""):
    try:
        yield
    except kind as error:
        if words.lower() not in str(error).lower():
            raise AssertionError(f"{kind.__name__} says {error!s}, not '{words}'") from error
        return
    raise AssertionError(f"no {kind.__name__} was raised")


async def settle(connection) -> None:
    """After it, the server has taken all that was published. One flush of nats-py does not say so:
    it puts its PING before what still waits to be written, and makes that be written then."""
    await connection.flush(timeout=WAIT_SECONDS_MAX)
    await connection.flush(timeout=WAIT_SECONDS_MAX)


async def expect(subscription, wanted: list[bytes]) -> None:
    for index, payload in enumerate(wanted):
        message = await subscription.next_msg(timeout=WAIT_SECONDS_MAX)
        equal(message.data, payload, f"message {index}")


async def expect_nothing(connection, subscription) -> None:
    await settle(connection)
    async with raises(errors.TimeoutError):
        message = await subscription.next_msg(timeout=QUIET_SECONDS)
        raise AssertionError(f"one too many: {message}")


@check
async def connect_plain() -> None:
    async with connected() as connection:
        equal(connection.is_connected, True, "connected")


@check
async def server_info() -> None:
    async with connected() as connection:
        info = connection._server_info
        equal(info["proto"], 1, "proto")
        equal(info["headers"], True, "headers")
        equal(info["max_payload"], 1024 * 1024, "max_payload")
        equal(info["client_ip"], "127.0.0.1", "client_ip")
        equal(len(info["server_id"]), 56, "length of server_id")
        version = connection.connected_server_version
        equal((version.major, version.minor) >= (2, 15), True, f"version {version}")
        async with connected() as other:
            equal(other.client_id > connection.client_id, True, "client ids rise")


@check
async def connect_user() -> None:
    async with connected(USER, user=USER_NAME, password=USER_PASSWORD) as connection:
        await settle(connection)


@check
async def connect_user_url() -> None:
    url = USER.replace("//", f"//{USER_NAME}:{USER_PASSWORD}@")
    async with connected(url) as connection:
        await settle(connection)


@check
async def connect_user_wrong() -> None:
    async with raises(errors.Error, "authorization violation"):
        await nats.connect(USER, user=USER_NAME, password="wrong", allow_reconnect=False,
                           error_cb=ignore)


@check
async def connect_user_missing() -> None:
    async with raises(errors.Error, "authorization violation"):
        await nats.connect(USER, allow_reconnect=False, error_cb=ignore)


@check
async def connect_token() -> None:
    async with connected(TOKEN, token=TOKEN_WORD) as connection:
        await settle(connection)
    async with connected(TOKEN.replace("//", f"//{TOKEN_WORD}@")) as connection:
        await settle(connection)


@check
async def connect_token_wrong() -> None:
    async with raises(errors.Error, "authorization violation"):
        await nats.connect(TOKEN, token="wrong", allow_reconnect=False, error_cb=ignore)


@check
async def publish_subscribe() -> None:
    async with connected() as publisher, connected() as subscriber:
        subscription = await subscriber.subscribe("ps.one")
        await settle(subscriber)
        wanted = [b"message %d" % index for index in range(1000)]
        for payload in wanted:
            await publisher.publish("ps.one", payload)
        await publisher.publish("ps.two", b"elsewhere")
        await settle(publisher)
        await expect(subscription, wanted)
        await expect_nothing(subscriber, subscription)


@check
async def binary_payload() -> None:
    async with connected() as connection:
        subscription = await connection.subscribe("binary")
        payload = bytes(range(256)) * 3 + b"\r\nMSG x 1 1\r\nPING\r\n"
        await connection.publish("binary", payload)
        await expect(subscription, [payload])


@check
async def empty_payload() -> None:
    async with connected() as connection:
        subscription = await connection.subscribe("empty")
        await connection.publish("empty")
        await connection.publish("empty", b"after")
        await expect(subscription, [b"", b"after"])


async def matching(pattern: str, inside: list[str], outside: list[str]) -> None:
    async with connected() as connection:
        subscription = await connection.subscribe(pattern)
        for subject in [*outside, *inside]:
            await connection.publish(subject, subject.encode())
        for subject in inside:
            message = await subscription.next_msg(timeout=WAIT_SECONDS_MAX)
            equal(message.subject, subject, "subject")
        await expect_nothing(connection, subscription)


@check
async def wildcard_star() -> None:
    await matching("star.*.end", ["star.a.end", "star.b-1.end"],
                   ["star.end", "star.a.b.end", "star.a.other", "star.a.end.more"])


@check
async def wildcard_full() -> None:
    await matching("full.>", ["full.a", "full.a.b.c.d"], ["full", "fuller.a", "other.full.a"])


@check
async def queue_group() -> None:
    counts = [0, 0, 0]
    payloads: list[bytes] = []
    async with connected() as publisher, contextlib.AsyncExitStack() as stack:
        for index in range(3):
            member = await stack.enter_async_context(connected())

            async def take(message, index=index) -> None:
                counts[index] += 1
                payloads.append(message.data)

            await member.subscribe("work.>", queue="workers", cb=take)
            await settle(member)
        everything = await publisher.subscribe("work.*")
        await settle(publisher)
        wanted = [b"%d" % index for index in range(300)]
        for index, payload in enumerate(wanted):
            await publisher.publish(f"work.{index % 7}", payload)
        await expect(everything, wanted)
        await until(lambda: sum(counts) >= 300)
        await asyncio.sleep(QUIET_SECONDS)
        equal(sorted(payloads), sorted(wanted), "each message once")
        equal(min(counts) > 0, True, f"every member worked: {counts}")


async def until(condition: Callable[[], bool]) -> None:
    end = asyncio.get_running_loop().time() + WAIT_SECONDS_MAX
    while not condition():
        if asyncio.get_running_loop().time() > end:
            raise AssertionError("waited in vain")
        await asyncio.sleep(0.01)


@check
async def request_reply() -> None:
    async with connected() as server, connected() as client:
        async def answer(message) -> None:
            await message.respond(b"re: " + message.data)

        await server.subscribe("ask", cb=answer)
        await settle(server)
        for index in range(20):
            reply = await client.request("ask", b"%d" % index, timeout=WAIT_SECONDS_MAX)
            equal(reply.data, b"re: %d" % index, "reply")
        reply = await client.request("ask", b"old", timeout=WAIT_SECONDS_MAX, old_style=True)
        equal(reply.data, b"re: old", "reply of the old style")


@check
async def request_concurrent() -> None:
    async with connected() as server, connected() as client:
        async def answer(message) -> None:
            await message.respond(message.data[::-1])

        await server.subscribe("many.*", cb=answer)
        await settle(server)
        asked = [b"request %d" % index for index in range(200)]
        replies = await asyncio.gather(*[
            client.request(f"many.{index}", payload, timeout=WAIT_SECONDS_MAX)
            for index, payload in enumerate(asked)])
        equal([reply.data for reply in replies], [text[::-1] for text in asked], "replies")


@check
async def request_timeout() -> None:
    async with connected() as server, connected() as client:
        await server.subscribe("silent")
        await settle(server)
        async with raises(errors.TimeoutError):
            await client.request("silent", b"", timeout=0.3)


@check
async def no_responders() -> None:
    async with connected() as client:
        async with raises(errors.NoRespondersError):
            await client.request("nobody.home", b"", timeout=WAIT_SECONDS_MAX)
        inbox = await client.subscribe("my.inbox")
        await client.publish("nobody.home", b"", reply="my.inbox")
        message = await inbox.next_msg(timeout=WAIT_SECONDS_MAX)
        equal(message.headers["Status"], "503", "status")


@check
async def headers() -> None:
    async with connected() as connection:
        subscription = await connection.subscribe("headers")
        sent = {"One": "1", "two-Words": "a b  c", "Word": "слово", "Empty": ""}
        await connection.publish("headers", b"body", headers=sent)
        await connection.publish("headers", b"", headers={"Only": "headers"})
        await connection.publish("headers", b"plain")
        message = await subscription.next_msg(timeout=WAIT_SECONDS_MAX)
        equal(message.headers, sent, "headers")
        equal(message.data, b"body", "payload")
        message = await subscription.next_msg(timeout=WAIT_SECONDS_MAX)
        equal((message.headers, message.data), ({"Only": "headers"}, b""), "headers alone")
        message = await subscription.next_msg(timeout=WAIT_SECONDS_MAX)
        equal((message.headers, message.data), (None, b"plain"), "no headers")


@check
async def headers_request() -> None:
    async with connected() as server, connected() as client:
        async def answer(message) -> None:
            await server.publish(message.reply, b"yes", headers={"Echo": message.headers["Ask"]})

        await server.subscribe("ask.headers", cb=answer)
        await settle(server)
        reply = await client.request("ask.headers", b"?", timeout=WAIT_SECONDS_MAX,
                                     headers={"Ask": "me"})
        equal((reply.headers, reply.data), ({"Echo": "me"}, b"yes"), "reply")


@check
async def payload_1mib() -> None:
    async with connected() as publisher, connected() as subscriber:
        subscription = await subscriber.subscribe("large")
        await settle(subscriber)
        payload = os.urandom(1024 * 1024)
        for _ in range(5):
            await publisher.publish("large", payload)
        await settle(publisher)
        await expect(subscription, [payload] * 5)


@check
async def max_payload() -> None:
    async with connected() as connection:
        equal(connection.max_payload, 1024 * 1024, "max_payload")
        async with raises(errors.MaxPayloadError):
            await connection.publish("large", bytes(1024 * 1024 + 1))
        await settle(connection)
    # The client counts the payload alone; the server counts the headers too, and closes. Whether
    # its last words arrive depends on what was still on the way, so only the end is judged.
    closed = asyncio.Event()

    async def on_close() -> None:
        closed.set()

    async with connected(closed_cb=on_close) as connection:
        await connection.publish("large", bytes(1024 * 1024), headers={"One": "more"})
        await asyncio.wait_for(closed.wait(), WAIT_SECONDS_MAX)


@check
async def no_echo() -> None:
    async with connected(no_echo=True) as silent, connected() as other:
        subscription = await silent.subscribe("echo")
        await settle(silent)
        await silent.publish("echo", b"own")
        await settle(silent)
        await other.publish("echo", b"other's")
        await settle(other)
        await expect(subscription, [b"other's"])
        await expect_nothing(silent, subscription)


@check
async def unsubscribe() -> None:
    async with connected() as connection, connected() as publisher:
        gone: list[bytes] = []

        async def take(message) -> None:
            gone.append(message.data)

        first = await connection.subscribe("un", cb=take)
        second = await connection.subscribe("un")
        await settle(connection)
        await publisher.publish("un", b"1")
        await settle(publisher)
        await expect(second, [b"1"])
        await first.unsubscribe()
        await settle(connection)
        await publisher.publish("un", b"2")
        await settle(publisher)
        await expect(second, [b"2"])
        equal(gone, [b"1"], "messages of the first")


@check
async def auto_unsubscribe() -> None:
    async with connected() as connection, connected() as publisher:
        got: list[bytes] = []

        async def take(message) -> None:
            got.append(message.data)

        subscription = await connection.subscribe("auto", cb=take)
        await subscription.unsubscribe(limit=5)
        await settle(connection)
        for index in range(10):
            await publisher.publish("auto", b"%d" % index)
        await settle(publisher)
        await until(lambda: len(got) >= 5)
        await settle(connection)
        equal(got, [b"0", b"1", b"2", b"3", b"4"], "messages")
        async with raises(errors.NoRespondersError):
            await publisher.request("auto", b"", timeout=WAIT_SECONDS_MAX)


@check
async def drain_subscription() -> None:
    async with connected() as connection, connected() as publisher:
        got: list[bytes] = []

        async def take(message) -> None:
            await asyncio.sleep(0.002)
            got.append(message.data)

        subscription = await connection.subscribe("drain", cb=take)
        await settle(connection)
        wanted = [b"%d" % index for index in range(100)]
        for payload in wanted:
            await publisher.publish("drain", payload)
        await settle(publisher)
        await subscription.drain()
        equal(got, wanted, "what had come before the drain")
        async with raises(errors.NoRespondersError):
            await publisher.request("drain", b"", timeout=WAIT_SECONDS_MAX)


@check
async def drain_connection() -> None:
    async with connected() as publisher, connected() as connection:
        got: list[bytes] = []
        replies = await publisher.subscribe("drained.reply")

        async def take(message) -> None:
            await asyncio.sleep(0.002)
            got.append(message.data)
            await connection.publish("drained.reply", message.data)

        await connection.subscribe("drained", cb=take)
        await settle(connection)
        wanted = [b"%d" % index for index in range(100)]
        for payload in wanted:
            await publisher.publish("drained", payload)
        await settle(publisher)
        await connection.drain()
        equal(connection.is_closed, True, "closed")
        equal(got, wanted, "what had come before the drain")
        await expect(replies, wanted)


@check
async def flush_rtt() -> None:
    async with connected() as connection:
        for _ in range(20):
            await connection.flush(timeout=WAIT_SECONDS_MAX)
        equal(0 < await connection.rtt() < WAIT_SECONDS_MAX, True, "round trip")


@check
async def verbose_pedantic() -> None:
    async with connected(verbose=True, pedantic=True) as connection:
        subscription = await connection.subscribe("verbose")
        for index in range(50):
            await connection.publish("verbose", b"%d" % index)
        await settle(connection)
        await expect(subscription, [b"%d" % index for index in range(50)])


@check
async def close() -> None:
    connection = await nats.connect(OPEN)
    await connection.close()
    async with raises(errors.ConnectionClosedError):
        await connection.publish("closed", b"")


@check
async def many_subscriptions() -> None:
    async with connected() as connection:
        subscriptions = [await connection.subscribe(f"many.{index}.*") for index in range(2000)]
        for index in range(2000):
            await connection.publish(f"many.{index}.x", b"%d" % index)
        await settle(connection)
        for index, subscription in enumerate(subscriptions):
            await expect(subscription, [b"%d" % index])


@check
async def burst() -> None:
    async with connected() as publisher, connected() as subscriber:
        count, total, done = 50_000, 0, asyncio.Event()

        async def take(message) -> None:
            nonlocal total
            equal(int(message.data[:8]), total, "order")
            total += 1
            if total == count:
                done.set()

        await subscriber.subscribe("burst", cb=take, pending_msgs_limit=-1, pending_bytes_limit=-1)
        await settle(subscriber)
        for index in range(count):
            await publisher.publish("burst", b"%08d%0120d" % (index, 0))
        await settle(publisher)
        await asyncio.wait_for(done.wait(), WAIT_SECONDS_MAX)


async def call(word: str) -> None:
    print(f"call {word}", flush=True)
    answer = await asyncio.to_thread(sys.stdin.readline)
    equal(answer.strip(), "done", "the runner's answer")


@check
async def reconnect() -> None:
    lost, back = asyncio.Event(), asyncio.Event()

    async def on_lost() -> None:
        lost.set()

    async def on_back() -> None:
        back.set()

    connection = await nats.connect(RESTART, reconnect_time_wait=0.05, max_reconnect_attempts=-1,
                                    disconnected_cb=on_lost, reconnected_cb=on_back,
                                    error_cb=ignore)
    plain = await connection.subscribe("again.*")
    queue = await connection.subscribe("again.>", queue="workers")
    await connection.publish("again.before", b"before")
    await expect(plain, [b"before"])
    await expect(queue, [b"before"])
    await call("kill")
    await asyncio.wait_for(lost.wait(), WAIT_SECONDS_MAX)
    await call("start")
    await asyncio.wait_for(back.wait(), WAIT_SECONDS_MAX)
    await settle(connection)
    await connection.publish("again.after", b"after")
    await expect(plain, [b"after"])
    await expect(queue, [b"after"])
    await connection.close()


async def main() -> int:
    passed = failed = 0
    for function in CHECKS:
        try:
            await asyncio.wait_for(function(), CHECK_SECONDS_MAX)
        except (Exception, asyncio.CancelledError) as error:
            traceback.print_exc()
            text = str(error).replace("\n", " ")
            print(f"not ok {function.__name__}: {type(error).__name__} {text}", flush=True)
            failed += 1
        else:
            print(f"ok {function.__name__}", flush=True)
            passed += 1
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
