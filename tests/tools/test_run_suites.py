# SPDX-License-Identifier: Apache-2.0
"""Goal: a suite that fails, hangs, crashes or tests nothing can never pass for a good one.

Method: small suite files in a temporary folder, run by the real runner in a process of its own.
"""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "dev" / "run_suites.py"
SPEC = importlib.util.spec_from_file_location("run_suites", SCRIPT)
run_suites = importlib.util.module_from_spec(SPEC)
sys.modules["run_suites"] = run_suites
SPEC.loader.exec_module(run_suites)


def suite(
    name="one",
    command="echo 1 passed, 0 failed",
    budget=20,
    closing="plain",
    label="unit",
    extra="",
):
    return (
        f'[[suite]]\nname = "{name}"\nlabel = "{label}"\n'
        f"command = '''{command}'''\nneeds = []\n"
        f'budget_seconds = {budget}\nclosing = "{closing}"\n{extra}\n'
    )


def run(root, *tables, arguments=(), total=60, full_total=60):
    (root / "tests").mkdir(exist_ok=True)
    bounds = f"[run]\ntotal_seconds = {total}\nfull_total_seconds = {full_total}\n"
    text = bounds + "".join(tables)
    (root / "tests" / "suites.toml").write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--root", str(root), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


def last_line(result):
    return result.stdout.strip().splitlines()[-1]


def test_passing_suites_add_up(tmp_path):
    result = run(tmp_path, suite("one"), suite("two", "echo '2 passed, 0 failed, 1 skipped'"))
    assert result.returncode == 0, result.stdout
    assert last_line(result) == "3 passed, 0 failed, 1 skipped"
    assert (
        tmp_path / "build" / "test-logs" / "two.log"
    ).read_text() == "2 passed, 0 failed, 1 skipped\n"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("true", "ran no test"),
        ("echo 0 passed, 0 failed", "ran no test"),
        ("echo 5 passed, 0 failed; exit 3", "ended with status 3"),
        ("echo 5 passed, 2 failed", "2 failed"),
        ("echo 5 passed, 0 failed; kill -SEGV $$", "ended with status -11"),
    ],
)
def test_a_bad_suite_fails(tmp_path, command, problem):
    result = run(tmp_path, suite("bad", command), suite("good"))
    assert result.returncode == 1
    assert f"FAILED ({problem})" in result.stdout
    assert "good: ok" in " ".join(result.stdout.split("] ")), (
        "a failed suite must not stop the next"
    )
    assert " 0 failed" not in last_line(result)


def test_the_tail_of_a_failed_suite_is_shown_and_cannot_pass_for_the_closing_line(tmp_path):
    result = run(tmp_path, suite("bad", "echo the reason; echo 9 passed, 0 failed; exit 1"))
    assert "  | the reason" in result.stdout
    assert "\n9 passed, 0 failed\n" not in result.stdout


def test_a_hanging_suite_is_killed_with_its_children(tmp_path):
    command = "echo 1 passed, 0 failed; sleep 300 & echo $! > child; wait"
    start = time.monotonic()
    result = run(tmp_path, suite("hangs", command, budget=1))
    assert time.monotonic() - start < 30
    assert result.returncode == 1
    assert "killed: longer than its budget of 1 s" in result.stdout
    assert not _alive(int((tmp_path / "child").read_text()))


def test_a_process_left_behind_is_ended(tmp_path):
    command = "sleep 300 >/dev/null 2>&1 & echo $! > child; echo 1 passed, 0 failed"
    assert run(tmp_path, suite("leaves", command)).returncode == 0
    assert not _alive(int((tmp_path / "child").read_text()))


def test_a_process_left_behind_in_a_session_of_its_own_is_ended(tmp_path):
    command = "setsid sleep 300 >/dev/null 2>&1 & echo $! > child; echo 1 passed, 0 failed"
    assert run(tmp_path, suite("leaves", command)).returncode == 0
    assert not _alive(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_suite_at_hand_ends_with_the_runner(tmp_path, number):
    (tmp_path / "tests").mkdir()
    command = "setsid sleep 300 & echo $! > other; sleep 300 & echo $! > child; wait"
    text = f"[run]\ntotal_seconds = 300\n{suite('long', command, budget=200)}"
    (tmp_path / "tests" / "suites.toml").write_text(text, encoding="utf-8")
    runner = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--root", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # As a shell's `&` does.
    )
    children = [tmp_path / "child", tmp_path / "other"]
    try:
        end = time.monotonic() + 60
        while not all(child.exists() and child.read_text().strip() for child in children):
            assert time.monotonic() < end
            time.sleep(0.02)
        runner.send_signal(number)
        assert runner.wait(timeout=60) == 128 + number
    finally:
        runner.kill()
    assert [_alive(int(child.read_text())) for child in children] == [False, False]


def test_every_command_holds_in_a_clone_whose_path_has_a_space(tmp_path):
    """Their words are written down by stand-ins; none is a piece of a path."""
    clone = tmp_path / "the clone"
    suites, _ = run_suites.load(SCRIPT.parents[2] / "tests" / "suites.toml")
    runner = run_suites.Runner(clone, 2, None)
    stand_in = "#!/bin/bash\nprintf '%s\\n' \"$@\"\n"
    programs = ["bin/python3", "bin/mvn", "bin/node", "program"] + [
        f"build/{preset}/bin/client_interop" for preset in ("release", "asan", "tsan")
    ]
    programs += [f"nodes/node-{version}/bin/node" for version in (18, 20, 22, 24)]
    programs += [f"javas/{version}/bin/java" for version in (21, 25)]
    for name in programs:
        path = clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(stand_in)
        path.chmod(0o755)
    for folder in ("tests/python", "tests/lifecycle"):
        (clone / folder).mkdir(parents=True)
    names = ("MARTLET_PROGRAM", "MARTLET_PYTHON", "EXAMPLES_PYTHON", "NATS_SERVER",
             "MARTLET_JAVA_BUILD", "OTHER_PYTHONS")  # fmt: skip
    environment = {name: str(clone / "program") for name in names}
    environment["CSHARP_DOTNET"] = environment["CSHARP_MONO"] = "node tests"  # Words of a command.
    environment["NODE_VERSIONS"] = str(clone / "nodes")
    environment["JAVA_VERSIONS"] = f"{clone / 'javas' / '21'}:{clone / 'javas' / '25'}"
    environment["SANITIZED_PYTHON"] = environment["SANITIZED_NODE"] = str(clone)
    environment["SANITIZER_RUNTIME"] = ""  # One that is not there would be told by the loader.
    environment["PATH"] = f"{clone / 'bin'}:{os.environ['PATH']}"
    texts = [one for one in suites if isinstance(one.command, str)]
    assert len(texts) > 5
    for one in texts:
        done = subprocess.run(
            runner._command(one), cwd=clone, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{one.name}: {done.stderr}"
        pieces = [
            word
            for word in done.stdout.splitlines()
            if word.startswith("clone") or word.endswith("/the")
        ]
        assert done.stdout and pieces == [], one.name


def test_the_whole_run_has_a_bound(tmp_path):
    started = ["--started", str(time.time() - 100)]
    result = run(tmp_path, suite("late"), arguments=started, total=50)
    assert result.returncode == 1
    assert "the run's time is used up" in result.stdout


def test_labels_and_names_select(tmp_path):
    tables = [suite("one"), suite("two", label="fuzz", extra='environment = { ROOT = "{root}" }')]
    assert last_line(run(tmp_path, *tables, arguments=["fuzz"])) == "1 passed, 0 failed"
    assert last_line(run(tmp_path, *tables, arguments=["one", "fuzz"])) == "2 passed, 0 failed"
    assert run(tmp_path, *tables, arguments=["fuz"]).returncode == 2


def test_a_full_run_has_a_bound_of_its_own(tmp_path):
    started = ["--started", str(time.time() - 100)]
    late = run(tmp_path, suite("one"), arguments=started, full_total=200)
    assert late.returncode == 1 and last_line(late) == "0 passed, 1 failed"
    in_time = run(tmp_path, suite("one"), arguments=["--full", *started], full_total=200)
    assert in_time.returncode == 0, in_time.stdout


def test_a_full_suite_runs_only_when_asked_for(tmp_path):
    tables = [suite("one"), suite("two", label="wide", extra="full = true")]
    assert last_line(run(tmp_path, *tables)) == "1 passed, 0 failed"
    for words in (["--full"], ["one", "wide"], ["one", "two"]):
        assert last_line(run(tmp_path, *tables, arguments=words)) == "2 passed, 0 failed"


def test_the_list_names_every_suite_and_marks_the_full_ones(tmp_path):
    tables = [suite("one"), suite("two", label="wide", budget=30, extra="full = true")]
    for words in (["--list"], ["--list", "--full"]):
        lines = run(tmp_path, *tables, arguments=words).stdout.splitlines()
        assert [line.split() for line in lines] == [
            "one unit at most 20 s".split(),
            "two wide at most 30 s, with --full".split(),
        ]
    assert run(tmp_path, *tables, arguments=["--list", "unit"]).stdout.startswith("one ")


def test_needs_are_printed_once_in_order(tmp_path):
    tables = [suite("one").replace("needs = []", 'needs = ["release", "go"]')]
    tables.append(suite("two").replace("needs = []", 'needs = ["go", "node"]'))
    assert run(tmp_path, *tables, arguments=["--needs"]).stdout.split() == ["release", "go", "node"]


@pytest.mark.parametrize(
    "table",
    [
        suite(closing="guess"),
        suite(budget=0),
        suite("Bad Name"),
        suite(extra="retries = 3"),
        suite(extra='full = "yes"'),
        suite() + suite(),
        suite().replace('label = "unit"\n', ""),
        suite().replace("needs = []", 'needs = "release"'),
        suite(command=""),
    ],
)
def test_a_wrong_suite_file_is_refused(tmp_path, table):
    result = run(tmp_path, table)
    assert result.returncode == 2
    assert "tests/suites.toml" in result.stderr


@pytest.mark.parametrize(
    ("closing", "output", "expected"),
    [
        ("pytest", "...\n===== 3 failed, 5 passed, 2 skipped, 1 warning in 0.12s =====", (5, 3, 2)),
        ("pytest", "5 passed in 0.12s", (5, 0, 0)),
        ("pytest", "2 passed, 1 error in 61.2s (0:01:01)", (2, 1, 0)),
        ("pytest", "1 xpassed, 1 xfailed, 1 passed in 1s", (1, 1, 1)),
        ("pytest", "no tests ran in 0.01s", (0, 0, 0)),
        ("pytest", "collected 5 items\n5 passed", (0, 0, 0)),
        ("unittest", "Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=1)", (2, 2, 1)),
        ("unittest", "Ran 5 tests in 0.1s\n\nOK\nRan 2 tests in 1s\n\nOK (skipped=1)", (6, 0, 1)),
        ("ctest", "100% tests passed, 0 tests failed out of 7", (7, 0, 0)),
        ("ctest", "50% tests passed, 1 tests failed out of 2", (1, 1, 0)),
        ("ctest", "100% tests passed, 0 tests failed out of 3\n\t  2 - slow (Skipped)", (2, 0, 1)),
        ("ctest", "No tests were found!!!", (0, 0, 0)),
        ("gtest", "[  PASSED  ] 8 tests.\n1: [  PASSED  ] 1 test.", (9, 0, 0)),
        (
            "gtest",
            "[  PASSED  ] 8 tests.\n[  FAILED  ] 2 tests, listed below:\n[  FAILED  ] A.b",
            (8, 2, 0),
        ),
        (
            "gtest",
            "[  PASSED  ] 8 tests.\n[  SKIPPED ] 1 test, listed below:\n[  SKIPPED ] A.b",
            (8, 0, 1),
        ),
        ("node", "# tests 4\n# pass 3\n# fail 1\n# skipped 0", (3, 1, 0)),
        ("node", "\x1b[34mℹ pass 3\x1b[39m\nℹ fail 0\nℹ cancelled 1", (3, 1, 0)),
        (
            "cargo",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
            (3, 0, 1),
        ),
        (
            "go",
            "--- PASS: TestA (0.00s)\n    --- PASS: TestA/sub (0.00s)\n--- FAIL: TestB (1s)",
            (1, 1, 0),
        ),
        ("maven", "[INFO] Tests run: 5, Failures: 1, Errors: 1, Skipped: 1", (2, 2, 1)),
        (
            "maven",
            "Tests run: 5, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s - in A",
            (0, 0, 0),
        ),
        ("plain", "parser: 3 passed, 1 failed\nxx 3 passed, 0 failed", (3, 1, 0)),
    ],
)
def test_counting(closing, output, expected):
    counts, _ = run_suites.count_tests(closing, output)
    assert (counts.passed, counts.failed, counts.skipped) == expected


def _alive(pid):
    for _ in range(50):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return False
            os.kill(pid, 0)
        except (OSError, IndexError):
            return False
        time.sleep(0.1)
    return True
