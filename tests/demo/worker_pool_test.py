# SPDX-License-Identifier: Apache-2.0
"""Goal: the worker pool digests every file once and right, whatever becomes of its workers.

Method: examples/worker_pool runs on files whose digests are worked out here; workers are killed and
stopped while it runs, all of them too; it is ended by signals; coreutils' sha256sum reads what it
wrote.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from program import EXAMPLES, Program, wait_until  # noqa: E402

EXAMPLE = EXAMPLES / "worker_pool" / "main.py"
WORKERS = 3
FILES = 60
FILE_BYTES = 12 << 20  # Mostly a hole on the disk, and some time to digest.


def make_files(folder: Path, count: int, file_bytes: int) -> dict[str, str]:
    """Files, each other than the next. Returns path -> digest."""
    expected = {}
    zeros = bytes(1 << 20)
    for number in range(count):
        path = folder / f"{number % 7}" / f"file {number:03}.dat"
        path.parent.mkdir(exist_ok=True)
        head = f"{number}\n".encode()
        with path.open("wb") as file:
            file.write(head)
            file.truncate(len(head) + file_bytes)
        digest = hashlib.sha256(head)
        for _ in range(file_bytes >> 20):
            digest.update(zeros)
        expected[str(path)] = digest.hexdigest()
    return expected


def start(folder: Path, *words: str) -> Program:
    return Program([os.environ["EXAMPLES_PYTHON"], str(EXAMPLE), str(folder),
                    "--workers", str(WORKERS), *words])


def ready_workers(program: Program, count: int) -> list[int]:
    """The process ids of the first so many that were ready."""
    def found() -> list[int]:
        return [int(match[1]) for line in program.lines("err")
                if (match := re.fullmatch(r"worker (\d+) is ready", line))]

    wait_until(lambda: len(found()) >= count, f"{count} ready workers")
    return found()


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def catches(pid: int, number: signal.Signals) -> bool:
    """Has the process a handler for it?"""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return bool(int(status.split("SigCgt:")[1].split()[0], 16) >> (number - 1) & 1)


class WorkerPool(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name) / "files"
        cls.folder.mkdir()
        cls.expected = make_files(cls.folder, FILES, FILE_BYTES)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.temporary.cleanup()

    def assert_all(self, program: Program) -> str:
        """Each file once, with its digest. Returns the summary."""
        self.assertEqual(program.end(), 0, program.lines("err"))
        pairs = [line.split("  ", 1) for line in program.lines("out")]
        self.assertEqual(len(pairs), FILES)
        self.assertEqual({path: digest for digest, path in pairs}, self.expected)
        summary = program.lines("err")[-1]
        self.assertRegex(summary, rf"^{FILES} files in .*, 0 failed$")
        return summary

    def test_sha256sum_agrees(self) -> None:
        for method in ("fork", "forkserver", "spawn"):
            with self.subTest(method=method), start(self.folder, "--start", method) as program:
                pids = set(ready_workers(program, WORKERS))
                self.assertIn(" 0 replaced, 0 asked again", self.assert_all(program))
                listed = re.search(r"workers \((.*?)\)", program.lines("err")[-1])[1]
                by_worker = dict(map(int, one.split(": ")) for one in listed.split(", "))
                self.assertLessEqual(set(by_worker), pids)
                self.assertEqual(sum(by_worker.values()), FILES)
                checked = subprocess.run(
                    ["sha256sum", "--check", "--strict", "--quiet"], text=True,
                    input="\n".join(program.lines("out")) + "\n", capture_output=True, timeout=60)
                self.assertEqual(checked.returncode, 0, checked.stderr)
                self.assertFalse([pid for pid in pids if is_alive(pid)])

    def test_killed_workers_are_replaced_and_no_file_is_lost(self) -> None:
        for method in ("fork", "forkserver"):
            with self.subTest(method=method), \
                    start(self.folder, "--start", method, "--answer-seconds", "3") as program:
                first = ready_workers(program, WORKERS)
                program.wait_lines("out", 5)
                os.kill(first[0], signal.SIGKILL)
                ready_workers(program, WORKERS + 1)
                program.wait_lines("out", 15)
                os.kill(first[1], signal.SIGKILL)
                self.assertIn(" 2 replaced", self.assert_all(program))
                ended = [line for line in program.lines("err") if "ended by signal 9" in line]
                self.assertEqual(len(ended), 2)

    def test_workers_that_are_asked_to_end_finish_their_jobs(self) -> None:
        with start(self.folder, "--answer-seconds", "3") as program:
            first = ready_workers(program, WORKERS)
            for number, pid in enumerate(first):
                program.wait_lines("out", 5 + 10 * number)
                os.kill(pid, signal.SIGTERM)
            self.assertIn(f" {WORKERS} replaced, 0 asked again", self.assert_all(program))
            ended = [line for line in program.lines("err") if "ended with status 0" in line]
            self.assertEqual(len(ended), WORKERS)

    def test_all_workers_killed_at_once(self) -> None:
        with start(self.folder, "--start", "fork", "--answer-seconds", "3") as program:
            first = ready_workers(program, WORKERS)
            program.wait_lines("out", 5)
            for pid in first:
                os.kill(pid, signal.SIGKILL)
            summary = self.assert_all(program)
            self.assertIn(f" {WORKERS} replaced", summary)
            # The jobs that died with them.
            self.assertGreater(int(re.search(r"(\d+) asked again", summary)[1]), 0)

    def test_jobs_of_a_worker_that_hangs_go_to_others(self) -> None:
        with start(self.folder, "--answer-seconds", "3", "--stop-seconds", "2") as program:
            stuck = ready_workers(program, WORKERS)[0]
            os.kill(stuck, signal.SIGSTOP)
            summary = self.assert_all(program)
            self.assertGreater(int(re.search(r"(\d+) asked again", summary)[1]), 0)
            self.assertIn(f"worker {stuck} did not end in 2 s and is killed", program.lines("err"))
            self.assertFalse(is_alive(stuck))

    def test_a_signal_ends_it_in_order(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number), start(self.folder) as program:
                pids = ready_workers(program, WORKERS)
                program.wait_lines("out", 5)
                program.signal(number)
                self.assertEqual(program.end(), 128 + number)
                pairs = [line.split("  ", 1) for line in program.lines("out")]
                self.assertLess(len(pairs), FILES)
                for digest, path in pairs:
                    self.assertEqual(digest, self.expected[path])
                self.assertEqual(len({path for _, path in pairs}), len(pairs))
                told = program.lines("err")
                self.assertEqual(told[-1], f"ended by {number.name} before all was done")
                # What was under way was answered, and nobody was killed for not ending.
                self.assertRegex(told[-2], rf"^{len(pairs)} files in .* 0 asked again, 0 failed$")
                self.assertFalse([line for line in told if "killed" in line])
                self.assertFalse([pid for pid in pids if is_alive(pid)])

    def test_a_second_signal_ends_it_at_once(self) -> None:
        with start(self.folder) as program:
            pids = ready_workers(program, WORKERS)
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            program.signal(signal.SIGTERM)
            wait_until(lambda: not catches(program.pid, signal.SIGTERM), "the first to be taken")
            program.signal(signal.SIGTERM)
            # Not end(): the workers still hold its output.
            self.assertEqual(program.process.wait(60), -signal.SIGTERM)
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            wait_until(lambda: not any(map(is_alive, pids)), "the workers to end")

    def test_workers_end_when_their_parent_is_killed(self) -> None:
        for method in ("fork", "forkserver"):
            with self.subTest(method=method), start(self.folder, "--start", method) as program:
                pids = ready_workers(program, WORKERS)
                program.wait_lines("out", 1)
                program.process.kill()
                wait_until(lambda: not any(map(is_alive, pids)), "the workers to end")


class Failures(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def test_strange_names_and_what_is_no_file(self) -> None:
        names = (b"plain", b"with\nend of line", b"back\\slash", b"caf\xe9 in latin-1")
        for name in names:
            Path(os.fsdecode(os.path.join(os.fsencode(self.folder), name))).write_bytes(name)
        os.mkfifo(self.folder / "fifo")
        (self.folder / "link").symlink_to(self.folder / "plain")
        with start(self.folder) as program:
            self.assertEqual(program.end(), 0, program.lines("err"))
            self.assertEqual(len(program.lines("out")), len(names))
        command = [os.environ["EXAMPLES_PYTHON"], str(EXAMPLE), str(self.folder), "--workers", "1"]
        listed = subprocess.run(command, capture_output=True, timeout=60).stdout
        checked = subprocess.run(["sha256sum", "--check", "--strict"], input=listed,
                                 capture_output=True, timeout=60)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertEqual(checked.stdout.count(b": OK\n"), len(names))

    def test_what_cannot_be_read_is_told_and_the_others_go_on(self) -> None:
        # Paths that are too long: a file's for the worker, a folder's for the parent. No mode of a
        # file stops root.
        (self.folder / "good").write_bytes(b"good")
        here, name = os.open(self.folder, os.O_RDONLY), "n" * 250
        depth = 4000 // len(name)
        for _ in range(depth):
            os.mkdir(name, dir_fd=here)
            here, above = os.open(name, os.O_RDONLY, dir_fd=here), here
            os.close(above)
        os.close(os.open("f" * 250, os.O_CREAT | os.O_WRONLY, dir_fd=here))
        os.mkdir("d" * 250, dir_fd=here)
        os.close(here)
        deep = "/".join([str(self.folder), *[name] * depth])
        with start(self.folder) as program:
            self.assertEqual(program.end(), 1)
            self.assertIn(f"{deep}/{'f' * 250}: File name too long", program.lines("err"))
            self.assertIn(f"{deep}/{'d' * 250}: File name too long", program.lines("err"))
            self.assertEqual([line.split("  ")[1] for line in program.lines("out")],
                             [str(self.folder / "good")])

    def test_workers_that_cannot_start_end_it(self) -> None:
        (self.folder / "file").write_bytes(b"x")
        with Program([os.environ["EXAMPLES_PYTHON"], "-c", BROKEN_WORKER, str(EXAMPLE.parent),
                      str(self.folder)]) as program:
            self.assertEqual(program.end(), 1)
            self.assertIn("worker_pool: 5 workers in a row ended before they were ready, "
                          "the last with status 1", program.lines("err"))

    def test_wrong_words_are_named(self) -> None:
        for words, text in ((["/nowhere"], "/nowhere is not a folder"),
                            ([str(self.folder), "--workers", "0"], "0 is not between 1 and 1024"),
                            ([str(self.folder), "--answer-seconds", "nan"], "nan is not a number")):
            command = [os.environ["EXAMPLES_PYTHON"], str(EXAMPLE), *words]
            answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
            self.assertEqual(answer.returncode, 2, answer.stderr)
            self.assertIn(text, answer.stderr)


#: The pool with workers that fail as they begin.
BROKEN_WORKER = """
import sys
sys.path.insert(0, sys.argv[1])
import main, worker
def fail(url, token):
    sys.exit("planted")
worker.main = fail
sys.exit(main.main([sys.argv[2], "--start", "fork"]))
"""


if __name__ == "__main__":
    unittest.main()
