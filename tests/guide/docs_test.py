# SPDX-License-Identifier: Apache-2.0
"""Goal: docs/ renders without a warning, and the guide has five tabs at every step.

Method: MkDocs renders into a temporary folder as ./dev docs does; the tabs are read out of the
pages. A link that leads nowhere is planted in a copy.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import guide_snippets  # noqa: E402

SECONDS_MAX = 300
TABS = re.compile(r'<div class="tabbed-labels">(.*?)</div>', re.DOTALL)
LABEL = re.compile(r"<label[^>]*>(.*?)</label>", re.DOTALL)
LINK = re.compile(r'href="(snippets/[^"]+)"')


def render(project: Path, site: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [os.environ["MARTLET_DOCS_PYTHON"], "-m", "mkdocs", "build", "--strict", "-d", site],
        cwd=project, capture_output=True, text=True, timeout=SECONDS_MAX)  # fmt: skip


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="docs-")
        cls.addClassCleanup(scratch.cleanup)
        cls.site = Path(scratch.name) / "site"
        cls.done = render(ROOT, cls.site)

    def guide(self) -> dict[str, str]:
        paths = (self.site / "guide").glob("*.html")
        pages = {path.name: path.read_text(encoding="utf-8") for path in paths}
        self.assertIn("index.html", pages)
        return pages

    def test_there_is_no_warning(self) -> None:
        self.assertEqual(self.done.returncode, 0, self.done.stderr)

    def test_every_step_has_its_five_tabs(self) -> None:
        wanted = [language.name for language in guide_snippets.LANGUAGES]
        groups = [tabs for page in self.guide().values() for tabs in TABS.findall(page)]
        self.assertEqual(len(groups), len(guide_snippets.steps(ROOT)))
        for tabs in groups:
            labels = [re.sub("<.*?>", "", label) for label in LABEL.findall(tabs)]
            self.assertEqual(labels, wanted)

    def test_nothing_stays_folded(self) -> None:
        for name, page in self.guide().items():
            self.assertNotIn("<summary>", page, name)

    def test_the_whole_programs_are_there(self) -> None:
        links = {link for page in self.guide().values() for link in LINK.findall(page)}
        programs = len(guide_snippets.steps(ROOT)) * len(guide_snippets.LANGUAGES)
        self.assertEqual(len(links), programs)
        for link in links:
            self.assertTrue((self.site / "guide" / link).is_file(), link)


class Planted(unittest.TestCase):
    def render_with(self, line: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory(prefix="docs-") as folder:
            project = Path(folder)
            shutil.copy(ROOT / "mkdocs.yml", project)
            shutil.copytree(ROOT / "docs", project / "docs")
            (project / "tools").mkdir()
            shutil.copy(ROOT / "tools" / "docs_pages.py", project / "tools")
            with (project / "docs" / "guide" / "README.md").open("a", encoding="utf-8") as page:
                page.write(f"\n{line}\n")
            return render(project, project / "site")

    def test_a_link_that_leads_nowhere(self) -> None:
        done = self.render_with("[there](nowhere.md)")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("nowhere.md", done.stderr)

    def test_a_heading_that_is_not_there(self) -> None:
        done = self.render_with("[there](messages.md#nothing)")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("#nothing", done.stderr)


if __name__ == "__main__":
    unittest.main()
