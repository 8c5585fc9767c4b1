# SPDX-License-Identifier: Apache-2.0
"""Goal: the Python that the documents show runs as it stands. Method: every block of Python in the
Markdown files and in the package's own description, each in an interpreter of its own. Those of the
guide are files that tests/guide runs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import martlet

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "python" / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
DOCUMENTS = [path for path in DOCUMENTS if "guide" not in path.relative_to(ROOT).parts]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def snippets():
    for document in DOCUMENTS:
        for number, match in enumerate(BLOCK.finditer(document.read_text()), 1):
            yield pytest.param(match[1], id=f"{document.relative_to(ROOT)}:{number}")


def test_the_documents_show_python():
    assert any(BLOCK.search(document.read_text()) for document in DOCUMENTS)


@pytest.mark.parametrize("snippet", list(snippets()))
def test_a_snippet_runs(snippet, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0 and done.stderr == "" and done.stdout, done.stdout + done.stderr


def test_the_description_of_the_package_runs(tmp_path):
    block = re.search(r"\n\n((?:    .*\n|\n)+)", martlet.__doc__)[1]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(block)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "b'hello'\n", "")
