# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Python package share: brokers, connections over both ways, a coroutine
runner with a limit.
"""

from __future__ import annotations

import asyncio

import pytest

import martlet

LIMIT_SECONDS = 60.0


@pytest.fixture
def server(martlet_server):
    """A broker for this test alone, from the package's own plugin."""
    return martlet_server


@pytest.fixture(params=["tcp", "in_process"])
def way(request, server):
    """What to give to connect: the tests that use it run over a socket and inside the process."""
    return server.url if request.param == "tcp" else server


@pytest.fixture
def nc(way):
    with martlet.connect(way) as connection:
        yield connection


def run(coroutine):
    """Runs a coroutine to its end, at most for LIMIT_SECONDS."""
    return asyncio.run(asyncio.wait_for(coroutine, LIMIT_SECONDS))
