# SPDX-License-Identifier: Apache-2.0
"""Goal: what NATS clients publish stands in the page of a real browser, and nothing else does.

Method: examples/live_page runs; nats.js publishes from a process of its own; a headless Chromium is
asked what its table shows. Slow and many viewers are sockets of this test.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from program import EXAMPLES, SECONDS_MAX, Program, ProgramError, node, wait_until  # noqa: E402

EXAMPLE = EXAMPLES / "live_page" / "main.mjs"
STOP_SECONDS_MAX = 10
ROWS = 2000
ROUNDS = 40


class LivePage(Program):
    """The example on free ports."""

    def __init__(self, *words: str, **environment: str) -> None:
        super().__init__([node(), str(EXAMPLE), "--nats-port", "0", "--http-port", "0", *words],
                         **environment)

    def begin(self) -> None:
        self.broker = self.wait_match("out", "^broker: (nats://.*)")[1]
        self.page = self.wait_match("out", "^page: (http://.*)")[1]
        address = urllib.parse.urlsplit(self.page)
        self.address = (address.hostname, address.port)

    def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()


class Publisher(Program):
    """nats.js in a process of its own."""

    def __init__(self, url: str, *token: str) -> None:
        super().__init__([node(), str(HERE / "publisher_nats_js.mjs"), url, *token])

    def begin(self) -> None:
        self.rounds = 0
        self.wait_match("out", "^connected$")

    def publish(self, *messages: tuple[str, bytes]) -> None:
        self.send(json.dumps([(subject, base64.b64encode(payload).decode())
                              for subject, payload in messages]))
        self.rounds += 1
        self.wait_lines("out", 1 + self.rounds)


class Browser(Program):
    """Chromium on the page."""

    def __init__(self, url: str) -> None:
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        super().__init__([node(), str(HERE / "page_reader.mjs"), url, self.profile.name])

    def stop(self) -> None:
        # Asked to end, it also waits for the browser, which else would still write its profile.
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self.close_input()
            self.process.wait(STOP_SECONDS_MAX)
        super().stop()
        self.profile.cleanup()

    def begin(self) -> None:
        self.asked = 0
        self.wait_for(lambda shown: shown.get("state") == "connected", "the page to be connected")

    def look(self) -> dict:
        self.send("look")
        self.asked += 1
        return json.loads(self.wait_lines("out", self.asked)[-1])

    def wait_for(self, condition: Callable[[dict], bool], what: str) -> dict:
        shown = {}

        def holds() -> bool:
            nonlocal shown
            shown = self.look()
            return condition(shown)

        try:
            wait_until(holds, what)
        except ProgramError as error:
            raise ProgramError(f"{error}; it shows {shown}") from None
        return shown

    def wait_rows(self, rows: list[list[str]]) -> dict:
        return self.wait_for(lambda shown: shown["rows"] == rows, f"the rows {rows}")


class Events:
    """A viewer that is a socket: what it was told, with the rows put together as the page does."""

    def __init__(self, live: LivePage, receive_bytes: int = 0) -> None:
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(60)
        self.socket.connect(live.address)
        self.socket.sendall(b"GET /events HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        self.rows: dict[str, dict] = {}
        self.bytes = 0
        self._file = self.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass

    def read_until(self, condition: Callable[[], bool]) -> None:
        """Lines of the stream, whose chunks begin and end with events."""
        event = b""
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            if time.monotonic() > deadline:  # Heartbeats keep the socket from timing out.
                raise ProgramError(f"after {SECONDS_MAX:g} s still reading; {len(self.rows)} rows")
            line = self._file.readline()
            if not line:
                raise ProgramError(f"the stream ended; {len(self.rows)} rows")
            if line.startswith(b"event: "):
                event = line[7:].strip()
            elif line.startswith(b"data: "):
                self.bytes += len(line)
                self._take(event, json.loads(line[6:]))

    def _take(self, event: bytes, told: dict) -> None:
        if event == b"all":
            self.rows.clear()
        for row in told["rows"]:
            if row.get("isGone"):
                self.rows.pop(row["subject"], None)
            else:
                self.rows[row["subject"]] = row

    def shows(self, count: int, text: str) -> bool:
        return len(self.rows) == count and all(
            row["text"] == text for row in self.rows.values())

    def close(self) -> None:
        self._file.close()
        self.socket.close()


class InTheBrowser(unittest.TestCase):
    def test_the_page_shows_what_was_published(self) -> None:
        with LivePage() as live, Publisher(live.broker) as publisher, \
                Browser(live.page) as browser:
            self.assertEqual(browser.look()["rows"], [])
            publisher.publish(("weather.oslo", b"4.5"), ("weather.rome", b"18"),
                              ("alarm", "Überlauf ≥ 3 m".encode()))
            browser.wait_rows([["alarm", "Überlauf ≥ 3 m", "1"], ["weather.oslo", "4.5", "1"],
                               ["weather.rome", "18", "1"]])
            publisher.publish(*((f"weather.{city}", b"%d" % number)
                                for number in range(500) for city in ("oslo", "rome")))
            rows = [["alarm", "Überlauf ≥ 3 m", "1"], ["weather.oslo", "499", "501"],
                    ["weather.rome", "499", "501"]]
            browser.wait_rows(rows)
            with Browser(live.page) as late:
                late.wait_rows(rows)
            self.assertEqual(browser.look()["complaints"], [])

    def test_a_payload_is_text_and_never_markup(self) -> None:
        with LivePage("--subject", "shown.>") as live, Publisher(live.broker) as publisher, \
                Browser(live.page) as browser:
            markup = "<img src=x onerror=alert(1)><script>alert(2)</script>"
            lines = "data: {}\n\nevent: all\ndata: {\"rows\":[]}\n\n"
            publisher.publish(("hidden.a", b"not asked for"), ("shown.markup", markup.encode()),
                              ("shown.lines", lines.encode()), ("shown.broken", b"\xff\xfe ok"),
                              ("shown.long", b"x" * 5000), ("shown.<b>bold</b>", b""))
            shown = browser.wait_for(lambda shown: len(shown["rows"]) == 5, "five rows")
            self.assertEqual(shown["rows"], [
                ["shown.<b>bold</b>", "", "1"], ["shown.broken", "\ufffd\ufffd ok", "1"],
                ["shown.lines", lines, "1"], ["shown.long", "x" * 200 + "…", "1"],
                ["shown.markup", markup, "1"]])
            self.assertEqual(shown["images"], 0)
            self.assertEqual(shown["complaints"], [])

    def test_rows_are_bounded_and_the_silent_ones_go_first(self) -> None:
        with LivePage("--rows", "3") as live, Publisher(live.broker) as publisher, \
                Browser(live.page) as browser:
            publisher.publish(("a", b"1"), ("b", b"1"), ("c", b"1"))
            browser.wait_rows([["a", "1", "1"], ["b", "1", "1"], ["c", "1", "1"]])
            publisher.publish(("a", b"2"), ("d", b"1"))
            browser.wait_rows([["a", "2", "2"], ["c", "1", "1"], ["d", "1", "1"]])

    def test_the_page_comes_back_to_a_server_that_was_away(self) -> None:
        with LivePage() as first, Publisher(first.broker) as publisher, \
                Browser(first.page) as browser:
            publisher.publish(("before", b"1"))
            browser.wait_rows([["before", "1", "1"]])
            first.signal(signal.SIGTERM)
            self.assertEqual(first.end(), 0, first.lines("err"))
            browser.wait_for(lambda shown: shown["state"] == "connecting again", "the loss")
            self.assertEqual(browser.look()["rows"], [["before", "1", "1"]])
            # The last --http-port counts.
            with LivePage("--http-port", str(first.address[1])) as second, \
                    Publisher(second.broker) as again:
                again.publish(("after", b"2"))
                browser.wait_rows([["after", "2", "1"]])
                self.assertEqual(browser.look()["state"], "connected")


class Viewers(unittest.TestCase):
    def test_one_that_does_not_read_is_sent_less_and_then_the_last_state(self) -> None:
        with LivePage("--rows", str(ROWS)) as live, Publisher(live.broker) as publisher:
            slow, quick = Events(live, receive_bytes=4096), Events(live)
            for number in range(ROUNDS):
                # Every row changes: half a megabyte for each viewer.
                text = f"{number:06} " + "x" * 190
                publisher.publish(*((f"s.{row}", text.encode()) for row in range(ROWS)))
                quick.read_until(lambda: quick.shows(ROWS, text))
            slow.read_until(lambda: slow.shows(ROWS, text))
            self.assertEqual({row["count"] for row in slow.rows.values()}, {ROUNDS})
            # The system holds some of it on the way; what is more was never made.
            self.assertLess(slow.bytes, quick.bytes / 2)
            for viewer in (slow, quick):
                viewer.close()

    def test_too_many_are_refused_and_one_that_leaves_makes_room(self) -> None:
        with LivePage("--viewers", "2") as live:
            first, second = Events(live), Events(live)
            self.assertEqual((first.status, second.status), (200, 200))
            third = Events(live)
            self.assertEqual(third.status, 503)
            third.close()
            first.close()
            wait_until(lambda: self.status_of_a_viewer(live) == 200, "room for a viewer")
            second.close()

    @staticmethod
    def status_of_a_viewer(live: LivePage) -> int:
        viewer = Events(live)
        viewer.close()
        return viewer.status


class Ends(unittest.TestCase):
    def test_signals_end_it_in_order_with_viewers_and_clients(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number), LivePage() as live, \
                    Publisher(live.broker) as publisher:
                viewer = Events(live)
                publisher.publish(*(("last", b"%d" % one) for one in range(1, 2001)))
                live.signal(number)
                # What the broker had taken before is seen, then the stream ends.
                viewer.read_until(lambda: viewer.rows.get("last", {}).get("text") == "2000")
                self.assertEqual(viewer.rows["last"]["count"], 2000)
                with self.assertRaisesRegex(ProgramError, "the stream ended"):
                    viewer.read_until(lambda: False)
                self.assertEqual(live.end(), 0, live.lines("err"))
                self.assertEqual(live.lines("err"), [])
                viewer.close()

    def test_a_taken_port_is_told(self) -> None:
        with LivePage() as live:
            port = urllib.parse.urlsplit(live.broker).port
            for words in (["--nats-port", str(port), "--http-port", "0"],
                          ["--nats-port", "0", "--http-port", str(live.address[1])]):
                answer = self.run_example(*words)
                self.assertEqual(answer.returncode, 1, answer.stderr)
                self.assertRegex(answer.stderr, r"^live_page: .*in use")
                self.assertEqual(answer.stderr.count("\n"), 1, answer.stderr)

    def test_wrong_words_are_named(self) -> None:
        for words, text in ((["--rows", "0"], "--rows must be a number from 1 to 10000, not 0"),
                            (["--http-port", "80a"], "--http-port must be a number"),
                            (["--colour", "red"], "--colour"),
                            (["--subject"], "--subject")):
            answer = self.run_example(*words)
            self.assertEqual(answer.returncode, 2, answer.stderr)
            self.assertIn(text, answer.stderr.splitlines()[0])
        answer = self.run_example("--subject", "a..b", "--nats-port", "0", "--http-port", "0")
        self.assertEqual(answer.returncode, 1, answer.stderr)
        self.assertRegex(answer.stderr, "^live_page: \"a..b\" cannot be subscribed to")

    @staticmethod
    def run_example(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run([node(), str(EXAMPLE), *words], capture_output=True, text=True,
                              timeout=60)

    def test_what_is_served_besides(self) -> None:
        with LivePage(LIVE_PAGE_TOKEN="let-me-in") as live:
            status, headers, page = live.get("/")
            self.assertEqual(status, 200)
            self.assertIn(b"<title>Live subjects</title>", page)
            self.assertIn("default-src 'none'; script-src 'self'",
                          headers["Content-Security-Policy"])
            self.assertEqual(live.get("/?a=1")[2], page)
            self.assertEqual(live.get("/", "HEAD")[2], b"")
            self.assertEqual(live.get("/events", "HEAD")[0], 200)
            self.assertEqual(live.get("/page.js")[1]["Content-Type"],
                             "text/javascript; charset=utf-8")
            self.assertEqual(live.get("/../main.mjs")[0], 404)
            self.assertEqual(live.get("/", "POST")[0], 405)
            with self.assertRaisesRegex(ProgramError, "AuthorizationError"):
                Publisher(live.broker).stop()
            Publisher(live.broker, "let-me-in").stop()


if __name__ == "__main__":
    unittest.main()
