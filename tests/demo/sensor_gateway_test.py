# SPDX-License-Identifier: Apache-2.0
"""Goal: what sensors send by UDP is on the right subjects, alarms are raised and ended once, and
bad lines are told; on .NET and on mono.

Method: examples/sensor_gateway runs on each; this test sends datagrams and reads over TCP, by
Martlet's Python client and by nats-py. Datagrams may be lost by the system: what is sent at once
fits into its buffer.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import martlet  # noqa: E402
import nats  # noqa: E402
from program import Program  # noqa: E402

SECONDS = 30
LINE_BYTES_MAX = 256
BOUNDS = "temperature -20 60 2  # of the boilers\n\nlevel 0 3 0.5\n"


class Gateway(Program):
    """The example on free ports."""

    def begin(self) -> None:
        self.url = self.wait_match("out", "^broker: (nats://.*)")[1]
        host, port = self.wait_match("out", r"^sensors: (.*):(\d+)$").groups()
        self.address = (host, int(port))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(self.address)

    def sense(self, *lines: str) -> None:
        self.socket.send("\n".join(lines).encode())

    def stop(self) -> None:
        if hasattr(self, "socket"):
            self.socket.close()
        super().stop()


def status_of(client: martlet.Connection) -> dict:
    return json.loads(client.request("gateway.status", timeout=SECONDS).data)


class OnBoth:
    """Each test with both runtimes; the command is in the environment."""

    variable = ""

    def command(self, *words: str) -> list[str]:
        ports = ["--udp-port", "0", "--nats-port", "0"]
        return [*shlex.split(os.environ[self.variable]), *ports, *words]

    def start(self, *words: str, **environment: str) -> Gateway:
        return Gateway(self.command(*words), **environment)

    def test_values_are_on_their_subjects(self) -> None:
        with self.start() as gateway, martlet.connect(gateway.url) as client:
            subscription = client.subscribe("sensor.>")
            client.flush()
            gateway.sense("boiler-1 temperature 61.5", "boiler-1\tlevel  2\r", "",
                          "Tank_2 temperature -0.25e1\n")
            gateway.sense("boiler-1 temperature 62")
            got = [(message.subject, message.data) for message in
                   (subscription.next_msg(SECONDS) for _ in range(4))]
            self.assertEqual(got, [
                ("sensor.boiler-1.temperature", b"61.5"), ("sensor.boiler-1.level", b"2"),
                ("sensor.Tank_2.temperature", b"-0.25e1"), ("sensor.boiler-1.temperature", b"62")])
            self.assertEqual(status_of(client), {
                "datagrams": 2, "published": 4, "rejected": 0, "alarms": 0, "sensors": 3})

    def test_nats_py_gets_all_values_of_many_sensors_in_order(self) -> None:
        rounds, sensors = 200, 25

        async def read(gateway: Gateway) -> dict[str, list[int]]:
            client = await nats.connect(gateway.url)
            got: dict[str, list[int]] = {f"sensor.s{one}.count": [] for one in range(sensors)}
            subscription = await client.subscribe("sensor.*.count")
            await client.flush()
            for number in range(rounds):
                gateway.sense(*(f"s{one} count {number}" for one in range(sensors)))
                for _ in range(sensors):
                    message = await subscription.next_msg(SECONDS)
                    got[message.subject].append(int(message.data))
            await client.close()
            return got

        with self.start() as gateway:
            got = asyncio.run(read(gateway))
        self.assertEqual(got, {f"sensor.s{one}.count": list(range(rounds))
                               for one in range(sensors)})

    def test_an_alarm_is_raised_once_and_ends_by_the_hysteresis(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            bounds = Path(folder) / "bounds"
            bounds.write_text(BOUNDS, encoding="ascii")
            with self.start("--bounds", str(bounds)) as gateway, \
                    martlet.connect(gateway.url) as client:
                subscription = client.subscribe("alarm.>")
                client.flush()
                # At the bound it is none; while it hovers there is one; another kind has none.
                gateway.sense(*(f"b temperature {value}" for value in (
                    60, 60.1, 59, 61, 58.5, 60.5, 58, 59.9, 60, 70, -21, -19, -18, 0)))
                gateway.sense("b pressure 1e9", "c level 3.25", "c level 2.5")
                got = [(message.subject, json.loads(message.data)) for message in
                       (subscription.next_msg(SECONDS) for _ in range(7))]

                def alarm(state: str, value: float, bound: float) -> dict:
                    return {"state": state, "value": value, "bound": bound}

                self.assertEqual(got, [
                    ("alarm.b.temperature", alarm("high", 60.1, 60)),
                    ("alarm.b.temperature", alarm("normal", 58, 60)),
                    ("alarm.b.temperature", alarm("high", 70, 60)),
                    ("alarm.b.temperature", alarm("low", -21, -20)),
                    ("alarm.b.temperature", alarm("normal", -18, -20)),
                    ("alarm.c.level", alarm("high", 3.25, 3)),
                    ("alarm.c.level", alarm("normal", 2.5, 3))])
                self.assertEqual(status_of(client)["alarms"], 7)
                with self.assertRaises(martlet.errors.TimeoutError):
                    subscription.next_msg(0)

    def test_bad_lines_are_dead_letters_and_the_good_ones_go_on(self) -> None:
        words = "not three words"
        name = "a name with other characters than A-Z a-z 0-9 _ -, or more than 32"
        number = "not a number"
        bad = (
            (b"boiler temperature", words), (b"boiler temperature 1 2", words), (b" ", words),
            (b"boiler.1 temperature 1", name), (b"boiler > 1", name), (b"* x 1", name),
            (b"s" * 33 + b" x 1", name), ("süd x 1".encode(), name), (b"\xff\xfe x 1", name),
            (b"a\0b x 1", name), (b"boiler x one", number), (b"boiler x 1,5", number),
            (b"boiler x NaN", number), (b"boiler x 1e999", number), (b"boiler x 0x10", number),
            (b"s x " + b"1" * 300, "longer than 256 bytes"),
            (b"third x 1", "more than 2 sensors and kinds"))
        with self.start("--sensors", "2") as gateway, martlet.connect(gateway.url) as client:
            dead, good = client.subscribe("gateway.dead"), client.subscribe("sensor.>")
            client.flush()
            gateway.sense("first x 1", "second x 2")
            for line, _ in bad:
                gateway.socket.send(line)
            gateway.sense("first x 3")
            sender = "{}:{}".format(*gateway.socket.getsockname())
            for line, reason in bad:
                message = dead.next_msg(SECONDS)
                self.assertEqual(message.data, line[:LINE_BYTES_MAX])
                self.assertEqual(message.headers["Reason"], reason)
                self.assertEqual(message.headers["From"], sender)
            self.assertEqual([good.next_msg(SECONDS).data for _ in range(3)], [b"1", b"2", b"3"])
            self.assertEqual(status_of(client), {
                "datagrams": len(bad) + 2, "published": 3, "rejected": len(bad), "alarms": 0,
                "sensors": 2})
            gateway.signal(signal.SIGTERM)
            self.assertEqual(gateway.end(), 0)
            self.assertEqual(gateway.lines("err"),
                             [f"sensor_gateway: {len(bad)} lines were rejected"])

    def test_a_signal_ends_it_after_what_has_arrived(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number), self.start() as gateway, \
                    martlet.connect(gateway.url) as client:
                subscription = client.subscribe("sensor.>")
                client.flush()
                for value in range(200):
                    gateway.sense(f"a x {value}")
                gateway.signal(number)
                got = [int(subscription.next_msg(SECONDS).data) for _ in range(200)]
                self.assertEqual(got, list(range(200)))
                self.assertEqual(gateway.end(), 0, gateway.lines("err"))
                self.assertEqual(gateway.lines("err"), [])

    def test_a_token_is_asked_for(self) -> None:
        with self.start(SENSOR_GATEWAY_TOKEN="let-me-in") as gateway:
            with self.assertRaises(martlet.errors.AuthorizationError):
                martlet.connect(gateway.url)
            with martlet.connect(gateway.url, token="let-me-in") as client:
                self.assertEqual(status_of(client)["datagrams"], 0)

    def test_what_is_wrong_at_the_start_is_named(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.start() as gateway:
            bounds = Path(folder) / "bounds"
            bounds.write_text("temperature 60 -20 2\n", encoding="ascii")
            port, udp = gateway.url.rsplit(":", 1)[1], str(gateway.address[1])
            for words, status, text in (
                    (["--nats-port", port], 1, "in use"),
                    (["--udp-port", udp], 1, f"UDP 127.0.0.1:{udp}: "),
                    (["--bounds", str(bounds)], 1, f"{bounds}:1: LOW must be below HIGH"),
                    (["--bounds", "/nowhere"], 1, "/nowhere"),
                    (["--udp-port", "-1"], 2, "--udp-port must be a number from 0 to 65535"),
                    (["--host", "nowhere"], 2, "--host must be an address, not nowhere"),
                    (["--colour", "red"], 2, "no option --colour"),
                    (["--sensors"], 2, "--sensors lacks its value")):
                answer = subprocess.run(self.command(*words), capture_output=True, text=True,
                                        timeout=60)
                self.assertEqual(answer.returncode, status, answer.stderr)
                self.assertTrue(answer.stderr.startswith("sensor_gateway: "), answer.stderr)
                self.assertIn(text, answer.stderr.splitlines()[0])


class OnDotnet(OnBoth, unittest.TestCase):
    variable = "GATEWAY_DOTNET"


class OnMono(OnBoth, unittest.TestCase):
    variable = "GATEWAY_MONO"


if __name__ == "__main__":
    unittest.main()
