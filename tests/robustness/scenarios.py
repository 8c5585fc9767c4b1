# SPDX-License-Identifier: Apache-2.0
#
# What ill-behaved clients do to a server, one function each. A scenario gets a fresh server, ends
# when its harm is done and its own claims hold; run.py judges, beside it, a healthy client and the
# memory. `bytes_max` is what the scenario may add to the server's memory at most: the bounds of
# bounds.py times what it does; `slack_bytes` is what else it may touch, and why it is more than
# what any first work of a server touches.

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import time
from typing import Callable

from bounds import (CONNECT_BYTES_MAX, CONNECTION_BYTES_MAX, CONTROL_LINE_BYTES_MAX,
                    GROUP_BYTES_MAX, GROUP_MESSAGE_BYTES_MAX, KEPT_LARGE_BYTES_MAX, KIB, MIB,
                    READ_BUFFER_BYTES_MIN, SUBSCRIPTION_BYTES_MAX, TOKEN_BYTES_MAX)
from raw import CONNECT, Closed, Raw

MAX_PENDING = 16 * MIB  # As set by the configuration of the scenarios below.
# What any first work touches: the read arena, spare chunks, the allocator's and the code's pages.
SLACK_BYTES = 6 * MIB

USER, PASSWORD = "alice", "s3cret"


@dataclasses.dataclass
class Server:
    """What a scenario knows of the server under test."""

    port: int
    pid: int

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def await_descriptors(self, wanted: int, seconds_max: float) -> None:
        """Until the server has let go of the connections that ended."""
        end = time.monotonic() + seconds_max
        while (found := self.descriptors()) > wanted:
            if time.monotonic() > end:
                raise AssertionError(f"{found} descriptors after {seconds_max} s, not {wanted}")
            time.sleep(0.05)


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    run: Callable[[Server], None]
    bytes_max: int
    slack_bytes: int
    configuration: str
    connect: str


SCENARIOS: list[Scenario] = []


def scenario(bytes_max: int, slack_bytes: int = SLACK_BYTES, configuration: str = "",
             connect: str = CONNECT.decode().strip()):
    def add(function: Callable[[Server], None]) -> Callable[[Server], None]:
        SCENARIOS.append(Scenario(function.__name__, function, bytes_max, slack_bytes,
                                  configuration, connect))
        return function
    return add


def claim(condition: bool, what: str) -> None:
    if not condition:
        raise AssertionError(what)


@contextlib.contextmanager
def many(server: Server, count: int, **options):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Raw(server.port, **options)) for _ in range(count)]


def publish(subject: str, payload: bytes) -> bytes:
    return b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(payload), payload)


SLOW = f"max_pending: {MAX_PENDING}"


@scenario(bytes_max=5 * MAX_PENDING, configuration=SLOW)
def slow_reader(server: Server) -> None:
    """Three consumers never read, two do: the three are closed, the two miss nothing."""
    count, payload = 800, bytes(64 * KIB - 8)
    with contextlib.ExitStack() as stack:
        blocked = [stack.enter_context(Raw(server.port, receive_bytes=4 * KIB)) for _ in range(3)]
        reading = [stack.enter_context(Raw(server.port)) for _ in range(2)]
        publisher = stack.enter_context(Raw(server.port))
        for one in [*blocked, *reading]:
            one.send(b"SUB flood 1\r\n")
            one.round_trip()
        complaints: list[str] = []

        def read(one: Raw) -> None:
            try:
                for index in range(count):
                    _, got = one.message()
                    claim(int(got[:8]) == index, f"message {got[:8]!r} came as number {index}")
            except (AssertionError, OSError, Closed) as error:
                complaints.append(f"a reading consumer: {type(error).__name__} {error}")

        threads = [threading.Thread(target=read, args=(one,)) for one in reading]
        for thread in threads:
            thread.start()
        for index in range(count):
            publisher.send(publish("flood", b"%08d" % index + payload))
        publisher.round_trip()
        for thread in threads:
            thread.join()
        claim(not complaints, str(complaints))
        for one in blocked:
            got = one.until_closed(10)
            claim(len(got) < count * len(payload), "a blocked consumer got everything")


@scenario(bytes_max=MAX_PENDING + 2 * READ_BUFFER_BYTES_MIN, configuration=SLOW)
def trickling_reader(server: Server) -> None:
    """Reading, but far more slowly than what comes: closed too, in bounded memory."""
    payload = bytes(64 * KIB)
    with Raw(server.port, receive_bytes=4 * KIB) as consumer, Raw(server.port) as publisher:
        consumer.send(b"SUB flood 1\r\n")
        consumer.round_trip()
        rounds, each = 32, 32
        for _ in range(rounds):
            publisher.send(publish("flood", payload) * each)
            publisher.round_trip()
            with contextlib.suppress(ConnectionResetError):
                consumer.socket.recv(KIB)
        got = consumer.until_closed(10)
        claim(len(got) < rounds * each * len(payload), "so slow a consumer got everything")


@scenario(bytes_max=MAX_PENDING + READ_BUFFER_BYTES_MIN, configuration=SLOW)
def unread_answers(server: Server) -> None:
    """Asks without end and never reads an answer: what waits for it stays bounded."""
    with Raw(server.port, receive_bytes=4 * KIB) as one:
        end, sent = time.monotonic() + 4, 0
        try:
            while time.monotonic() < end and sent < 100 * MIB:
                sent += one.send_some(b"PING\r\n" * 50_000, 0.5)
        except Closed:
            pass
        claim(sent > MIB, f"only {sent} bytes were taken")


@scenario(bytes_max=300 * (64 * KIB + READ_BUFFER_BYTES_MIN + CONNECTION_BYTES_MAX))
def slow_writer(server: Server) -> None:
    """300 publishers spend seconds on one message each, byte by byte, then end it."""
    payload = b"x" * 60_000
    whole = publish("slow", payload)
    with Raw(server.port) as consumer, many(server, 300) as writers:
        consumer.send(b"SUB slow 1\r\n")
        consumer.round_trip()
        for step in range(30):
            for one in writers:
                one.send(whole[step * 2:step * 2 + 2] if step < 20 else
                         whole[step * 2000 - 39_960:step * 2000 - 37_960])
            time.sleep(0.05)
        for one in writers:
            one.send(whole[20_040:])
        for _ in writers:
            _, got = consumer.message()
            claim(got == payload, "a slowly written message came out wrong")


@scenario(bytes_max=500 * (CONNECTION_BYTES_MAX + CONTROL_LINE_BYTES_MAX),
          configuration=f"authorization {{ user: {USER}, password: {PASSWORD}, timeout: 2 }}",
          connect=f'CONNECT {{"verbose":false,"user":"{USER}","pass":"{PASSWORD}"}}')
def half_written_connects(server: Server) -> None:
    """500 clients stop in the middle of CONNECT: each is told that its time is over, and closed."""
    before = server.descriptors()
    with many(server, 500, connect=b'CONNECT {"verbose":fal') as halves:
        begin = time.monotonic()
        for one in halves:
            got = one.until_closed(max(10 - (time.monotonic() - begin), 0.1))
            claim(b"Authentication Timeout" in got, f"an unfinished CONNECT was told {got[:80]!r}")
        server.await_descriptors(before + 3, 5)


@scenario(bytes_max=500 * CONNECTION_BYTES_MAX,
          configuration='ping_interval: "1s", ping_max: 2')
def half_open(server: Server) -> None:
    """500 clients that are gone without a goodbye: noticed by their silence, and closed."""
    before = server.descriptors()
    with many(server, 500) as silent:
        begin = time.monotonic()
        for one in silent:
            got = one.until_closed(max(15 - (time.monotonic() - begin), 0.1))
            claim(b"Stale Connection" in got, f"a silent client was told {got[:80]!r}")
        server.await_descriptors(before + 3, 5)


@scenario(bytes_max=100 * (CONNECTION_BYTES_MAX + READ_BUFFER_BYTES_MIN))
def churn(server: Server) -> None:
    """Connections come and go as fast as they can, politely or not, some in mid-word."""
    before = server.descriptors()
    complaints: list[str] = []
    counts = [0, 0, 0]

    def work(kind: int, end: float) -> None:
        try:
            while time.monotonic() < end:
                one = Raw(server.port)
                if kind == 0:
                    one.send(b"SUB churn.> 1\r\nSUB churn.* q 2\r\n")
                    one.round_trip()
                    one.close()
                elif kind == 1:
                    one.send(b"SUB churn.a 1\r\nPUB churn.a 100\r\nhalf")
                    one.reset()
                else:
                    one.send(publish("churn.a", bytes(1000)) * 20)
                    one.close()
                counts[kind] += 1
        except (OSError, Closed) as error:
            complaints.append(f"kind {kind}: {type(error).__name__} {error}")

    end = time.monotonic() + 4
    threads = [threading.Thread(target=work, args=(kind, end)) for kind in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claim(not complaints, str(complaints))
    claim(min(counts) > 20, f"too few connections to tell: {counts}")
    server.await_descriptors(before + 3, 5)


FLOOD_COUNT = 400_000


# A third more: subscriptions end 1,000 in a turn, so the second flood begins before the first one's
# have all gone.
@scenario(bytes_max=FLOOD_COUNT * SUBSCRIPTION_BYTES_MAX + READ_BUFFER_BYTES_MIN,
          slack_bytes=SLACK_BYTES + FLOOD_COUNT // 3 * SUBSCRIPTION_BYTES_MAX)
def subscription_flood(server: Server) -> None:
    """400,000 subscriptions at once, twice: the second time takes the memory of the first."""
    for _ in range(2):
        with Raw(server.port) as one, Raw(server.port) as other:
            for begin in range(0, FLOOD_COUNT, 20_000):
                one.send(b"".join(b"SUB flood.%d.%d %d\r\n" % (index % 1000, index, index)
                                  for index in range(begin, begin + 20_000)))
            claim(one.round_trip() == [], "a subscription was answered")
            last = FLOOD_COUNT - 1
            other.send(publish(f"flood.{last % 1000}.{last}", b"found"))
            line, payload = one.message()
            claim((line.split()[2], payload) == (b"%d" % last, b"found"), f"{line!r} {payload!r}")


GROUPS_COUNT = 100_000


@scenario(bytes_max=GROUPS_COUNT * (GROUP_BYTES_MAX + GROUP_MESSAGE_BYTES_MAX),
          configuration=SLOW)
def queue_groups(server: Server) -> None:
    """100,000 queue groups on one subject; a message goes to a member of each; then all leave."""
    with Raw(server.port) as one, Raw(server.port) as other:
        for begin in range(0, GROUPS_COUNT, 10_000):
            one.send(b"".join(b"SUB crowd group%d %d\r\n" % (index, index)
                              for index in range(begin, begin + 10_000)))
            one.round_trip()
        other.send(publish("crowd", b"to all"))
        seen = {one.message()[0].split()[2] for _ in range(GROUPS_COUNT)}
        claim(len(seen) == GROUPS_COUNT, f"{len(seen)} groups got the message")
        for begin in range(0, GROUPS_COUNT, 10_000):
            one.send(b"".join(b"UNSUB %d\r\n" % index for index in range(begin, begin + 10_000)))
            one.round_trip()
        other.send(publish("crowd", b"to nobody"))
        other.round_trip()
        claim(one.round_trip() == [], "a message after the groups had left")


@scenario(bytes_max=GROUPS_COUNT * GROUP_BYTES_MAX + MAX_PENDING, configuration=SLOW)
def wide_fan_out(server: Server) -> None:
    """300 messages in one write to 100,000 queue groups: the others do not wait for all of it."""
    deaf = b'CONNECT {"verbose":false,"echo":false}\r\n'
    with Raw(server.port, connect=deaf) as one, Raw(server.port) as other:
        for begin in range(0, GROUPS_COUNT, 10_000):
            one.send(b"".join(b"SUB crowd group%d %d\r\n" % (index, index)
                              for index in range(begin, begin + 10_000)))
            one.round_trip()
        # Its own messages do not come back to it: all the work is the server's.
        one.send(publish("crowd", b"") * 300)
        for _ in range(5):
            begin = time.monotonic()
            other.round_trip()
            claim(time.monotonic() - begin < 2, "a PING had to wait")
        claim(one.round_trip() == [], "a message came back")


TOKENS_COUNT = 1_000_000
LONG_LINE_BYTES_MAX = 8 * MIB
LONG_LINES = f"max_control_line: {LONG_LINE_BYTES_MAX}"


@scenario(bytes_max=TOKENS_COUNT * TOKEN_BYTES_MAX + KEPT_LARGE_BYTES_MAX,
          configuration=f"{LONG_LINES}, max_pending: {4 * MAX_PENDING}")
def million_tokens(server: Server) -> None:
    """A subject of a million tokens: subscribed to, published to, matched by wildcards, let go."""
    subject = b".".join([b"a"] * TOKENS_COUNT)
    stars = b".".join([b"*"] * TOKENS_COUNT)
    with Raw(server.port) as one, Raw(server.port) as other:
        one.send(b"SUB %s 1\r\nSUB a.> 2\r\n" % subject)
        one.round_trip()
        other.send(b"PUB %s 4\r\ntext\r\n" % subject)
        got = {one.message()[0].rsplit(b" ", 2)[1] for _ in range(2)}
        claim(got == {b"1", b"2"}, f"the subscriptions {got} got the message")
        one.send(b"UNSUB 1\r\nUNSUB 2\r\nSUB %s 3\r\n" % stars)
        one.round_trip()
        other.send(b"PUB %s 4\r\ntext\r\n" % subject)
        line, payload = one.message()
        claim(payload == b"text" and line.endswith(b" 3 4"), f"{line[-20:]!r}")
        one.send(b"UNSUB 3\r\n")
        claim(one.round_trip() == [], "an answer to UNSUB")


@scenario(bytes_max=6 * (CONNECTION_BYTES_MAX + CONTROL_LINE_BYTES_MAX))
def endless_line(server: Server) -> None:
    """A verb that never ends is cut off at the longest control line, and told so."""
    long = b"maximum control line exceeded"
    lines = [(b"PUB ", b"x", long), (b"SUB ", b"x", long), (b"HPUB ", b"x", long),
             (b"CONNECT {", b"x", long), (b"PUB x", b" ", long), (b"SUB x 1", b" ", long),
             (b"INFO {", b"x", long), (b"-ERR x", b"x", long),
             (b"", b"x", b"Unknown Protocol Operation")]
    for start, filler, words in lines:
        with Raw(server.port) as one:
            one.round_trip()
            # No end of the line, and nothing after it: who is not cut off here waits in vain.
            one.send(start + filler * (CONTROL_LINE_BYTES_MAX + 100))
            got = one.until_closed(5)
            claim(words in got, f"an endless line after {start!r} was told {got[:80]!r}")
    # What a line may hold without end is dropped as it comes.
    for start, filler, end in [(b"PUB", b" ", b"x 0\r\n\r\n"), (b"SUB", b"\t", b"x 1\r\n"),
                               (b"PING", b"x", b"\r\n")]:
        with Raw(server.port) as one:
            one.send(start + filler * (32 * MIB))
            one.send(end)
            one.round_trip()


@scenario(bytes_max=CONNECT_BYTES_MAX * LONG_LINE_BYTES_MAX, configuration=LONG_LINES)
def giant_connect(server: Server) -> None:
    """CONNECT with deep nesting, millions of values, a giant name: taken or refused, no worse."""
    deep = 1_000_000
    texts = [
        b'{"a":' * deep + b"1" + b"}" * deep,
        b'{"name":' + b"[" * deep + b"]" * deep + b"}",
        b"[" * (4 * MIB),
        b'{"list":[' + b"1," * (2 * deep) + b"1]}",
        b"{" + b",".join(b'"k%d":%d' % (index, index) for index in range(300_000)) + b"}",
        b'{"name":"' + b"n" * (4 * MIB) + b'"}',
        b'{"name":"' + b"\\u0041" * (MIB // 2) + b'"}',
        b'{"protocol":' + b"1" * MIB + b"}",
    ]
    for text in texts:
        with Raw(server.port, connect=b"") as one:
            try:
                one.send(b"CONNECT " + text + b"\r\n")
                one.round_trip()
            except Closed:
                pass
