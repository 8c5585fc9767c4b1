# SPDX-License-Identifier: Apache-2.0
"""Asks a server program what it says to each configuration of config_cases.py.

    --program P              compares P's verdicts with the recorded ones of nats-server 2.15.2
    --program P --reference  the same for nats-server itself: no difference is allowed
    --program P --record     writes config_verdicts.json; P must be nats-server 2.15.2

A verdict is the exit status of `-t`, and the sentence without the program's name: it holds the
place and the reason, or the digest of the configuration. Prints 'N passed, N failed'.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing

import config_cases

Verdict = dict[str, typing.Any]

VERDICTS = pathlib.Path(__file__).with_name("config_verdicts.json")
MAIN_FILE = "main.conf"


def ask(program: list[str], case: config_cases.Case) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="martlet-config-") as folder:
        for name, text in {MAIN_FILE: case.text, **case.files}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("MARTLET_")
        }
        environment.update(case.environment)
        done = subprocess.run(
            [*program, "-c", MAIN_FILE, "-t"],
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
    said = done.stderr.decode("utf-8", "replace")
    # The program's name stands in front. A zero byte is how nats-server shows the end of a text.
    sentence = said.split(": ", 1)[-1].replace("\0", "").strip()
    # Several mistakes of one text come in any order.
    return {"accepted": done.returncode == 0, "said": sorted(sentence.splitlines())}


def without_crashes(verdict: Verdict) -> Verdict:
    """nats-server adds a line about its own nil pointer to some wrong types."""
    said = [line for line in verdict["said"] if "nil pointer dereference" not in line]
    return {"accepted": verdict["accepted"], "said": said}


def compare(case: config_cases.Case, expected: Verdict, got: Verdict, reference: bool) -> str:
    """Empty when all is as it should be, else what is not."""
    same = expected == got
    if reference or not case.difference:
        return "" if same else f"expected {expected}, got {got}"
    if same:
        return f"the difference is not needed: {case.difference}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--program", required=True, help="nats-server, or a program that is called like it"
    )
    parser.add_argument(
        "--subcommand", action="append", default=[], help="words before the flags, such as serve"
    )
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--reference", action="store_true")
    arguments = parser.parse_args()
    program = [os.path.abspath(arguments.program), *arguments.subcommand]
    names = [case.name for case in config_cases.CASES]
    assert len(set(names)) == len(names), "two cases of one name"

    verdicts = {case.name: without_crashes(ask(program, case)) for case in config_cases.CASES}
    if arguments.record:
        VERDICTS.write_text(
            json.dumps(verdicts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        print(f"{len(verdicts)} verdicts recorded")
        return 0

    expected = json.loads(VERDICTS.read_text(encoding="utf-8"))
    failures = [name for name in expected if name not in verdicts]
    for name in failures:
        print(f"FAILED {name}: recorded, but no such case")
    for case in config_cases.CASES:
        if case.name not in expected:
            wrong = "no recorded verdict"
        else:
            wrong = compare(case, expected[case.name], verdicts[case.name], arguments.reference)
        if wrong:
            failures.append(case.name)
            print(f"FAILED {case.name}: {wrong}")
    print(f"{len(verdicts) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
