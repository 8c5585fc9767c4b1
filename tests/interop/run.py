#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Runs the official NATS clients, unmodified and from their registries, against a server program.
# Owns: the servers (random ports, stopped by process id), the client programs' time limits, and
# the list of checks that every client must have answered, so that a check cannot go missing.
# Does not know what a check does: that is in the folder of each client. See README.md.

from __future__ import annotations

import argparse
import os
import pathlib
import queue
import shlex
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import clients  # noqa: E402
from server_process import Server, ServerError  # noqa: E402

# Every client program answers each of these, unless EXEMPT says why it cannot.
CHECKS = [
    "connect_plain",
    "server_info",
    "connect_user",
    "connect_user_url",
    "connect_user_wrong",
    "connect_user_missing",
    "connect_token",
    "connect_token_wrong",
    "publish_subscribe",
    "binary_payload",
    "empty_payload",
    "wildcard_star",
    "wildcard_full",
    "queue_group",
    "request_reply",
    "request_concurrent",
    "request_timeout",
    "no_responders",
    "headers",
    "headers_request",
    "payload_1mib",
    "max_payload",
    "no_echo",
    "unsubscribe",
    "auto_unsubscribe",
    "drain_subscription",
    "drain_connection",
    "flush_rtt",
    "verbose_pedantic",
    "close",
    "many_subscriptions",
    "burst",
    "reconnect",
]

CLI_CHECKS = [
    "version",
    "cheat_sheet",
    "rtt",
    "pub_sub",
    "sub_wildcard",
    "pub_count",
    "headers",
    "queue_group",
    "request_reply",
    "no_responders",
    "user_password",
    "user_password_wrong",
    "token",
    "token_wrong",
    "payload_1mib",
    "max_payload",
    "bench_pub_sub",
    "bench_request",
    "check_connection",
    "check_request",
    "reconnect",
]

EXEMPT = {
    ("node", "connect_user_url"): "nats.js takes no credentials from a URL",
    ("rust", "connect_user_url"): "async-nats takes no credentials from a URL",
    ("rust", "verbose_pedantic"): "async-nats has no such options",
}

USER, PASSWORD, TOKEN = "alice", "s3cret-word", "t0ken-word"
CLIENT_SECONDS_MAX = 120
PREPARE_SECONDS_MAX = 900
SILENCE_SECONDS_MAX = 45


class Servers:
    """The four servers of one client's run; `kill` and `start` are what a client may ask for."""

    def __init__(self, command: list[str], folder: pathlib.Path) -> None:
        self._all: list[Server] = []
        try:
            self.open = self._start(command, folder, "open")
            self.user = self._start(command, folder, "user", "--user", USER, "--pass", PASSWORD)
            self.token = self._start(command, folder, "token", "--auth", TOKEN)
            self.restart = self._start(command, folder, "restart")
        except ServerError:
            self.stop()
            raise

    def _start(self, command: list[str], folder: pathlib.Path, name: str, *args: str) -> Server:
        server = Server(command, folder / name, list(args))
        self._all.append(server)
        server.start()
        return server

    def environment(self) -> dict[str, str]:
        return {
            "INTEROP_OPEN": self.open.url,
            "INTEROP_USER": self.user.url,
            "INTEROP_TOKEN": self.token.url,
            "INTEROP_RESTART": self.restart.url,
            "INTEROP_USER_NAME": USER,
            "INTEROP_USER_PASSWORD": PASSWORD,
            "INTEROP_TOKEN_WORD": TOKEN,
        }

    def call(self, word: str) -> None:
        if word == "kill":
            self.restart.kill()
        elif word == "start":
            self.restart.start()
        else:
            raise ServerError(f"a client asked for '{word}', which nobody knows")

    def stop(self) -> list[str]:
        """What is wrong with the servers' ends: also that one ended although nobody stopped it."""
        found = [server.describe_end() for server in self._all if server.ended_by_itself()]
        found += [server.stop() for server in self._all]
        return [text for text in found if text]


class Outcome:
    def __init__(self, client: str) -> None:
        self.client = client
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.prepare_seconds = 0.0
        self.run_seconds = 0.0

    def ok(self, name: str) -> None:
        self.passed.append(name)
        print(f"  {self.client:<7} ok      {name}", flush=True)

    def not_ok(self, name: str, why: str) -> None:
        self.failed.append(name)
        print(f"  {self.client:<7} NOT OK  {name}: {why}", flush=True)


def read_lines(stream, lines: "queue.Queue[str | None]") -> None:
    for line in stream:
        lines.put(line.rstrip("\n"))
    lines.put(None)


def converse(process: subprocess.Popen, servers: Servers, outcome: Outcome) -> str | None:
    """Follows the client's lines until it ends; what comes back is a complaint, or None."""
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=read_lines, args=(process.stdout, lines), daemon=True).start()
    end = time.monotonic() + CLIENT_SECONDS_MAX
    closing = None
    while True:
        wait = min(SILENCE_SECONDS_MAX, end - time.monotonic())
        try:
            line = lines.get(timeout=max(wait, 0.01))
        except queue.Empty:
            return "it said nothing for too long, so it was stopped"
        if line is None:
            break
        if line.startswith("ok "):
            outcome.ok(line[3:].strip())
        elif line.startswith("not ok "):
            name, _, why = line[7:].partition(":")
            outcome.not_ok(name.strip(), why.strip() or "no reason given")
        elif line.startswith("call "):
            servers.call(line[5:].strip())
            process.stdin.write("done\n")
            process.stdin.flush()
        elif line.endswith(" failed") and " passed, " in line:
            closing = line
        elif line.strip():
            print(f"  {outcome.client:<7} says    {line}", flush=True)
    code = process.wait(timeout=20)
    expected = f"{len(outcome.passed)} passed, {len(outcome.failed)} failed"
    if closing != expected:
        return f"its closing line was {closing!r}, its checks were '{expected}'"
    if code != (1 if outcome.failed else 0):
        return f"it ended with status {code}"
    return None


def run_client(client, command: list[str], folder: pathlib.Path, outcome: Outcome) -> None:
    begin = time.monotonic()
    try:
        argv = client.prepare(PREPARE_SECONDS_MAX)
    except clients.PrepareError as error:
        outcome.not_ok("prepare", str(error))
        return
    finally:
        outcome.prepare_seconds = time.monotonic() - begin

    begin = time.monotonic()
    folder.mkdir(parents=True)
    try:
        servers = Servers(command, folder)
    except ServerError as error:
        outcome.not_ok("servers", str(error))
        return
    errors = (folder / "client.stderr").open("w+")
    try:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=errors, text=True, start_new_session=True,
                                   env={**os.environ, **client.environment(),
                                        **servers.environment()})
        try:
            complaint = converse(process, servers, outcome)
        except (ServerError, OSError, subprocess.TimeoutExpired) as error:
            complaint = str(error)
        finally:
            process.kill()
            process.wait()
    finally:
        fallen = servers.stop()
        outcome.run_seconds = time.monotonic() - begin
    if complaint:
        outcome.not_ok("program", complaint)
    for text in fallen:
        outcome.not_ok("server", text)
    wanted = [name for name in client.checks if (client.name, name) not in EXEMPT]
    seen = outcome.passed + outcome.failed
    for name in wanted:
        if seen.count(name) != 1:
            outcome.not_ok(name, f"was answered {seen.count(name)} times, not once")
    if outcome.failed:
        errors.seek(0)
        for line in errors.read().splitlines()[-15:]:
            print(f"  {outcome.client:<7} stderr  {line}", flush=True)
    errors.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, metavar="PROGRAM",
                        help="the server's command, such as 'build/release/bin/martlet serve'")
    parser.add_argument("--client", action="append", choices=list(clients.NAMES),
                        help="only this client (may be repeated); all of them otherwise")
    parser.add_argument("--nats", metavar="PROGRAM",
                        help="the nats tool to use; otherwise $NATS_CLI, or the one on PATH")
    parser.add_argument("--prepare", action="store_true",
                        help="only fetch and build the clients into the cache")
    options = parser.parse_args()
    command = shlex.split(options.server)

    chosen = clients.choose(options.client or list(clients.NAMES), CHECKS, CLI_CHECKS, options.nats)
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="interop-") as scratch:
        for client in chosen:
            print(f"{client.name}: {client.what}", flush=True)
            outcome = Outcome(client.name)
            outcomes.append(outcome)
            if options.prepare:
                try:
                    client.prepare(PREPARE_SECONDS_MAX)
                    outcome.ok("prepare")
                except clients.PrepareError as error:
                    outcome.not_ok("prepare", str(error))
                continue
            run_client(client, command, pathlib.Path(scratch) / client.name, outcome)

    print()
    for outcome in outcomes:
        print(f"  {outcome.client:<7} {len(outcome.passed):>3} ok {len(outcome.failed):>3} not ok"
              f"   prepared in {outcome.prepare_seconds:.1f} s, ran {outcome.run_seconds:.1f} s")
        for name in outcome.failed:
            print(f"          not ok: {name}")
    passed = sum(len(outcome.passed) for outcome in outcomes)
    failed = sum(len(outcome.failed) for outcome in outcomes)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
