# SPDX-License-Identifier: Apache-2.0
#
# The `nats` tool (its path is the one argument) against the servers named in the environment. One
# line a check, a closing line, and `call WORD` lines by which it asks the runner to kill or start
# a server. Every process started here is ended here. See ../README.md.

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Iterator

NATS = sys.argv[1]
OPEN = os.environ["INTEROP_OPEN"]
USER = os.environ["INTEROP_USER"]
TOKEN = os.environ["INTEROP_TOKEN"]
RESTART = os.environ["INTEROP_RESTART"]
USER_NAME = os.environ["INTEROP_USER_NAME"]
USER_PASSWORD = os.environ["INTEROP_USER_PASSWORD"]
TOKEN_WORD = os.environ["INTEROP_TOKEN_WORD"]

RUN_SECONDS_MAX = 20
WAIT_SECONDS_MAX = 10
MIB = 1024 * 1024
EMPTY = "nil body"  # What `nats sub --raw` writes for an empty message.

# No settings or contexts of the person who runs this: a home of its own, no NATS_ variables.
HOME = tempfile.TemporaryDirectory(prefix="interop-nats-")
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("NATS_")}
ENVIRONMENT |= {"HOME": HOME.name, "XDG_CONFIG_HOME": HOME.name}

CHECKS: list[Callable[[], None]] = []


def check(function: Callable[[], None]) -> Callable[[], None]:
    CHECKS.append(function)
    return function


def truth(condition: bool, what: str) -> None:
    if not condition:
        raise AssertionError(what[:400])


def equal(found: object, wanted: object, what: str) -> None:
    truth(found == wanted, f"{what}: {str(found)[:120]!r} instead of {str(wanted)[:120]!r}")


def argv(*args: str, server: str = OPEN) -> list[str]:
    return [NATS, "--server", server, *args]


def nats(*args: str, server: str = OPEN, stdin: bytes = b"", ok: bool = True) -> str:
    """Runs the tool to its end; what comes back is all that it wrote."""
    done = subprocess.run(argv(*args, server=server), input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=ENVIRONMENT, timeout=RUN_SECONDS_MAX)
    text = done.stdout.decode(errors="replace")
    what = f"nats {' '.join(args)}"
    truth((done.returncode == 0) == ok, f"{what} ended with {done.returncode}: {text}")
    return text


class Running:
    """The tool in the background, its output in a file."""

    def __init__(self, args: tuple[str, ...], server: str) -> None:
        self._output = tempfile.TemporaryFile()
        self._process = subprocess.Popen(argv(*args, server=server), stdin=subprocess.DEVNULL,
                                         stdout=self._output, stderr=subprocess.STDOUT,
                                         env=ENVIRONMENT)

    def text(self) -> str:
        return os.pread(self._output.fileno(), 16 * MIB, 0).decode(errors="replace")

    def finish(self) -> str:
        code = self._process.wait(timeout=RUN_SECONDS_MAX)
        equal(code, 0, f"the end of the tool that says {self.text()[-200:]}")
        return self.text()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._output.close()


@contextlib.contextmanager
def running(*args: str, server: str = OPEN) -> Iterator[Running]:
    process = Running(args, server)
    try:
        yield process
    finally:
        process.stop()


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        truth(time.monotonic() < end, f"waited in vain for {what}")
        time.sleep(0.02)


def await_subscriber(subject: str, server: str = OPEN) -> None:
    """Publishes until somebody gets it: exactly one empty message is delivered."""
    host, port = server.removeprefix("nats://").split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_SECONDS_MAX) as raw:
        stream = raw.makefile("rb")
        raw.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'
                    b"SUB probe.inbox 1\r\n")

        def delivered() -> bool:
            raw.sendall(f"PUB {subject} probe.inbox 0\r\n\r\nPING\r\n".encode())
            nobody = False
            while line := stream.readline():
                nobody |= line.startswith(b"NATS/1.0 503")
                if line == b"PONG\r\n":
                    return not nobody
            raise AssertionError("the server closed")

        until(delivered, f"a subscriber of {subject}")


@contextlib.contextmanager
def subscriber(subject: str, *args: str, server: str = OPEN) -> Iterator[Running]:
    """`nats sub`, known to the server; its first message is the empty one of `await_subscriber`."""
    ready = f"ready.{time.monotonic_ns()}"
    with running("sub", subject, ready, *args, server=server) as process:
        await_subscriber(ready, server)
        yield process


@check
def version() -> None:
    truth(nats("--version").startswith("v"), "no version")


@check
def cheat_sheet() -> None:
    truth("nats bench" in nats("cheat", "bench"), "no cheat sheet")
    truth("stream not found" in nats("errors", "lookup", "10059"), "an unknown error code")


@check
def rtt() -> None:
    (result,) = json.loads(nats("rtt", "3", "--json"))
    truth(all(0 < one["rtt"] < WAIT_SECONDS_MAX * 1e9 for one in result["results"]), str(result))


@check
def pub_sub() -> None:
    with subscriber("cli.one", "--count", "3", "--raw") as process:
        nats("pub", "cli.two", "elsewhere")
        nats("pub", "cli.one", "first")
        nats("pub", "cli.one", "second, ünd more")
        equal(process.finish().split("\n"), [EMPTY, "first", "second, ünd more", ""], "output")


@check
def sub_wildcard() -> None:
    with subscriber("cli.wild.*", "--count", "3", "--subjects-only") as one, \
            subscriber("cli.wild.>", "--count", "4", "--subjects-only") as full:
        for subject in ("cli.wild", "cli.wild.a", "cli.wild.a.b", "cli.wild.c"):
            nats("pub", subject, "text")
        text = one.finish()
        truth("cli.wild.a" in text and "cli.wild.c" in text and "cli.wild.a.b" not in text, text)
        truth("cli.wild.a.b" in full.finish(), full.text())


@check
def pub_count() -> None:
    with subscriber("cli.count", "--count", "1001", "--raw") as process:
        nats("pub", "cli.count", "{{Count}}", "--count", "1000", "--quiet")
        wanted = [EMPTY, *[str(number) for number in range(1, 1001)]]
        equal(process.finish().splitlines(), wanted, "the numbers")


@check
def headers() -> None:
    with subscriber("cli.headers", "--count", "2") as process:
        nats("pub", "cli.headers", "body", "-H", "One:1", "-H", "Two:b c")
        text = process.finish()
        truth("One: 1\n" in text and "Two: b c\n" in text and "body" in text, text)


@check
def queue_group() -> None:
    with subscriber("cli.queue", "--queue", "workers", "--raw") as one, \
            subscriber("cli.queue", "--queue", "workers", "--raw") as two:
        nats("pub", "cli.queue", "{{Count}}", "--count", "100", "--quiet")

        def shares() -> list[list[str]]:
            return [process.text().splitlines()[1:] for process in (one, two)]

        until(lambda: sum(map(len, shares())) >= 100, f"100 messages: {shares()}")
        numbers = sorted(int(number) for share in shares() for number in share)
        equal(numbers, list(range(1, 101)), "each message once")
        truth(all(shares()), "a member had none")


@check
def request_reply() -> None:
    with running("reply", "cli.ask", "--echo"):
        await_subscriber("cli.ask")
        equal(nats("request", "cli.ask", "what?", "--raw").strip(), "what?", "reply")
    with running("reply", "cli.count", "reply {{Count}}"):
        await_subscriber("cli.count")
        replies = [nats("request", "cli.count", text, "--raw", "-H", "A:1") for text in "ab"]
        first, second = (int(reply.removeprefix("reply ")) for reply in replies)
        equal(second, first + 1, "the count in the replies")


@check
def no_responders() -> None:
    truth("No responders are available" in nats("request", "cli.nobody", "text"), "no words of it")


@check
def user_password() -> None:
    nats("rtt", "--user", USER_NAME, "--password", USER_PASSWORD, server=USER)
    nats("rtt", server=USER.replace("//", f"//{USER_NAME}:{USER_PASSWORD}@"))


@check
def user_password_wrong() -> None:
    for args in (("--user", USER_NAME, "--password", "wrong"), ()):
        text = nats("pub", "cli.one", "text", *args, server=USER, ok=False)
        truth("authorization violation" in text.lower(), text)


@check
def token() -> None:
    nats("rtt", "--token", TOKEN_WORD, server=TOKEN)


@check
def token_wrong() -> None:
    text = nats("pub", "cli.one", "text", "--token", "wrong", server=TOKEN, ok=False)
    truth("authorization violation" in text.lower(), text)


@check
def payload_1mib() -> None:
    payload = os.urandom(MIB)
    with tempfile.TemporaryDirectory() as folder, \
            subscriber("cli.large", "--count", "2", "--dump", folder) as process:
        nats("pub", "cli.large", "--force-stdin", "--no-templates", stdin=payload)
        process.finish()
        dumped = [json.loads(path.read_text())["Data"] or "" for path in Path(folder).iterdir()]
        truth(payload in map(base64.b64decode, dumped), f"not in {list(map(len, dumped))} bytes")


@check
def max_payload() -> None:
    args = ("pub", "cli.large", "--force-stdin", "--no-templates")
    text = nats(*args, stdin=bytes(MIB + 1), ok=False)
    truth("maximum payload exceeded" in text, text)


@check
def bench_pub_sub() -> None:
    args = ("cli.bench", "--msgs", "20000", "--size", "128", "--no-progress")
    with running("bench", "sub", *args) as receiver:
        await_subscriber("cli.bench")
        text = nats("bench", "pub", *args)
        truth("msgs/sec" in text, text)
        truth("msgs/sec" in receiver.finish(), receiver.text())


@check
def bench_request() -> None:
    with running("bench", "service", "serve", "cli.service", "--no-progress", "--size", "16"):
        await_subscriber("cli.service")
        text = nats("bench", "service", "request", "cli.service", "--msgs", "500", "--no-progress")
        truth("msgs/sec" in text, text)


@check
def check_connection() -> None:
    truth("OK Connection" in nats("server", "check", "connection"), "not OK")


@check
def check_request() -> None:
    with running("reply", "cli.check", "fine"):
        await_subscriber("cli.check")
        text = nats("server", "check", "request", "--subject", "cli.check", "--payload", "text",
                    "--match-payload", "fine", "--response-critical", "10s")
        truth("OK" in text, text)


def call(word: str) -> None:
    print(f"call {word}", flush=True)
    equal(sys.stdin.readline().strip(), "done", "the runner's answer")


@check
def reconnect() -> None:
    with subscriber("cli.again", "--raw", server=RESTART) as process:
        nats("pub", "cli.again", "before", server=RESTART)
        until(lambda: "before" in process.text(), "the message before")
        call("kill")
        call("start")
        await_subscriber("cli.again", RESTART)
        nats("pub", "cli.again", "after", server=RESTART)
        until(lambda: "after" in process.text(), "the message after")


def main() -> int:
    passed = failed = 0
    for function in CHECKS:
        try:
            function()
        except Exception as error:
            text = str(error).replace("\n", " ")
            print(f"not ok {function.__name__}: {type(error).__name__} {text}", flush=True)
            failed += 1
        else:
            print(f"ok {function.__name__}", flush=True)
            passed += 1
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
