# SPDX-License-Identifier: Apache-2.0
"""Goal: the synchronous client. Method: each promise over a socket and inside the process."""

from __future__ import annotations

import threading
import time

import pytest

import martlet
from martlet import errors

PAYLOADS = [
    b"",
    b"x",
    bytes(range(256)),
    b"y" * 100_000,
    bytearray(b"array"),
    memoryview(b"a view"),
]


def test_messages_arrive_as_they_were_sent(nc):
    sub = nc.subscribe("p.*")
    for number, payload in enumerate(PAYLOADS):
        nc.publish(f"p.{number}", payload, reply=f"r.{number}")
    for number, payload in enumerate(PAYLOADS):
        msg = sub.next_msg(5)
        assert (msg.subject, msg.reply, msg.data) == (f"p.{number}", f"r.{number}", bytes(payload))
        assert msg.headers is None and bytes(memoryview(msg)) == bytes(payload)
        assert msg.data is msg.data


def test_iteration_ends_with_the_subscription(nc):
    sub = nc.subscribe("a", max_msgs=3)
    for number in range(10):
        nc.publish("a", str(number).encode())
    assert [msg.data for msg in sub] == [b"0", b"1", b"2"]
    with pytest.raises(errors.ConnectionClosedError):
        sub.next_msg(1)


def test_batches_carry_everything_in_order(nc):
    sub = nc.subscribe("a", max_msgs=5000)
    for number in range(5000):
        nc.publish("a", str(number).encode())
    seen = [int(msg.data) for batch in sub.batches(5) for msg in batch]
    assert seen == list(range(5000))


def test_many_messages_in_order(nc):
    sub = nc.subscribe("a")
    count = 50_000

    def publish():
        for number in range(count):
            nc.publish("a", b"%d" % number)

    thread = threading.Thread(target=publish)
    thread.start()
    for number in range(count):
        assert int(sub.next_msg(30).data) == number
    thread.join()
    assert sub.dropped == 0 and sub.delivered == count and sub.pending_msgs == 0


def test_headers_with_several_values(nc):
    sub = nc.subscribe("h")
    nc.publish("h", b"x", headers={"One": "1", "Many": ["a", "b"], "Empty": ""})
    headers = sub.next_msg(5).headers
    assert headers["One"] == "1" and headers["Many"] == "a" and headers["Empty"] == ""
    assert headers.get_all("Many") == ["a", "b"] and list(headers) == ["One", "Many", "Empty"]
    assert "one" not in headers and headers.get("No") is None and headers.status == 0
    nc.publish("h", headers=headers)
    assert sub.next_msg(5).headers.multi_items() == headers.multi_items()


@pytest.mark.parametrize("headers", [{"a:b": "x"}, {"": "x"}, {"a": "x\r\ny"}, {"a\n": "x"}])
def test_headers_that_cannot_be(nc, headers):
    with pytest.raises(ValueError):
        nc.publish("a", headers=headers)


@pytest.mark.parametrize("headers", ["text", 5, {"a": 5}, {5: "a"}, [("a", "b")]])
def test_headers_of_a_wrong_type(nc, headers):
    with pytest.raises(TypeError):
        nc.publish("a", headers=headers)


def test_wrong_types_name_the_argument(nc):
    with pytest.raises(TypeError, match="payload"):
        nc.publish("a", "text")
    with pytest.raises(TypeError, match="payload"):
        nc.publish("a", 5)
    with pytest.raises(TypeError, match="subject"):
        nc.publish(b"a", b"")
    with pytest.raises(TypeError, match="subject"):
        nc.publish()
    with pytest.raises(TypeError, match="nonsense"):
        nc.publish("a", nonsense=1)
    with pytest.raises(TypeError, match="cb"):
        nc.subscribe("a", cb=5)
    with pytest.raises(TypeError, match="timeout"):
        nc.request("a", timeout="soon")
    with pytest.raises(ValueError, match="timeout"):
        nc.flush(-1)


@pytest.mark.parametrize("subject", ["", "a b", "a\r\n", "\0 \t"])
def test_subjects_that_cannot_be_published(nc, subject):
    with pytest.raises(errors.BadSubjectError):
        nc.publish(subject)
    nc.flush(5)


@pytest.mark.parametrize("subject", ["", "a..b", ".a", "a.", "a.>.b", "a b"])
def test_subjects_that_cannot_be_subscribed(nc, subject):
    with pytest.raises(errors.BadSubjectError):
        nc.subscribe(subject)


def test_a_payload_above_the_limit(nc):
    assert nc.max_payload == 1024 * 1024
    with pytest.raises(errors.MaxPayloadError):
        nc.publish("a", b"x" * (nc.max_payload + 1))
    sub = nc.subscribe("a")
    nc.publish("a", b"x" * nc.max_payload)
    assert len(sub.next_msg(10).data) == nc.max_payload


def test_callbacks_run_in_order_on_one_thread(nc):
    seen, threads, done = [], set(), threading.Event()

    def callback(msg):
        threads.add(threading.get_ident())
        seen.append(int(msg.data))
        if len(seen) == 1000:
            done.set()

    nc.subscribe("a", cb=callback)
    for number in range(1000):
        nc.publish("a", b"%d" % number)
    assert done.wait(30)
    assert seen == list(range(1000))
    assert len(threads) == 1 and threading.get_ident() not in threads


def test_a_callback_that_raises_is_told_and_the_next_message_comes(way):
    told, seen, done = [], [], threading.Event()

    def callback(msg):
        if msg.data == b"bad":
            raise KeyError("from the callback")
        seen.append(msg.data)
        done.set()

    with martlet.connect(way, error_cb=told.append) as nc:
        nc.subscribe("a", cb=callback)
        nc.publish("a", b"bad")
        nc.publish("a", b"good")
        assert done.wait(10)
    assert seen == [b"good"] and isinstance(told[0], KeyError)


def test_close_and_unsubscribe_inside_a_callback(way):
    done = threading.Event()
    nc = martlet.connect(way)

    def callback(msg):
        sub.unsubscribe()
        nc.close()
        done.set()

    sub = nc.subscribe("a", cb=callback)
    nc.publish("a")
    assert done.wait(10)
    nc.close()
    assert nc.is_closed


def test_stop_of_the_server_inside_a_callback(way, server):
    """The messages that have come before still reach it."""
    calls, come, done = [], threading.Event(), threading.Event()
    nc = martlet.connect(way, allow_reconnect=False)

    def callback(msg):
        come.wait(20)
        server.stop()
        calls.append(repr(server))
        if len(calls) == 100:
            done.set()

    other = nc.subscribe("other")
    nc.subscribe("a", cb=callback)
    for _ in range(100):
        nc.publish("a")
    nc.flush(20)
    come.set()
    assert done.wait(20)
    assert set(calls) == {"<Server stopped>"}
    with pytest.raises(errors.ConnectionClosedError):
        other.next_msg(20)
    nc.close()


def test_request_and_reply(nc, way):
    nc.subscribe("double", cb=lambda msg: msg.respond(msg.data * 2, headers={"From": "service"}))
    nc.flush(5)
    with martlet.connect(way) as asker:
        reply = asker.request("double", b"ab", timeout=10, headers={"X": "y"})
    assert reply.data == b"abab" and reply.headers["From"] == "service"


def test_a_request_for_many_gives_answers_as_they_come(nc):
    for name in (b"first", b"second", b"third"):
        nc.subscribe("who", cb=lambda message, name=name: message.respond(message.data + name))
    nc.flush(5)
    bounded = list(nc.request_many("who", b"am I ", timeout=30, headers={"X": "y"}, max_msgs=2))
    assert len({message.data for message in bounded}) == 2
    began = time.monotonic()
    answers = nc.request_many("who", timeout=2)
    assert {next(answers).data for _ in range(3)} == {b"first", b"second", b"third"}
    assert list(answers) == [] and time.monotonic() - began >= 1.9


def test_a_request_for_many_is_sent_although_nobody_iterates(nc):
    asked = nc.subscribe("who")
    nc.request_many("who", b"?")
    assert asked.next_msg(timeout=10).data == b"?"


def test_how_a_request_for_many_ends_otherwise(nc, way):
    with pytest.raises(errors.NoRespondersError, match='nobody listens to "nobody"'):
        list(nc.request_many("nobody"))
    silent = nc.subscribe("silent")
    assert list(nc.request_many("silent", timeout=0.05)) == []
    assert silent.next_msg(timeout=10).reply
    with pytest.raises(errors.BadSubjectError):
        nc.request_many("a b")
    with pytest.raises(errors.InvalidArgumentError, match="max_msgs must be 0 or more"):
        nc.request_many("silent", max_msgs=-1)
    with martlet.connect(way) as asker:
        unanswered = asker.request_many("silent", timeout=None)
    with pytest.raises(errors.ConnectionClosedError):
        next(unanswered)
    with pytest.raises(errors.ConnectionClosedError):
        asker.request_many("silent")


@pytest.mark.parametrize("mode", ["thread", "caller"])
def test_requests_for_many_wait_for_room_and_lose_nothing(server, mode):
    with (
        martlet.connect(server.url) as service,
        martlet.connect(server.url, pending_size=65536, run=mode) as asker,
    ):
        service.subscribe("big", cb=lambda message: message.respond(message.data[:6]))
        service.flush(20)
        asked = [
            asker.request_many("big", b"%06d" % number + bytes(60_000), timeout=30, max_msgs=1)
            for number in range(200)
        ]
        answers = [int(message.data) for each in asked for message in each]
    assert answers == list(range(200))


def test_a_request_that_fails_names_its_subject_and_time(nc):
    silent = nc.subscribe("silent")
    with pytest.raises(errors.TimeoutError, match=r'no answer to "silent" in 0\.05 s'):
        nc.request("silent", timeout=0.05)
    with pytest.raises(errors.NoRespondersError, match='nobody listens to "nobody"'):
        nc.request("nobody")
    assert silent.next_msg(timeout=10).reply


def test_what_objects_show_of_themselves(server, way):
    with martlet.connect(way) as nc:
        assert repr(nc) == f"<Connection connected, {nc.connected_url}>"
        assert repr(nc.subscribe("a.*")) == "<Subscription subject='a.*'>"
        assert repr(nc.subscribe("b", queue="q")) == "<Subscription subject='b' queue='q'>"
    assert repr(nc) == "<Connection closed>"
    assert repr(server) == f"<Server {server.url}>"
    assert repr(martlet.Server()) == "<Server stopped>"
    with martlet.Server(listen=False) as inside:
        assert repr(inside) == "<Server without a port>"


def test_requests_from_many_threads(nc):
    nc.subscribe("echo", cb=lambda msg: msg.respond(msg.data))
    nc.flush(5)
    wrong = []

    def ask(number):
        for i in range(50):
            text = b"%d.%d" % (number, i)
            if nc.request("echo", text, timeout=30).data != text:
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nobody_listens(nc):
    with pytest.raises(errors.NoRespondersError):
        nc.request("nobody", timeout=10)


def test_nobody_answers(nc):
    mute = nc.subscribe("mute")
    with pytest.raises(errors.TimeoutError) as caught:
        nc.request("mute", timeout=0.05)
    assert isinstance(caught.value, TimeoutError)
    assert mute.next_msg(20).reply and mute.delivered == 1


def test_a_message_without_a_reply_subject_cannot_be_answered(nc):
    sub = nc.subscribe("a")
    nc.publish("a")
    with pytest.raises(errors.BadSubjectError):
        sub.next_msg(5).respond(b"x")


def test_next_msg_times_out(nc):
    sub = nc.subscribe("a")
    begin = time.monotonic()
    with pytest.raises(errors.TimeoutError):
        sub.next_msg(0.05)
    assert time.monotonic() - begin >= 0.05
    with pytest.raises(errors.TimeoutError):
        sub.next_msg(0)


def test_a_queue_group_shares_the_work(way):
    with martlet.connect(way) as nc:
        subs = [nc.subscribe("work", queue="group") for _ in range(4)]
        for _ in range(400):
            nc.publish("work")
        nc.flush(10)
        counts = [sub.pending_msgs for sub in subs]
        assert sum(counts) == 400 and all(count > 0 for count in counts)


def test_no_echo(way):
    with martlet.connect(way, no_echo=True) as nc, martlet.connect(way) as other:
        mine, theirs = nc.subscribe("a"), other.subscribe("a")
        other.flush(5)
        nc.publish("a", b"x")
        nc.flush(5)
        assert theirs.next_msg(5).data == b"x" and mine.pending_msgs == 0


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("refuse_new", [b"0", b"1", b"2"]),
        ("drop_oldest", [b"7", b"8", b"9"]),
    ],
)
def test_bounds_of_a_subscription(nc, policy, expected):
    sub = nc.subscribe("a", pending_msgs_limit=3, policy=policy)
    for number in range(10):
        nc.publish("a", b"%d" % number)
    nc.flush(5)
    assert sub.dropped == 7
    assert [sub.next_msg(5).data for _ in range(3)] == expected


def test_the_latest_of_each_subject(nc):
    sub = nc.subscribe("k.*", pending_msgs_limit=10, policy="keep_latest_of_each_subject")
    for number in range(100):
        nc.publish(f"k.{number % 3}", b"%d" % number)
    nc.flush(5)
    latest = {}
    while sub.pending_msgs:
        msg = sub.next_msg(5)
        assert msg.subject not in latest
        latest[msg.subject] = msg.data
    assert latest == {"k.0": b"99", "k.1": b"97", "k.2": b"98"}


def test_a_wrong_policy_is_named(nc):
    with pytest.raises(errors.OptionsError, match="policy"):
        nc.subscribe("a", policy="perhaps")


def test_close_ends_who_waits(way):
    nc = martlet.connect(way)
    sub = nc.subscribe("a")
    ended = []
    thread = threading.Thread(target=lambda: ended.append(list(sub)))
    thread.start()
    time.sleep(0.05)
    nc.close()
    nc.close()
    thread.join(10)
    assert ended == [[]]
    for use in (
        lambda: nc.publish("a"),
        lambda: nc.subscribe("a"),
        lambda: nc.request("a"),
        lambda: nc.flush(1),
    ):
        with pytest.raises(errors.ConnectionClosedError):
            use()


def test_nobody_there():
    with pytest.raises(errors.NoServersError):
        martlet.connect("nats://127.0.0.1:1", allow_reconnect=False, connect_timeout=5)


@pytest.mark.parametrize("url", ["http://x", "nats://:99999", "nats://h:port"])
def test_a_wrong_url(url):
    with pytest.raises(errors.OptionsError):
        martlet.connect(url)


@pytest.mark.parametrize(
    "options", [{"nonsense": 1}, {"name": 5}, {"pending_size": 0}, {"run": "somehow"}]
)
def test_a_wrong_option(server, options):
    with pytest.raises(errors.OptionsError):
        martlet.connect(server.url, **options)


def test_back_pressure_blocks_and_loses_nothing(server):
    with (
        martlet.connect(server.url, pending_size=65536) as nc,
        martlet.connect(server.url) as other,
    ):
        sub = other.subscribe("a")
        other.flush(5)
        for number in range(2000):
            nc.publish("a", b"%06d" % number + b"x" * 1000)
        assert [int(sub.next_msg(30).data[:6]) for _ in range(2000)] == list(range(2000))


def test_a_caller_driven_connection_makes_no_thread(server):
    before = threads_of_this_process()
    with martlet.connect(server.url, run="caller") as nc:
        sub = nc.subscribe("a")
        for number in range(100):
            nc.publish("a", b"%d" % number)
        assert [int(sub.next_msg(10).data) for _ in range(100)] == list(range(100))
        nc.flush(5)
        assert threads_of_this_process() == before


def threads_of_this_process() -> int:
    import os

    return len(os.listdir("/proc/self/task"))


def test_it_reconnects_and_subscribes_again():
    events = []
    lost, back = threading.Event(), threading.Event()
    server = martlet.Server().start()
    port = server.port
    nc = martlet.connect(
        server.url,
        reconnect_time_wait=0.05,
        disconnected_cb=lambda: (events.append("lost"), lost.set()),
        reconnected_cb=lambda: (events.append("back"), back.set()),
        closed_cb=lambda: events.append("closed"),
    )
    sub = nc.subscribe("a")
    nc.flush(5)
    server.stop()
    assert lost.wait(20)
    nc.publish("a", b"while away")
    again = martlet.Server(port=port).start()
    assert back.wait(20)
    assert sub.next_msg(20).data == b"while away"
    nc.close()
    assert events == ["lost", "back", "closed"]
    assert nc.stats["reconnects"] == 1
    again.stop()


def test_events_of_the_server_side_are_told(server):
    told, heard = [], threading.Event()
    with martlet.connect(
        server.url, pedantic=True, error_cb=lambda e: (told.append(e), heard.set())
    ) as nc:
        sub = nc.subscribe("a", pending_msgs_limit=1, policy="refuse_new")
        for _ in range(5):
            nc.publish("a")
        nc.flush(5)
        assert sub.dropped == 4
        sub.next_msg(5)
        with pytest.raises(errors.TimeoutError):
            sub.next_msg(0)
        assert [type(error) for error in told] == [errors.SlowConsumerError]
        assert heard.is_set()


def test_statistics_and_identity(nc, server):
    nc.publish("a", b"123")
    nc.flush(5)
    stats = nc.stats
    assert stats["out_msgs"] == 1 and stats["out_bytes"] >= 3 and nc.client_id > 0
    assert nc.rtt(5) > 0 and nc.is_connected and not nc.is_closed
    assert nc.new_inbox().startswith("_INBOX.") and nc.new_inbox() != nc.new_inbox()


def test_one_reader_at_a_time(nc):
    sub = nc.subscribe("a")
    thread = threading.Thread(target=sub.next_msg, args=(60,))
    thread.start()
    refused = None
    deadline = time.monotonic() + 20
    while refused is None and time.monotonic() < deadline:
        try:
            sub.next_msg(0.001)  # Until the thread has begun to wait.
        except errors.StateError as error:
            refused = error
        except errors.TimeoutError:
            time.sleep(0.01)
    assert refused is not None
    nc.publish("a")
    thread.join(20)
    assert not thread.is_alive()


def test_the_gil_is_free_while_waiting(nc):
    sub = nc.subscribe("a")
    thread = threading.Thread(target=lambda: pytest.raises(errors.TimeoutError, sub.next_msg, 0.5))
    thread.start()
    turns = 0
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        turns += 1
    thread.join()
    assert turns > 1000  # With the GIL held it would have been one.
