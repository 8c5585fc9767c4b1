# SPDX-License-Identifier: Apache-2.0
"""Goal: a program built against the headers of any release since 1.0 runs with today's library.

Method: each folder of fossils/ has the headers and options of a release and a program that uses all
of them. Today's are compared with those, and the program is built against those and runs with
today's library. That the comparison finds a break is shown on copies of today's headers, one break
in each.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "apigen"))
import fossil  # noqa: E402
import header  # noqa: E402
import layout  # noqa: E402
import records  # noqa: E402

TODAY = header.read()
LIBRARY_FOLDER = Path(os.environ.get("MARTLET_BUILD", ROOT / "build" / "release")) / "lib"
SECONDS_MAX = 120
KEPT = fossil.kept()


def test_every_released_minor_version_is_kept():
    major, minor = TODAY.number("ABI_MAJOR"), TODAY.number("ABI_MINOR")
    names = {path.name for path in KEPT}
    assert names >= {f"{major}.{each}" for each in range(minor) if major >= 1}
    assert names or major < 1, "the first stable version has left nothing"
    assert all(name.startswith(f"{major}.") for name in names), "a major version starts anew"


def test_what_is_added_has_a_version_of_its_own():
    """The fossil of today's version holds all that today's headers and options have."""
    version = f"{TODAY.number('ABI_MAJOR')}.{TODAY.number('ABI_MINOR')}"
    for path in KEPT:
        if path.name == version:
            assert fossil.breaks(TODAY, header.read(path / "include")) == []
            kept = records.read(path / "records")
            assert fossil.option_breaks(records.read(), kept) == []


def test_nothing_breaks_the_fossils():
    found = {path.name: fossil.all_breaks(path, TODAY) for path in KEPT}
    assert found == {name: [] for name in found}


def test_the_layouts_of_the_fossils_are_those_of_their_headers():
    for path in KEPT:
        golden = json.loads((path / fossil.LAYOUTS).read_text(encoding="utf-8"))
        assert layout.golden(header.read(path / "include")) == golden


def build_and_run(folder: Path, program: Path) -> str:
    sources = ["-I", folder / "include", "-I", folder, folder / "abi_client.c"]
    link = ["-L", LIBRARY_FOLDER, "-lmartlet", f"-Wl,-rpath,{LIBRARY_FOLDER}", "-lpthread"]
    command = ["gcc", "-std=gnu11", *sources, "-o", program, *link]
    subprocess.run([str(word) for word in command], check=True, timeout=SECONDS_MAX)
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=SECONDS_MAX)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_programs_of_the_fossils_run_with_todays_library(tmp_path: Path):
    for path in KEPT:
        assert re.search(r"\d+ passed, 0 failed", build_and_run(path, tmp_path / path.name))


# --- that all this can fail ---


def copy_of_today(folder: Path) -> Path:
    shutil.copytree(header.INCLUDE, folder / "include")
    return folder / "include"


def changed(folder: Path, name: str, pattern: str, replacement: str) -> header.Api:
    include = copy_of_today(folder)
    path = include / "martlet" / name
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"), count=1)
    assert count == 1, f"{pattern} is not in {name}"
    path.write_text(text, encoding="utf-8")
    return header.read(include)


@pytest.mark.parametrize(
    ("name", "pattern", "replacement", "wanted"),
    [
        ("version.h", r"MARTLET_API int32_t martlet_abi_version\(void\);", "",
         "martlet_abi_version is gone"),
        ("version.h", r"int32_t martlet_abi_version\(void\)", "int64_t martlet_abi_version(void)",
         "martlet_abi_version was int32_t"),
        ("queue.h", r"martlet_queue_poll\(martlet_queue \*self, int32_t messages_max,",
         "martlet_queue_poll(martlet_queue *self, int64_t messages_max,",
         "martlet_queue_poll was "),
        ("status.h", r"(#define MARTLET_ERR_TIMEOUT +)\(-\d+\)", r"\1(-999)",
         "MARTLET_ERR_TIMEOUT was "),
        ("batch.h", r"(int32_t kind;)", r"int32_t added; \1",
         "martlet_descriptor.kind stood at 0 in 4 bytes, and stands at 4"),
        ("batch.h", r"int32_t data_bytes;", "int32_t data_size;",
         "martlet_descriptor.data_bytes stood at 60 in 4 bytes, and is gone"),
    ],
    ids=["function", "result", "parameter", "status", "moved_field", "renamed_field"],
)
def test_a_break_is_found(name: str, pattern: str, replacement: str, wanted: str, tmp_path: Path):
    found = fossil.breaks(TODAY, changed(tmp_path, name, pattern, replacement))
    assert any(sentence.startswith(wanted) for sentence in found), found


@pytest.mark.parametrize(
    ("name", "pattern", "replacement"),
    [
        ("version.h", r"(MARTLET_API int32_t martlet_abi_version\(void\);)",
         r"\1\nMARTLET_API int32_t martlet_abi_added(void);"),
        ("status.h", r"(#define MARTLET_ERR_TIMEOUT )", r"#define MARTLET_ERR_ADDED (-998)\n\1"),
        ("version.h", r"(#define MARTLET_ABI_MINOR) \d+", r"\1 99"),
    ],
    ids=["function", "status", "minor_version"],
)
def test_what_is_added_breaks_nothing(name: str, pattern: str, replacement: str, tmp_path: Path):
    assert fossil.breaks(TODAY, changed(tmp_path, name, pattern, replacement)) == []


@pytest.mark.parametrize(
    ("pattern", "replacement", "wanted"),
    [
        (r'name = "echo"', 'name = "echoes"', "connection_options.echo is gone"),
        (r'(name = "echo"\ntype = )"bool"', r'\1"int"',
         "connection_options.echo was bool, and is int"),
        (r'"lent"', '"borrowed"', "connection_options.run takes lent no more"),
        (r"min = 4096", "min = 4097",
         "connection_options.pending_bytes_max began at 4096, and begins at 4097"),
        (r"max = 1000\b", "max = 999",
         "connection_options.pings_out_max went to 1000, and goes to 999"),
    ],
    ids=["key", "type", "word", "smallest", "largest"],
)
def test_a_broken_option_is_found(pattern: str, replacement: str, wanted: str, tmp_path: Path):
    folder = tmp_path / "records"
    shutil.copytree(records.FOLDER, folder)
    path = folder / "connection_options.toml"
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
    assert count >= 1, pattern
    path.write_text(text, encoding="utf-8")
    assert fossil.option_breaks(records.read(), records.read(folder)) == [wanted]
    assert fossil.option_breaks(records.read(folder), records.read(folder)) == []


def test_todays_program_is_fit_to_be_kept(tmp_path: Path):
    copy_of_today(tmp_path)
    for name in fossil.CLIENT:
        shutil.copy(ROOT / "tests" / "abi" / name, tmp_path)
    assert re.search(r"\d+ passed, 0 failed", build_and_run(tmp_path, tmp_path / "client"))


def test_before_1_0_nothing_is_kept_and_nothing_twice(tmp_path: Path, monkeypatch):
    first = {"ABI_MAJOR": 1, "ABI_MINOR": 0}
    if TODAY.number("ABI_MAJOR") < 1:
        with pytest.raises(header.HeaderError, match="fossils begin at 1.0"):
            fossil.keep(tmp_path)
    monkeypatch.setattr(header.Api, "number", lambda self, name: first[name])
    kept = fossil.keep(tmp_path)
    assert kept.name == "1.0" and (kept / "include" / "martlet" / "martlet.h").exists()
    assert (kept / "records" / "connection_options.toml").exists()
    with pytest.raises(header.HeaderError, match="1.0 is kept already"):
        fossil.keep(tmp_path)
