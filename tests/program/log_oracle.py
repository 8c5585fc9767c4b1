# SPDX-License-Identifier: Apache-2.0
"""Asks a server program what it writes into its log about clients that do wrong, or end.

    --program P              compares P's lines with the recorded ones of nats-server 2.15.2
    --program P --reference  the same for nats-server itself
    --program P --record     writes log_lines.json; P must be nats-server 2.15.2

Each case starts a server with -D, lets one or more clients say something, and takes the lines that
name a client. They are compared in any order: nats-server writes some after it has closed the
connection. Traced lines (-V) are tests/unit/broker/session_log_test.cpp's. Prints
'N passed, N failed'.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

LINES = pathlib.Path(__file__).with_name("log_lines.json")
WAIT_SECONDS_MAX = 20.0

CONNECT = b'CONNECT {"verbose":false,"name":"me","lang":"py","version":"1"}\r\nPING\r\n'
HEADERS = b'CONNECT {"verbose":false,"headers":true}\r\nPING\r\n'
FLOOD = (b"PUB a 80000\r\n" + b"x" * 80_000 + b"\r\n") * 400

# What a client does besides sending bytes.
ANSWER, END, RESET = "waits for an answer", "waits for the end", "resets its connection"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    steps: list
    arguments: tuple[str, ...] = ()
    configuration: str = ""
    before: tuple = ()  # What another client does first, and stays.
    own_words: bool = False  # Of what Go's JSON decoder says, the level and the number of lines.


def _line(name: str, line: bytes, first: bytes = CONNECT, **more) -> Case:
    return Case(name, [first, ANSWER, line, END], **more)


def _parser_cases() -> list[Case]:
    payload = {"configuration": "max_payload: 100\n"}
    control = {"configuration": "max_control_line: 64\n"}
    return [
        _line("payload", b"PUB a 200\r\n", **payload),
        _line("payload_headers", b"HPUB a 12 200\r\n", HEADERS, **payload),
        _line("payload_before_connect", b"PUB a 200\r\n", b"PING\r\n", **payload),
        _line("unknown", b"FOO bar\r\n"),
        _line("unknown_http", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", b"PING\r\n"),
        _line("payload_too_long", b"PUB a 2\r\nabcd\r\n"),
        _line("pub_arguments", b"PUB a b c d\r\n"),
        _line("pub_size_missing", b"PUB a\r\n"),
        _line("pub_size_wrong", b'PUB a\t"\xff\x01\r\n'),
        _line("pub_size_long", b"PUB a 1234567890\r\n"),
        _line("hpub_unsupported", b"HPUB a 12 14\r\n"),
        _line("hpub_arguments", b"HPUB a b c 12 14\r\n", HEADERS),
        _line("hpub_header_size", b"HPUB a b x 14\r\n", HEADERS),
        _line("hpub_total_size", b"HPUB a 12 x\r\n", HEADERS),
        _line("hpub_both_sizes", b"HPUB a y x\r\n", HEADERS),
        _line("hpub_header_larger", b"HPUB a 20 14\r\n", HEADERS),
        _line("sub_arguments", b"SUB a b c d\r\n"),
        _line("sub_sid_missing", b"SUB a\r\n"),
        _line("unsub_arguments", b"UNSUB  \t a\t b c \r\n"),
        _line("control_line", b"SUB " + b"a" * 100 + b" 1\r\n", b"PING\r\n", **control),
        _line("error_from_client", b"-ERR  'bla' \r\n"),
        _line("info_wrong", b"INFO x\r\n", own_words=True),
        _line("connect_no_json", b'CONNECT {"verbose":\r\n', b"PING\r\n", own_words=True),
        _line("connect_wrong_type", b'CONNECT {"verbose":1}\r\n', b"PING\r\n", own_words=True),
        _line("connect_protocol", b'CONNECT {"protocol":2}\r\n', b"PING\r\n"),
        _line("connect_no_responders", b'CONNECT {"no_responders":true}\r\n', b"PING\r\n"),
    ]


def _authorization_cases() -> list[Case]:
    user = ("--user", "u", "--pass", "p")
    token = ("--auth", "tok")
    right = b'CONNECT {"user":"u","pass":"p","lang":"py","version":"1","verbose":false}\r\nPING\r\n'
    timeout = "authorization {user: u, password: p, timeout: 0.3}\n"
    return [
        Case("user_wrong", [b'CONNECT {"user":"u","pass":"x"}\r\n', END], user),
        Case("user_missing", [b"CONNECT {}\r\n", END], user),
        Case("token_wrong", [b'CONNECT {"auth_token":"x"}\r\n', END], token),
        Case("token_and_user", [b'CONNECT {"user":"x","auth_token":"y"}\r\n', END], token),
        Case("no_connect", [b"PING\r\n", END], user),
        Case("account", [b'CONNECT {"account":"A"}\r\n', END]),
        Case("never_says_anything", [END], configuration=timeout),
        _line("named_user", b"FOO\r\n", right, arguments=user),
    ]


def _limit_cases() -> list[Case]:
    ping, reserved = b"PING\r\n", b"PUB $GR.a 1\r\nx\r\nPUB a _R_.b 1\r\nx\r\nSUB a _sys_ 1\r\n"
    pending = "max_pending: 100000\nmax_payload: 90000\n"
    deadline = 'write_deadline: "300ms"\nmax_pending: 100000000\n'
    subscribed = CONNECT + b"SUB a 1\r\n"
    return [
        Case(
            "connections",
            [END],
            configuration="max_connections: 1\n",
            before=(CONNECT, ANSWER),
        ),
        Case(
            "subscriptions",
            [CONNECT, ANSWER, b"SUB a 1\r\nSUB b 2\r\n" + ping, ANSWER],
            configuration="max_subscriptions: 1\n",
        ),
        Case(
            "tokens",
            [CONNECT, ANSWER, b"SUB a.b.c 1\r\n" + ping, ANSWER],
            configuration="max_sub_tokens: 2\n",
        ),
        Case("reserved", [CONNECT, ANSWER, reserved + ping, ANSWER]),
        Case("stale", [CONNECT, END], configuration='ping_interval: "200ms"\nping_max: 1\n'),
        Case("slow_pending", [subscribed, ANSWER, FLOOD, END], configuration=pending),
        Case("slow_deadline", [subscribed, ANSWER, FLOOD, 1.0], configuration=deadline),
        Case("reset", [CONNECT, ANSWER, RESET]),
        Case("leaves", [CONNECT, ANSWER]),
    ]


CASES = _parser_cases() + _authorization_cases() + _limit_cases()

# Lines of what is done another way here, or not at all: stalls are a matter of reading on, and a
# writer's error is the reason of the close.
LEFT_OUT = re.compile(
    r"Timed out of fast producer stall|Producer was stalled for|Error flushing: |Auto-unsubscribe"
)


def start(program: list[str], case: Case, folder: pathlib.Path) -> tuple[subprocess.Popen, int]:
    command = [*program, "-a", "127.0.0.1", "-p", "-1", "-D", "-T=false"]
    command += ["--ports_file_dir", str(folder), *case.arguments]
    if case.configuration:
        (folder / "main.conf").write_text(case.configuration)
        command += ["-c", str(folder / "main.conf")]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    end = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < end and process.poll() is None:
        for path in folder.glob("*.ports"):
            try:
                url = json.loads(path.read_text())["nats"][0]
            except (ValueError, KeyError):
                continue  # Half written.
            return process, int(url.rsplit(":", 1)[1])
        time.sleep(0.02)
    process.kill()
    raise AssertionError(f"{case.name}: no server:\n{(folder / 'log').read_text()}")


def talk(port: int, steps) -> socket.socket | None:
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(WAIT_SECONDS_MAX)
    greeting = client.recv(65536)
    assert greeting.startswith(b"INFO "), greeting
    try:
        for step in steps:
            if step == ANSWER:
                assert client.recv(65536)
            elif step == END:
                while client.recv(65536):
                    pass
            elif step == RESET:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif isinstance(step, float):
                time.sleep(step)
            else:
                client.sendall(step)
    except (ConnectionResetError, BrokenPipeError):
        pass  # An end, too.
    if RESET in steps:
        client.close()
        return None
    return client


def lines_of(program: list[str], case: Case) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="martlet-log-") as name:
        folder = pathlib.Path(name)
        process, port = start(program, case, folder)
        try:
            clients = [talk(port, steps) for steps in (case.before, case.steps) if steps]
            for client in clients:
                if client is not None:
                    client.close()
            wait_for_closes(folder / "log", len(clients))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_SECONDS_MAX)
        return normalized((folder / "log").read_text(errors="replace"), case)


def wait_for_closes(log: pathlib.Path, count: int) -> None:
    end = time.monotonic() + WAIT_SECONDS_MAX
    while log.read_text(errors="replace").count("Client connection closed") < count:
        if time.monotonic() > end:
            return  # What is missing is told by the comparison.
        time.sleep(0.02)
    time.sleep(0.1)  # Some lines come after that.


def normalized(log: str, case: Case) -> list[str]:
    lines, numbers = [], {}
    for line in log.splitlines():
        match = re.fullmatch(r"\[\d+\] \[(...)\] 127\.0\.0\.1:\d+ - cid:(\d+) - (.*)", line)
        if match is None or LEFT_OUT.search(line):
            continue
        level, number, text = match.groups()
        if text.endswith("Client Ping Timer") and case.name != "stale":
            continue  # That this one lived so long is chance.
        client = numbers.setdefault(number, len(numbers) + 1)
        # Here the line is shown, there the inside of the parser.
        text = re.sub(r"(Client parser ERROR)[:,] .*", r"\1", text)
        text = re.sub(r"\d+ chunks of \d+ total bytes", "N chunks of N total bytes", text)
        # Whether bytes were left unread decides which it is.
        text = re.sub(r"(connection closed): (?:Read Error|Client Closed)", r"\1: End", text)
        if case.own_words and level == "ERR":
            text = "…"
        lines.append(f"{level} {client} {text}")
    return sorted(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares log lines with those of nats-server.")
    parser.add_argument("--program", required=True)
    parser.add_argument("--subcommand", action="append", default=[], help="such as serve")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--reference", action="store_true", help="the program is nats-server")
    parser.add_argument("--case", help="this one only")
    options = parser.parse_args()
    program = [os.path.abspath(options.program), *options.subcommand]
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names), "two cases of one name"
    cases = [case for case in CASES if options.case in (None, case.name)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # They mostly wait.
        lines = pool.map(lambda case: lines_of(program, case), cases)
        got = dict(zip([case.name for case in cases], lines))
    if options.record:
        LINES.write_text(json.dumps(got, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{len(got)} cases recorded")
        return 0
    expected = json.loads(LINES.read_text(encoding="utf-8"))
    failures = [name for name in expected if name not in names]
    failures += [name for name, lines in got.items() if lines != expected.get(name)]
    for name in failures:
        print(f"FAILED {name}: expected {expected.get(name)}, got {got.get(name)}")
    print(f"{len(got) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures or not got else 0


if __name__ == "__main__":
    sys.exit(main())
