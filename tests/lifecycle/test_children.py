# SPDX-License-Identifier: Apache-2.0
"""Goal: whatever children a program under load has, they get none of our descriptors and none of
them hangs.

Method: a broker and its client stream; two hundred and fifty children, begun in each way that
Python has, tell what their descriptors stand for.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import socket
import subprocess
import threading
import time

import pytest

import martlet

CHILDREN = {"exec": 50, "fork": 150, "spawn": 50}
AT_ONCE = 5
SECONDS_MAX = 60


def own_targets() -> set[str]:
    """What the descriptors of this process stand for."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue  # The one that the folder was read by.
    return found


def targets_of_a_program() -> set[str]:
    """The same of one that is begun without a look at what is open."""
    done = subprocess.run(
        ["ls", "-l", "/proc/self/fd"],
        capture_output=True,
        text=True,
        close_fds=False,
        timeout=SECONDS_MAX,
        check=True,
    )
    return set(re.findall(r" -> (.*)$", done.stdout, re.MULTILINE))


def tell(pipe, method: str) -> None:
    """In a child: a fork has its parent's descriptors, but what it begins has not."""
    pipe.send(targets_of_a_program() if method == "fork" else own_targets())


def children(method: str, count: int) -> list[set[str]]:
    """Begins so many and waits for their ends; what each told."""
    if method == "exec":
        return [targets_of_a_program() for _ in range(count)]
    context = multiprocessing.get_context(method)
    begun = []
    for _ in range(count):
        near, far = context.Pipe(duplex=False)
        child = context.Process(target=tell, args=(far, method))
        child.start()
        far.close()
        begun.append((child, near))
    told = []
    for child, near in begun:
        assert near.poll(SECONDS_MAX), "a child hangs"
        told.append(near.recv())
        near.close()
        child.join(SECONDS_MAX)
        assert child.exitcode == 0
    return told


@pytest.mark.parametrize("method", CHILDREN)
def test_children_under_load_inherit_nothing_and_end(method):
    children(method, 1)  # What Python itself keeps for its children is open from now on.
    before = own_targets()
    with martlet.Server() as server, martlet.connect(server.url) as nc:
        nc.subscribe("load", cb=lambda msg: None)
        nc.flush(20)
        ours = own_targets() - before
        assert any(target.startswith("socket:") for target in ours)
        assert any(target.startswith("anon_inode:") for target in ours)
        stop = threading.Event()

        def load() -> None:
            while not stop.is_set():
                nc.publish("load", b"x" * 128)

        thread = threading.Thread(target=load)
        thread.start()
        try:
            for _ in range(CHILDREN[method] // AT_ONCE):
                for told in children(method, AT_ONCE):
                    assert told and not told & ours
        finally:
            stop.set()
            thread.join()
        nc.flush(20)


def test_what_ends_in_the_parent_ends_while_a_forked_child_lives():
    context = multiprocessing.get_context("fork")
    near, far = context.Pipe(duplex=False)
    server = martlet.Server().start()
    port = server.port
    nc = martlet.connect(server.url)
    with socket.create_connection(("127.0.0.1", port), SECONDS_MAX) as peer:
        assert peer.recv(5) == b"INFO "
        child = context.Process(target=near.recv)
        child.start()
        try:
            nc.close()
            deadline = time.monotonic() + SECONDS_MAX
            while server.statistics()["connections"] > 1:
                assert time.monotonic() < deadline, "the broker does not see it go"
                time.sleep(0.01)
            server.stop()
            while peer.recv(65536):  # Until its end.
                pass
            with martlet.Server(port=port) as again:  # Its port is free.
                assert again.port == port
            assert child.is_alive()
        finally:
            far.send("end")
            child.join(SECONDS_MAX)
        assert child.exitcode == 0
