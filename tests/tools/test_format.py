# SPDX-License-Identifier: Apache-2.0
"""Goal: a file that is not laid out as .clang-format says is found, and only such a file."""

import shutil
from pathlib import Path

import format as layout
import pytest

STYLE = Path(__file__).resolve().parents[2] / ".clang-format"


@pytest.mark.parametrize(("text", "differs"), [("int f();\n", False), ("int  f( ) ;\n", True)])
def test_layout_is_judged_and_mended(plant, text, differs):
    assert shutil.which(layout.PROGRAM), "the suite's need 'format' installs it"
    root = plant({"core/base/x.hpp": text, ".clang-format": STYLE.read_text(encoding="utf-8")})
    paths = layout.files(root)
    assert [str(path) for path in paths] == ["core/base/x.hpp"]
    assert layout.differing(root, paths, write=False) == (paths if differs else [])
    assert (root / paths[0]).read_text() == text, "looking must not write"
    layout.differing(root, paths, write=True)
    assert layout.differing(root, paths, write=False) == []
