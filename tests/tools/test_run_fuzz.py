# SPDX-License-Identifier: Apache-2.0
"""Goal: a fuzz target that crashes, hangs, reads nothing or is not there never counts as passed.

Method: shell scripts in the place of libFuzzer programs.
"""

import pytest
import run_fuzz

GOOD = "echo stat::number_of_executed_units: 7\n"


def run(plant, body, *arguments, corpus=True):
    root = plant({"build/fuzz/bin/fuzz_parser": f"#!/bin/sh\n{body}"})
    (root / "build/fuzz/bin/fuzz_parser").chmod(0o755)
    if corpus:
        plant({"tests/fuzz/corpus/parser/seed": "PING\r\n"})
    return run_fuzz.main(["--root", str(root), "--seconds", "1", *arguments])


def test_a_good_target_passes(plant, capsys):
    assert run(plant, GOOD) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (GOOD + "echo the reason; exit 77\n", "the reason"),
        (GOOD + "kill -SEGV $$\n", "status -11"),
        ("echo nothing\n", "executed no input"),
    ],
)
def test_a_bad_target_fails(plant, capsys, body, expected):
    assert run(plant, body) == 1
    output = capsys.readouterr().out
    assert expected in output
    assert output.splitlines()[-1] == "0 passed, 1 failed"


def test_a_target_without_corpus_fails(plant, capsys):
    assert run(plant, GOOD, corpus=False) == 1
    assert "has no corpus" in capsys.readouterr().out


def test_no_target_fails(plant, capsys):
    assert run(plant, GOOD, "--target", "elsewhere") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 0 failed"


def test_corpus_and_dictionary_reach_the_program(plant, capsys):
    plant({"tests/fuzz/parser.dict": "kw=1\n"})
    assert run(plant, GOOD + 'echo "$@"\n') == 0
    root = plant({})
    words = (root / "build/fuzz-work/parser/log").read_text().split()
    assert words.index(str(root / "build/fuzz-work/parser/corpus")) < words.index(
        str(root / "tests/fuzz/corpus/parser")
    ), "libFuzzer writes to the first folder, which must not be the repository's"
    assert f"-dict={root}/tests/fuzz/parser.dict" in words
