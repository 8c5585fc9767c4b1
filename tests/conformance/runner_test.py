# SPDX-License-Identifier: Apache-2.0
#
# Goal: the runner tells wrong from right. Method: short transcripts are played against a scripted
# server in this process, which answers what the test says; each rule of README.md that can make a
# transcript fail is seen failing once, and passing once.

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from differential import normalize, split_units
from differences import Difference, Differences, DifferencesError
from matching import NO, WAIT, BytePattern, json_difference
from player import Failure, Player
from random_session import random_session
from rows import check_rows
from server_process import ServerError, ServerProcess
from transcript import Transcript, TranscriptError, literal_bytes, parse_step, read_transcript
from wire import SPLIT_BYTES_MAX, split_pieces

INFO = b'INFO {"server_id":"X","max_payload":10} \r\n'


class ScriptedServer:
    """Accepts one connection: sends INFO, then each answer after a received line; then closes."""

    def __init__(self, answers: list[bytes], greeting: bytes = INFO, close: bool = True) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answers, self.greeting, self.close = answers, greeting, close
        self.received: list[bytes] = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(self.greeting)
            for answer in self.answers:
                self.received.append(lines.readline())
                connection.sendall(answer)
            if not self.close:
                lines.read()
        self.listener.close()


def transcript_of(*lines: str) -> Transcript:
    transcript = Transcript(name="t", title="t", covers=["x"], budget_s=10.0)
    transcript.steps = [parse_step(number, line) for number, line in enumerate(lines, start=1)]
    return transcript


class PlayerTest(unittest.TestCase):
    def play(
        self, server: ScriptedServer, *lines: str, differences: list[Difference] | None = None
    ) -> None:
        transcript = transcript_of(*lines)
        player = Player(transcript, server.port, None, False, Differences(differences or []))
        try:
            player.play()
        finally:
            player.close()

    def test_right_answers_pass(self) -> None:
        server = ScriptedServer([b"MSG foo 12 2\r\nhi\r\n", b"-ERR 'x'\r\n"])
        lines = ["open a", "a> PUB", r"a< MSG foo \{#} 2\r\nhi", "a> X", "a< -ERR 'x'", "a closed"]
        self.play(server, *lines)
        self.assertEqual(server.received, [b"PUB\r\n", b"X\r\n"])

    def test_wrong_bytes_fail(self) -> None:
        with self.assertRaisesRegex(Failure, "line 3"):
            self.play(ScriptedServer([b"-ERR 'y'\r\n"]), "open a", "a> X", "a< -ERR 'x'")

    def test_missing_bytes_fail(self) -> None:
        with self.assertRaisesRegex(Failure, "the server closed"):
            self.play(ScriptedServer([b"-ERR"]), "open a", "a> X", "a< -ERR 'x'")

    def test_silence_fails_within_its_bound(self) -> None:
        server = ScriptedServer([b""], close=False)
        with self.assertRaisesRegex(Failure, "nothing more came"):
            self.play(server, "open a", "a> X", "within 50ms a< +OK")

    def test_bytes_before_a_close_fail(self) -> None:
        with self.assertRaisesRegex(Failure, "before the close"):
            self.play(ScriptedServer([b"+OK\r\n"]), "open a", "a> X", "a closed")

    def test_no_close_fails(self) -> None:
        with self.assertRaisesRegex(Failure, "did not close"):
            self.play(
                ScriptedServer([b""], close=False), "open a", "a> X", "within 50ms a closed"
            )

    def test_noise_where_silence_is_expected_fails(self) -> None:
        with self.assertRaisesRegex(Failure, "OK"):
            self.play(ScriptedServer([b"+OK\r\n"]), "open a", "a> X", "a silent 200ms")

    def test_close_where_silence_is_expected_fails(self) -> None:
        with self.assertRaisesRegex(Failure, "the server closed"):
            self.play(ScriptedServer([]), "open a", "a silent 1s")

    def test_message_too_many_at_the_end_fails(self) -> None:
        server = ScriptedServer([b"+OK\r\n", b"MSG foo 1 0\r\n\r\nPONG\r\n"], close=False)
        with self.assertRaisesRegex(Failure, "at the end"):
            self.play(server, "open a", "a> X", "a< +OK")

    def test_any_order(self) -> None:
        lines = ["open a", "a> X", "a<? A", "a<? B", "a closed"]
        self.play(ScriptedServer([b"B\r\nA\r\n"]), *lines)
        with self.assertRaisesRegex(Failure, "none of the 1 left"):
            self.play(ScriptedServer([b"A\r\nA\r\n"]), *lines)

    def test_one_of_wants_exactly_one(self) -> None:
        self.play(ScriptedServer([b"M\r\nPONG\r\n"]), "open a", "one of a < M", "a closed")
        with self.assertRaisesRegex(Failure, "nobody"):
            self.play(ScriptedServer([b"PONG\r\n"]), "open a", "one of a < M")

    def test_share_counts(self) -> None:
        answer = b"M 1\r\nM 2\r\nM 1\r\nPONG\r\n"
        line = r"share a 3 least 1 < M \{1|2}"
        self.play(ScriptedServer([answer]), "open a", line, "a closed")
        for wrong in (r"share a 4 least 1 < M \{1|2}", r"share a 3 least 2 < M \{1|2}"):
            with self.assertRaises(Failure):
                self.play(ScriptedServer([answer]), "open a", wrong)

    def test_info_values(self) -> None:
        good = 'a info {"max_payload":10}'
        self.play(ScriptedServer([]), "open a without info", good, "a closed")
        with self.assertRaisesRegex(Failure, "max_payload should be 11"):
            self.play(ScriptedServer([]), "open a without info", 'a info {"max_payload":11}')

    def test_info_form(self) -> None:
        server = ScriptedServer([], greeting=b"INFO {}\r\n")
        with self.assertRaisesRegex(Failure, "not an INFO"):
            self.play(server, "open a")

    def test_server_ping_is_answered(self) -> None:
        server = ScriptedServer([b"PING\r\n+OK\r\n", b""])
        self.play(server, "open a", "a> X", "a< +OK", "a closed")
        self.assertEqual(server.received, [b"X\r\n", b"PONG\r\n"])

    def test_server_ping_behind_the_last_pong_is_no_message(self) -> None:
        self.play(ScriptedServer([b"PONG\r\nPING\r\n", b""]), "open a")

    def test_difference_replaces_and_must_be_needed(self) -> None:
        step = 'a info {"max_payload":11}'
        lines = ["open a without info", step, "a closed"]
        needed = Difference("t", step, {"max_payload": 10}, "why")
        self.play(ScriptedServer([]), *lines, differences=[needed])
        wrong = Difference("t", step, {"max_payload": 12}, "why")
        with self.assertRaisesRegex(Failure, "expected so by differences"):
            self.play(ScriptedServer([]), *lines, differences=[wrong])
        good_step = 'a info {"max_payload":10}'
        idle = Difference("t", good_step, {"max_payload": 12}, "why")
        with self.assertRaisesRegex(Failure, "not needed"):
            self.play(
                ScriptedServer([]), "open a without info", good_step, differences=[idle]
            )


class DifferencesFileTest(unittest.TestCase):
    transcript = transcript_of("open a", "a info {}", "a< -ERR 'x'", "a closed")

    def read(self, step: str, reason: str = "why") -> Differences:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "d.toml"
            path.write_text(
                f'[[difference]]\ntranscript = "t"\nstep = """{step}"""\n'
                f"instead = '{{}}'\nreason = \"{reason}\"\n",
                encoding="utf-8",
            )
            return Differences.read(path, [self.transcript])

    def test_info_may_differ(self) -> None:
        self.assertEqual(len(self.read("a info {}").entries), 1)

    def test_error_and_close_may_not_differ(self) -> None:
        for step in ("a< -ERR 'x'", "a closed"):
            with self.assertRaisesRegex(DifferencesError, "may not differ"):
                self.read(step)

    def test_unknown_step_and_empty_reason(self) -> None:
        with self.assertRaisesRegex(DifferencesError, "no such"):
            self.read("a info {} ")
        with self.assertRaisesRegex(DifferencesError, "needs"):
            self.read("a info {}", reason=" ")

    def test_not_reached_is_told(self) -> None:
        differences = self.read("a info {}")
        self.assertEqual(len(differences.not_reached({"t"})), 1)
        self.assertEqual(differences.not_reached({"another"}), [])
        differences.find("t", "a info {}")
        self.assertEqual(differences.not_reached({"t"}), [])


class FormatTest(unittest.TestCase):
    def test_escapes(self) -> None:
        self.assertEqual(literal_bytes(r"a\r\n\t\0\f\v\\\x7f\xff"), b"a\r\n\t\0\f\v\\\x7f\xff")
        self.assertEqual(literal_bytes(r"\{ab*3}c"), b"abababc")
        self.assertEqual(literal_bytes(r"\{S.%d %d;*9..11}"), b"S.9 9;S.10 10;S.11 11;")
        self.assertEqual(literal_bytes(r"\{<\{x*2}>*2}"), b"<xx><xx>")
        self.assertEqual(literal_bytes("ü{}"), "ü{}".encode())

    def test_slips_are_told(self) -> None:
        for text in (r"a> \q", r"a> \{x", r"a> \{?}", "a info {", "wait 5", "a does what"):
            with self.subTest(text), self.assertRaises(TranscriptError):
                parse_step(1, text)

    def test_header_slips_are_told(self) -> None:
        for text in ("title: x\nwhat: y\n\nopen a\n", "covers: x\n\nopen a\n", "title: x\n"):
            with self.subTest(text), tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "x.nats"
                path.write_text(text, encoding="utf-8")
                with self.assertRaises(TranscriptError):
                    read_transcript(path)

    def test_rows(self) -> None:
        transcript = transcript_of("open a")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.toml"
            path.write_text('[a]\n"x" = "a row"\n', encoding="utf-8")
            check_rows(path, [transcript])
            with self.assertRaisesRegex(TranscriptError, "no transcript covers"):
                check_rows(path, [])
            path.write_text('[a]\n"y" = "a row"\n', encoding="utf-8")
            with self.assertRaisesRegex(TranscriptError, "not in"):
                check_rows(path, [transcript])


class MatchingTest(unittest.TestCase):
    def test_literal(self) -> None:
        pattern = BytePattern("abc", line_end=True)
        self.assertEqual(pattern.match(b"abc\r\nrest"), 5)
        self.assertEqual(pattern.match(b"ab"), WAIT)
        self.assertEqual(pattern.match(b"abd"), NO)

    def test_wildcards_stay_in_their_line(self) -> None:
        pattern = BytePattern(r"MSG \{?} \{1|2}", line_end=True)
        self.assertEqual(pattern.match(b"MSG a.b 2\r\n"), 11)
        self.assertEqual(pattern.match(b"MSG a.b"), WAIT)
        self.assertEqual(pattern.match(b"MSG a.b 3\r\n"), NO)
        self.assertEqual(BytePattern(r"a\{~}b", line_end=True).match(b"a\r\nb\r\n"), NO)

    def test_json(self) -> None:
        actual = {"a": 1, "b": {"c": "x"}, "t": True, "copy": 1}
        good = {"a": "<int>", "b": {"c": "<~[xyz]>", "d": "<absent>"}, "copy": "<=a>", "t": True}
        self.assertIsNone(json_difference(good, actual))
        for wrong in ({"a": True}, {"t": 1}, {"a": "<absent>"}, {"z": "<any>"}, {"t": "<int>"}):
            with self.subTest(wrong):
                self.assertIsNotNone(json_difference(wrong, actual))
        self.assertIsNotNone(json_difference({"copy": "<=b>"}, actual))


class SplitTest(unittest.TestCase):
    def test_pieces_are_the_whole(self) -> None:
        short, long = bytes(range(256)), b"0123456789" * SPLIT_BYTES_MAX
        self.assertEqual([len(piece) for piece in split_pieces(short)], [1] * len(short))
        self.assertEqual(b"".join(split_pieces(long)), long)


FAKE_SERVER = """
import json, os, signal, sys
status = int(sys.argv[-1])
if status == 1:
    sys.exit("cannot start")
signal.signal(signal.SIGTERM, lambda *_: os._exit(status))
folder = sys.argv[sys.argv.index("--ports_file_dir") + 1]
path = os.path.join(folder, f"fake_{os.getpid()}.ports")
with open(path + ".new", "w") as file:
    json.dump({"nats": ["nats://127.0.0.1:4"], "monitoring": []}, file)
os.rename(path + ".new", path)
signal.pause()
"""


class ServerProcessTest(unittest.TestCase):
    def start(self, status: int) -> ServerProcess:
        return ServerProcess([sys.executable, "-c", FAKE_SERVER], "", (str(status),))

    def test_a_good_end_is_no_fault(self) -> None:
        server = self.start(0)
        self.assertEqual(server.port, 4)
        self.assertTrue(server.is_alive())
        self.assertIsNone(server.stop())
        self.assertFalse(server.folder.exists())

    def test_a_report_of_a_sanitizer_at_the_end_is_a_fault(self) -> None:
        self.assertRegex(self.start(99).stop() or "", "status was 99")

    def test_no_start_is_told_with_the_log(self) -> None:
        with self.assertRaisesRegex(ServerError, "cannot start"):
            self.start(1)


class DifferentialTest(unittest.TestCase):
    def test_a_seed_is_a_session(self) -> None:
        self.assertEqual(random_session(7), random_session(7))
        self.assertNotEqual(random_session(7), random_session(8))

    def test_units(self) -> None:
        data = b"+OK\r\nMSG a 1 6\r\n\r\nPONG\r\nHMSG a 1 r 2 3\r\nabc\r\nPONG\r\nhalf"
        units = [b"+OK\r\n", b"MSG a 1 6\r\n\r\nPONG\r\n", b"HMSG a 1 r 2 3\r\nabc\r\n"]
        self.assertEqual(split_units(data), [*units, b"PONG\r\n", b"half"])

    def test_what_is_left_open_is_equal(self) -> None:
        one, two = b"MSG a 1 1\r\nx\r\n", b"MSG a 2 1\r\nx\r\n"
        self.assertEqual(normalize([one, two]), normalize([two, one]))
        nobody = b"HMSG r %s 9 9\r\nNATS/1.0 503\r\n\r\n\r\n"
        self.assertEqual(normalize([nobody % b"1"]), normalize([nobody % b"2"]))

    def test_what_is_not_left_open_differs(self) -> None:
        ok, error = b"+OK\r\n", b"-ERR 'x'\r\n"
        for left, right in (([ok, error], [error, ok]), ([ok], [ok, ok]), ([ok], [])):
            self.assertNotEqual(normalize(left), normalize(right))
        self.assertNotEqual(
            normalize([b"MSG a 1 1\r\nx\r\n"]), normalize([b"MSG a 1 1\r\ny\r\n"])
        )


if __name__ == "__main__":
    unittest.main()
