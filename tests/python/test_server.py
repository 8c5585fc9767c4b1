# SPDX-License-Identifier: Apache-2.0
"""Goal: a broker is an object. Method: each promise of martlet.Server, alone."""

from __future__ import annotations

import logging
import socket
import urllib.request

import pytest
from conftest import run

import martlet
from martlet import errors


def test_any_free_port_on_the_loopback_address():
    with martlet.Server() as one, martlet.Server() as two:
        assert one.port > 0 and two.port > 0 and one.port != two.port
        assert one.url == f"nats://127.0.0.1:{one.port}"
        with socket.create_connection(("127.0.0.1", one.port), 5) as peer:
            assert peer.recv(5) == b"INFO "


def test_in_process_only():
    with martlet.Server(listen=False) as server:
        assert server.port == 0 and server.url == ""
        with martlet.connect(server) as nc, nc.subscribe("a") as sub:
            nc.publish("a", b"x")
            assert sub.next_msg(5).data == b"x"


def test_it_starts_again():
    server = martlet.Server()
    for _ in range(3):
        server.start()
        with martlet.connect(server.url) as nc:
            nc.flush(5)
        server.stop()
    server.stop()


def test_started_twice_is_an_error():
    with martlet.Server() as server, pytest.raises(errors.StateError):
        server.start()


def test_what_needs_a_running_server_says_so():
    server = martlet.Server()
    for ask in (lambda: server.port, lambda: server.url, server.statistics):
        with pytest.raises(errors.StateError):
            ask()


def test_a_taken_port_is_named():
    with martlet.Server() as server:
        with pytest.raises(errors.AddressInUseError) as caught:
            martlet.Server(port=server.port).start()
        assert str(server.port) in str(caught.value)
        assert isinstance(caught.value, OSError)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"prot": 1}, "prot"),
        ({"port": 70000}, "port"),
        ({"port": "x"}, "port"),
        ({"max_payload": -1}, "max_payload"),
        ({"user": 5}, "user"),
        ({"user": b"bytes"}, "bytes"),
        ({"token": "t", "user": "u"}, "token"),
    ],
)
def test_a_wrong_option_is_named(options, named):
    with pytest.raises(errors.OptionsError, match=named):
        martlet.Server(**options)


def test_a_duration_of_a_wrong_type_is_a_type_error():
    for wrong in ("1", True, float("nan")):
        with pytest.raises(TypeError, match="ping_interval"):
            martlet.Server(ping_interval=wrong)


def test_credentials():
    with martlet.Server(user="u", password="p") as server:
        with pytest.raises(errors.AuthorizationError):
            martlet.connect(server.url)
        with pytest.raises(errors.AuthorizationError):
            martlet.connect(server.url, user="u", password="wrong")
        with martlet.connect(server.url, user="u", password="p") as nc:
            nc.flush(5)
        with martlet.connect(f"nats://u:p@127.0.0.1:{server.port}") as nc:
            nc.flush(5)
    with martlet.Server(token="t") as server, martlet.connect(server.url, token="t") as nc:
        nc.flush(5)


def test_statistics_count():
    with martlet.Server() as server, martlet.connect(server.url) as nc:
        nc.publish("a", b"12345")
        nc.flush(5)
        counted = server.statistics()
        assert counted["connections"] == 1 and counted["in_msgs"] == 1 and counted["in_bytes"] == 5


def test_monitoring_port():
    with martlet.Server(http_port=0) as server:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{server.monitoring_port}/healthz", timeout=10
        ) as answer:
            assert answer.status == 200 and b"ok" in answer.read()
    with martlet.Server() as server:
        assert server.monitoring_port == 0


def test_the_log_goes_where_it_is_asked_to(caplog):
    lines = []
    with martlet.Server(log=lambda level, line: lines.append((level, line))):
        pass
    assert any(level == logging.INFO and "ready" in line.lower() for level, line in lines), lines
    with caplog.at_level(logging.INFO, logger="martlet"), martlet.Server(log=True):
        pass
    assert any(record.name == "martlet" for record in caplog.records)


def test_silent_without_a_log(capfd):
    with martlet.Server() as server, martlet.connect(server.url) as nc:
        nc.flush(5)
    assert capfd.readouterr() == ("", "")


def test_async_context_manager():
    async def main():
        async with martlet.Server() as server:
            nc = await martlet.aio.connect(server)
            await nc.flush(5)
            await nc.close()
            return server

    with pytest.raises(errors.StateError):
        _ = run(main()).port


def test_configuration_text():
    text = "port: -1\nhost: 127.0.0.1\nserver_name: from_text\n"
    with martlet.Server(config=text) as server, martlet.connect(server.url) as nc:
        assert nc.stats["server_name"] == "from_text"
    with pytest.raises(errors.OptionsError):
        martlet.Server(config="port: {")
    with pytest.raises(errors.OptionsError):
        martlet.Server(config=text, name="x")
