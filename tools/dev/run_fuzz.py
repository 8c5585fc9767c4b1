# SPDX-License-Identifier: Apache-2.0
"""Runs the libFuzzer programs of build/fuzz/bin for a while each, over their corpus.

Owns: where inputs come from and go to. tests/fuzz/corpus/NAME is read only; what a run finds of
interest goes to build/fuzz-work/NAME/corpus, the input of a crash to build/fuzz-work/NAME/crash-*.
Promises: a target passes only if it ended well, executed inputs and, when it has a corpus, read it.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import re
import subprocess
import sys
import time
from pathlib import Path

INPUT_BYTES_MAX = 1 << 16
MEMORY_MIB_MAX = 2048
INPUT_SECONDS_MAX = 10


def command(program: Path, work: Path, seeds: Path, seconds: int) -> list[str]:
    """How one target is run: its own corpus first, because libFuzzer writes to the first folder."""
    words = [str(program), str(work / "corpus")]
    if seeds.is_dir():
        words.append(str(seeds))
    dictionary = seeds.parent.parent / f"{seeds.name}.dict"
    if dictionary.is_file():
        words.append(f"-dict={dictionary}")
    return words + [
        f"-max_total_time={seconds}",
        f"-max_len={INPUT_BYTES_MAX}",
        f"-rss_limit_mb={MEMORY_MIB_MAX}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-artifact_prefix={work}/",
        "-print_final_stats=1",
        "-verbosity=1",
    ]


def run_one(root: Path, program: Path, seconds: int) -> tuple[str, str, str]:
    """The target's name, what is wrong with it (empty: nothing), and a line about the run."""
    name = program.name.removeprefix("fuzz_")
    work = root / "build" / "fuzz-work" / name
    (work / "corpus").mkdir(parents=True, exist_ok=True)
    seeds = root / "tests" / "fuzz" / "corpus" / name
    start = time.monotonic()
    try:
        done = subprocess.run(
            command(program, work, seeds, seconds),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds + 120,
        )
        output, status = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as error:
        output, status = (error.stdout or b"").decode(errors="replace"), None
    log = work / "log"
    log.write_text(output, encoding="utf-8")
    executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", output)
    count = int(executed.group(1)) if executed else 0
    line = f"{name}: {count} inputs in {time.monotonic() - start:.0f} s"
    if status is None:
        return name, "did not end", line
    if status != 0:
        lines = [text for text in output.splitlines() if text.strip()]
        return name, f"status {status}, see {log}:\n" + "\n".join(lines[-40:]), line
    if count == 0:
        return name, "executed no input", line
    if not seeds.is_dir() or not any(seeds.iterdir()):
        return name, f"has no corpus in tests/fuzz/corpus/{name}", line
    return name, "", line


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Runs the fuzz targets of build/fuzz/bin.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--target", help="this one only")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    options = parser.parse_args(arguments)
    programs = sorted((options.root / "build" / "fuzz" / "bin").glob("fuzz_*"))
    if options.target:
        programs = [path for path in programs if path.name == f"fuzz_{options.target}"]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        runs = [pool.submit(run_one, options.root, path, options.seconds) for path in programs]
        for run in concurrent.futures.as_completed(runs):
            name, problem, line = run.result()
            print(line if not problem else f"{line}: FAILED: {problem}", flush=True)
            passed, failed = passed + (not problem), failed + bool(problem)
    if not programs:
        print(f"no fuzz target{f' {options.target}' if options.target else 's'} in build/fuzz/bin")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
