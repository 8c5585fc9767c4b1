# SPDX-License-Identifier: Apache-2.0
"""Lets the tests import what they test: tools/ holds programs, not a package."""

import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path[:0] = [str(TOOLS), str(TOOLS / "dev")]


@pytest.fixture
def plant(tmp_path):
    """Writes files below a folder of the test's own: plant({"x.cpp": "text"}) -> the folder."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write
