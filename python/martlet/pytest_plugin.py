# SPDX-License-Identifier: Apache-2.0
"""Fixtures for pytest, there as soon as the package is installed: each test gets a broker of its
own.

def test_greeting(martlet_server):
    with martlet.connect(martlet_server.url) as nc: ...
"""

from __future__ import annotations

from typing import Any, Callable, Iterator, List

import pytest

from .client import Connection, connect
from .server import Server

__all__ = ["martlet_connection", "martlet_server", "martlet_server_factory"]


@pytest.fixture
def martlet_server_factory() -> Iterator[Callable[..., Server]]:
    """Starts brokers with the options of :class:`martlet.Server`; all of them stop at the end of
    the test.
    """
    started: List[Server] = []

    def start(**options: Any) -> Server:
        server = Server(**options).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def martlet_server(martlet_server_factory: Callable[..., Server]) -> Server:
    """A running broker on a free port of the loopback address, for this test alone."""
    return martlet_server_factory()


@pytest.fixture
def martlet_connection(martlet_server: Server) -> Iterator[Connection]:
    """A connection to ``martlet_server``, inside the process."""
    connection = connect(martlet_server)
    yield connection
    connection.close()
