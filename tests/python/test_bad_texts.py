# SPDX-License-Identifier: Apache-2.0
"""Goal: a text that has no UTF-8, half a surrogate pair, is refused by an exception that names the
argument; NUL is a character like others, but in a header's name and a host's.

Method: each argument that is a text, in both clients; after each, a message that still comes to
another subscription of the same connection.
"""

from __future__ import annotations

import asyncio

import pytest
from conftest import run

import martlet
from martlet import aio, errors

#: Alone, between other characters, and in a text that is no longer kept in the object itself.
BROKEN = ["\ud800", "a\udfffb", "a" * 1000 + "\udc80"]
PAIRS = "^{} is no text: a surrogate stands alone in it$"

# What a connection is asked for, and what the refusal names.
ASKED = {
    "publish": [
        (lambda nc, text: nc.publish(text), "subject"),
        (lambda nc, text: nc.publish("a", b"", text), "reply"),
        (lambda nc, text: nc.publish("a", headers={text: "x"}), "headers: a name"),
        (lambda nc, text: nc.publish("a", headers={"x": text}), "headers: a value"),
        (lambda nc, text: nc.publish("a", headers={"x": ["y", text]}), "headers: a value"),
        (
            lambda nc, text: nc.publish("a", headers=martlet.Headers([("x", text)])),
            "headers: a value",
        ),
    ],
    "request": [
        (lambda nc, text: nc.request(text), "subject"),
        (lambda nc, text: nc.request("a", headers={"x": text}), "headers: a value"),
        (lambda nc, text: nc.request_many(text), "subject"),
    ],
    "subscribe": [
        (lambda nc, text: nc.subscribe(text), "subject"),
        (lambda nc, text: nc.subscribe("a", text), "queue"),
        (lambda nc, text: nc.subscribe(text, cb=print), "subject"),
        (lambda nc, text: nc.subscribe("a", text, cb=print), "queue"),
        (lambda nc, text: nc.subscribe("a", policy=text), "option 'policy'"),
    ],
}
CONNECT_OPTIONS = ["name", "user", "password", "token", "inbox_prefix"]
SERVER_OPTIONS = ["name", "user", "password", "token", "host", "http_host"]


@pytest.mark.parametrize("broken", BROKEN, ids=["alone", "between", "long"])
@pytest.mark.parametrize("call", ASKED)
def test_half_a_surrogate_pair_is_refused_by_name(way, call, broken):
    kind = (errors.InvalidArgumentError, errors.OptionsError)
    with martlet.connect(way) as nc:
        others = nc.subscribe("others")
        called = []
        nc.subscribe("others", cb=called.append)
        for use, named in ASKED[call]:
            with pytest.raises(kind, match=PAIRS.format(named)):
                use(nc, broken)
            nc.publish("others", named.encode())
            assert others.next_msg(20).data == named.encode()
        nc.drain(20)
    assert len(called) == len(ASKED[call])

    async def main():
        async with await aio.connect(way) as nc:
            others = await nc.subscribe("others")
            for use, named in ASKED[call]:
                with pytest.raises(kind, match=PAIRS.format(named)):
                    await use(nc, broken)
                await nc.publish("others", named.encode())
                assert (await others.next_msg(20)).data == named.encode()

    run(main())


def test_an_answer_with_half_a_surrogate_pair_is_refused_by_name(way):
    told, answered = [], b"none"
    with martlet.connect(way, error_cb=told.append) as nc:

        def answer(msg):
            try:
                msg.respond(b"", headers={"x": BROKEN[0]})
            finally:
                msg.respond(b"after it")

        nc.subscribe("ask", cb=answer)
        answered = nc.request("ask", timeout=20).data
    assert answered == b"after it" and isinstance(told[0], errors.InvalidArgumentError)
    assert "headers: a value" in str(told[0])


def test_options_with_half_a_surrogate_pair_are_refused_by_name(server):
    for text in BROKEN:
        for name in CONNECT_OPTIONS:
            named = PAIRS.format(f"option '{name}'")
            with pytest.raises(errors.OptionsError, match=named):
                martlet.connect(server, **{name: text})
            with pytest.raises(errors.OptionsError, match=named):
                run(aio.connect(server, **{name: text}))
        for servers in (text, [server.url, text]):
            with pytest.raises(errors.OptionsError, match=PAIRS.format("option 'servers'")):
                martlet.connect(servers)
        for name in SERVER_OPTIONS:
            with pytest.raises(errors.OptionsError, match=PAIRS.format(f"option '{name}'")):
                martlet.Server(**{name: text})
        with pytest.raises(errors.OptionsError, match=PAIRS.format("config")):
            martlet.Server(config=f"server_name: {text}\n")
        for make in (martlet.connect, martlet.Server):
            with pytest.raises(errors.OptionsError, match="there is no option"):
                make(**{text: 1})
    martlet.connect(server).close()


@pytest.mark.parametrize("text", [*BROKEN, "a\0b", "text"])
def test_a_text_is_no_payload(way, text):
    with martlet.connect(way) as nc:
        for use in (nc.publish, nc.request, nc.request_many):
            with pytest.raises(TypeError, match="payload must be bytes"):
                use("a", text)

    async def main():
        async with await aio.connect(way) as nc:
            for use in (nc.publish, nc.request, nc.request_many):
                with pytest.raises(TypeError, match="payload must be bytes"):
                    await use("a", text)

    run(main())


def test_nul_is_a_character_like_others(way):
    with martlet.connect(way, name="n\0ul") as nc:
        sub = nc.subscribe("n\0ul", queue="q\0q")
        nc.publish("n\0ul", b"a\0b", "r\0r", {"h": "v\0v"})
        msg = sub.next_msg(20)
        assert (msg.subject, msg.data, msg.reply) == ("n\0ul", b"a\0b", "r\0r")
        assert msg.headers.multi_items() == [("h", "v\0v")]
        with pytest.raises(errors.InvalidArgumentError, match="header key"):
            nc.publish("n\0ul", headers={"h\0h": "v"})
        with pytest.raises(errors.NoRespondersError, match='"no\0body"'):
            nc.request("no\0body", timeout=20)

    async def main():
        async with await aio.connect(way) as nc:
            sub = await nc.subscribe("n\0ul", queue="q\0q")
            await nc.publish("n\0ul", b"a\0b", "r\0r", {"h": "v\0v"})
            msg = await sub.next_msg(20)
            assert (msg.subject, msg.data, msg.reply) == ("n\0ul", b"a\0b", "r\0r")

    run(main())


def test_nul_in_options(server):
    martlet.connect(server, user="u\0", password="p\0").close()
    with martlet.Server(user="u\0", password="p\0") as guarded:
        with pytest.raises(errors.AuthorizationError):
            martlet.connect(guarded, user="u", password="p")
        martlet.connect(guarded, user="u\0", password="p\0").close()
    with pytest.raises(errors.SystemIOError, match='host "127.0.0.1\0x": it holds a NUL'):
        martlet.Server(host="127.0.0.1\0x").start()
    port = server.port
    with pytest.raises(errors.NoServersError, match="it holds a NUL"):
        martlet.connect(f"nats://127.0.0.1\0x:{port}", allow_reconnect=False)
    with pytest.raises(errors.OptionsError, match="there is no option"):
        martlet.connect(server, **{"no\0such": 1})
