# SPDX-License-Identifier: Apache-2.0
#
# Owns the random sessions of differential.py: a seed becomes a list of commands, most of them
# good, some malformed. Promises the same commands for the same seed. Stays away from what
# nats-server leaves open: groups with several members, a CR within a line, and commands in one
# write behind an -ERR (whether they are still done depends on how the bytes were read).

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

CONFIGS = (
    "",
    "max_payload: 64\nmax_control_line: 128\n",
    "max_subscriptions: 4\nmax_sub_tokens: 3\n",
    "no_header_support: true\n",
    "authorization { user: alice, password: secret }\n",
)
COMMANDS_MAX = 40
CONNECTIONS = ("a", "b", "c")
LITERAL_TOKENS = ("a", "a", "b")
WILDCARDS = ("*", "*", ">")
ODD_TOKENS = ("", "a*", ">b", "**", "é", "a\0b", "A", "x" * 40)
RESERVED = ("_R_.a", "$JS.ACK.a.b", "_GR_.abcdef.ghijkl.a", "$NRG.a", "$GR.abcd.a", "_R_", "$NRG")
SIDS = ("1", "2", "3", "4", "00", "x.y", "*")


@dataclass(frozen=True)
class Command:
    connection: str
    data: bytes


def config_of(seed: int) -> str:
    return CONFIGS[seed % len(CONFIGS)]


def random_session(seed: int) -> list[Command]:
    rng = random.Random(seed)
    config = config_of(seed)
    maker = Maker(rng, 64 if "max_payload" in config else 200, "authorization" in config)
    commands = []
    for name in CONNECTIONS:
        if rng.random() < 0.8:
            commands.append(Command(name, maker.connect(good=True)))
    for _ in range(rng.randrange(10, COMMANDS_MAX)):
        parts = [maker.command() for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        parts.sort(key=lambda part: part.startswith(b"-"))  # an -ERR comes last
        commands.append(Command(rng.choice(CONNECTIONS), b"".join(parts)))
    return commands


class Maker:
    """Makes commands from one stream of random numbers."""

    def __init__(self, rng: random.Random, payload_bytes_max: int, needs_password: bool) -> None:
        self.rng = rng
        self.needs_password = needs_password
        self.payload_bytes_max = payload_bytes_max
        self.queue_count = 0
        self.makers = (
            (40, self.publish),
            (8, self.publish_with_headers),
            (25, self.subscribe),
            (8, self.unsubscribe),
            (2, self.connect),
            (2, lambda: self.line("PONG")),
            (2, lambda: self.line(self.rng.choice(("+OK", "+ok", "INFO {}", 'INFO {"a":1}')))),
            (1, self.malformed),
        )

    def command(self) -> bytes:
        weights = [weight for weight, _ in self.makers]
        maker = self.rng.choices([maker for _, maker in self.makers], weights)[0]
        data = maker()
        return self.damage(data) if self.rng.random() < 0.02 else data

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # -------------------------------------------------------------------------------- pieces

    def subject(self, odd: float) -> str:
        """Few words, so that publishers and subscribers meet; now and then an odd one."""
        if self.chance(0.02):
            return self.rng.choice(RESERVED)
        tokens = []
        for _ in range(self.rng.choice((1, 1, 2, 2, 2, 3, 4))):
            if self.chance(odd):
                tokens.append(self.rng.choice(WILDCARDS if self.chance(0.7) else ODD_TOKENS))
            else:
                tokens.append(self.rng.choice(LITERAL_TOKENS))
        return ".".join(tokens) or "a"

    def line(self, *words: str) -> bytes:
        """A command line in the freedom that the protocol gives: case, separators, line end."""
        verb = words[0]
        if self.chance(0.1):
            verb = "".join(self.rng.choice((char.lower(), char.upper())) for char in verb)
        separator = " " if self.chance(0.9) else self.rng.choice(("  ", "\t", " \t "))
        end = "\r\n" if self.chance(0.95) else "\n"
        return (separator.join((verb, *words[1:])) + end).encode()

    def size(self, count: int) -> str:
        text = str(count)
        return "0" * self.rng.randrange(1, 3) + text if self.chance(0.05) else text

    # -------------------------------------------------------------------------------- commands

    def publish(self) -> bytes:
        body = self.payload()
        words = [self.subject(odd=0.06)]
        if self.chance(0.4):
            words.append(self.subject(odd=0.03))
        return self.line("PUB", *words, self.size(len(body))) + body + b"\r\n"

    def payload(self) -> bytes:
        count = self.rng.choice((0, 1, 2, 5, 20, 40))
        if self.chance(0.02):
            count = self.payload_bytes_max + self.rng.randrange(-1, 2)
        return bytes(self.rng.choice(b"abc\r\n\0\xff PING") for _ in range(count))

    def publish_with_headers(self) -> bytes:
        header = b"NATS/1.0\r\n"
        for _ in range(self.rng.randrange(3)):
            header += self.rng.choice((b"A: b\r\n", b"k:  value \r\n", b"a:\r\n", b"no colon\r\n"))
        header += b"\r\n"
        if self.chance(0.1):
            header = self.rng.choice((b"", b"x", b"\r\n", b"NATS/2.0\r\n\r\n"))
        body = self.payload()
        words = [self.subject(odd=0.06)]
        if self.chance(0.4):
            words.append(self.subject(odd=0.03))
        sizes = self.size(len(header)), self.size(len(header) + len(body))
        return self.line("HPUB", *words, *sizes) + header + body + b"\r\n"

    def subscribe(self) -> bytes:
        words = [self.subject(odd=0.3)]
        if self.chance(0.15):
            self.queue_count += 1  # each group has one member, so that it is known who gets it
            words.append("_sys_" if self.chance(0.1) else f"q{self.queue_count}")
        return self.line("SUB", *words, self.rng.choice(SIDS))

    def unsubscribe(self) -> bytes:
        words = [self.rng.choice(SIDS)]
        if self.chance(0.5):
            words.append(self.rng.choice(("0", "1", "2", "3", "10", "03", "-1", "x", "1000000000")))
        return self.line("UNSUB", *words)

    def connect(self, good: bool = False) -> bytes:
        fields: dict[str, Any] = {"verbose": self.chance(0.2), "pedantic": self.chance(0.2)}
        for name, probability in (("echo", 0.2), ("headers", 0.7), ("no_responders", 0.4)):
            if self.chance(probability):
                fields[name] = self.chance(0.8)
        if self.needs_password and self.chance(0.9 if good else 0.5):
            fields["user"], fields["pass"] = "alice", "secret" if self.chance(0.95) else "x"
        if good and fields.get("no_responders"):
            fields["headers"] = True
        if self.chance(0.3):
            fields["protocol"] = self.rng.randrange(2)
        if self.chance(0.2):
            fields[self.rng.choice(("name", "lang", "user", "pass", "x"))] = "text"
        if not good and self.chance(0.3):
            key = self.rng.choice(("echo", "headers", "protocol", "name", "VERBOSE", "account"))
            fields[key] = self.rng.choice((None, True, 0, 1, 2, -1, 1.5, "", "t", [], {}))
        text = json.dumps(fields)
        if not good and self.chance(0.1):
            text += self.rng.choice((" ", "x", "{}", "\t "))
        return self.line("CONNECT", text)

    def malformed(self) -> bytes:
        lines = (
            "SUB a",
            "SUB a q 1 2",
            "SUB",
            "PUB a",
            "PUB a x",
            "PUB a -1",
            "PUB a b c 1",
            "PUB a 0000000001",
            "HPUB a 5 4",
            "HPUB a 5",
            "HPUB a x 5",
            "UNSUB",
            "UNSUB 1 2 3",
            "-ERR 'x'",
            "-ERR",
            "MSG a 1 0",
            "RS+ a",
            "A+ a",
            "",
            " PING",
            "CONNECT x",
            "CONNECT",
            "PUB a 1048577",
            "SUB " + "y" * 5000 + " 1",
        )
        return (self.rng.choice(lines) + "\r\n").encode()

    def damage(self, data: bytes) -> bytes:
        """One byte of the command's line is lost, doubled or replaced."""
        end = data.find(b"\n") - 1
        if end < 1:
            return data
        at = self.rng.randrange(end)
        if data[at : at + 1] == b"\r":
            return data
        new = self.rng.choice((b"", data[at : at + 1] * 2, b" ", b"9", b"z"))
        return data[:at] + new + data[at + 1 :]
