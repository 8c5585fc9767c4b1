# SPDX-License-Identifier: Apache-2.0
"""Writes the programs of docs/guide/snippets, and parts of tests, into the pages that show them, or
with --check says which pages differ.

Owns: which languages the guide has, what the files of a step are called, and the form in which a
page shows them. A step is a folder with one program for each language and expected.txt, what all
of them print. A page shows what stands between two lines `guide: begin` and `guide: end` of a file:

    <!-- guide: requests -->            the step in all languages, one under the other
    <!-- guide: requests/requests.py -->    that file alone
    <!-- guide: /tests/some_test.py -->     that file of the repository
    ... written by this program ...
    <!-- guide: end -->

Promises: nothing outside such a pair of lines is changed; no page but the README at the top shows
a program that is no file's. Does not run the programs: tests/guide does, and the suite of a test.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
import textwrap
from pathlib import Path

import source_files

GUIDE = Path("docs/guide")
SNIPPETS = GUIDE / "snippets"
EXPECTED = "expected.txt"
# The programs that it has as its own text are run by tests/snippets and tests/python.
TOP_PAGE = Path("README.md")
BEGIN = re.compile(r"^ *(?://|#) guide: begin$")
END = re.compile(r"^ *(?://|#) guide: end$")
PLACE = re.compile(
    r"^<!-- guide: (?P<what>(?!end )\S+) -->\n(?P<shown>.*?)^<!-- guide: end -->$",
    re.MULTILINE | re.DOTALL,
)


class SnippetError(Exception):
    """A file or page is not as it has to be; the text begins with its path."""


@dataclasses.dataclass(frozen=True)
class Language:
    name: str  # As the tab says it.
    fence: str
    ending: str
    is_named_as_class: bool = False

    def file_of(self, step: str) -> str:
        stem = "".join(map(str.title, step.split("_"))) if self.is_named_as_class else step
        return f"{step}/{stem}{self.ending}"


LANGUAGES = (
    Language("C++", "cpp", ".cpp"),
    Language("Python", "python", ".py"),
    Language("Node", "js", ".mjs"),
    Language("Java", "java", ".java", is_named_as_class=True),
    Language("C#", "csharp", ".cs", is_named_as_class=True),
)


def steps(root: Path) -> list[str]:
    return sorted(path.name for path in (root / SNIPPETS).iterdir() if path.is_dir())


def pages(root: Path) -> list[Path]:
    others = [*(root / GUIDE).glob("*.md"), *root.glob("bindings/*/README.md")]
    return [TOP_PAGE, *sorted(path.relative_to(root) for path in others)]


def path_of(what: str) -> Path:
    """Which file, or folder of a step, the words of a place mean."""
    return Path(what[1:]) if what.startswith("/") else SNIPPETS / what


def shown_part(root: Path, name: str) -> str:
    """What a page shows of a file, without the indentation that all of it has."""
    path = path_of(name)
    if not (root / path).is_file():
        raise SnippetError(f"{path}:1: is missing")
    lines = (root / path).read_text(encoding="utf-8").splitlines()
    begins = [number for number, line in enumerate(lines) if BEGIN.match(line)]
    ends = [number for number, line in enumerate(lines) if END.match(line)]
    if len(begins) != 1 or len(ends) != 1 or ends[0] <= begins[0] + 1:
        raise SnippetError(f"{path}:1: needs one 'guide: begin', some lines, one 'guide: end'")
    return textwrap.dedent("\n".join(lines[begins[0] + 1 : ends[0]])).strip("\n") + "\n"


def expected(root: Path, step: str) -> str:
    """What the programs of a step print, in every language."""
    path = SNIPPETS / step / EXPECTED
    if not (root / path).is_file():
        raise SnippetError(f"{path}:1: is missing")
    return (root / path).read_text(encoding="utf-8")


def fenced(root: Path, language: Language, name: str) -> str:
    return f"```{language.fence}\n{shown_part(root, name)}```\n"


def block(root: Path, page: Path, what: str) -> str:
    """What a page shows at a place; tools/docs_pages.py makes tabs of the folded parts."""
    if "/" in what:
        for language in LANGUAGES:
            if what.endswith(language.ending):
                return fenced(root, language, what)
        raise SnippetError(f"{page}:1: {what} is in no language of the guide")
    parts = []
    for language in LANGUAGES:
        name = language.file_of(what)
        link = (SNIPPETS / name).relative_to(page.parent)
        parts.append(
            f"<details>\n<summary>{language.name}</summary>\n\n"
            f"{fenced(root, language, name)}\n[The whole program]({link})\n\n</details>\n"
        )
    return "\n".join(parts) + f"\nEach prints:\n\n```text\n{expected(root, what)}```\n"


def rewritten(root: Path, page: Path) -> str:
    """The page as it should be."""
    text = (root / page).read_text(encoding="utf-8")

    def place(match: re.Match[str]) -> str:
        what = match["what"]
        return f"<!-- guide: {what} -->\n{block(root, page, what)}<!-- guide: end -->"

    return PLACE.sub(place, text)


def write(root: Path) -> None:
    """Of a page that cannot be written nothing is changed; the check then says why."""
    for page in pages(root):
        try:
            text = rewritten(root, page)
        except SnippetError:
            continue
        (root / page).write_text(text, encoding="utf-8")


# --- what is wrong: each yields 'path:line: what' -----------------------------------------------


def check_page(root: Path, page: Path):
    text = (root / page).read_text(encoding="utf-8")
    for match in PLACE.finditer(text):
        number = text.count("\n", 0, match.start()) + 1
        try:
            if match["shown"] != block(root, page, match["what"]):
                yield (
                    f"{page}:{number}: does not show what {path_of(match['what'])} holds: "
                    "run tools/guide_snippets.py"
                )
        except SnippetError as error:
            yield str(error)
    places = len(re.findall(r"^<!-- guide: (?!end )", text, re.MULTILINE))
    if places != len(PLACE.findall(text)):
        yield f"{page}:1: has a place without its end"
    fences = "|".join(re.escape(language.fence) for language in LANGUAGES)
    if page != TOP_PAGE and re.search(rf"^```(?:{fences})$", PLACE.sub("", text), re.MULTILINE):
        yield f"{page}:1: shows a program that nobody runs: make it a part of a file"


def check_step(root: Path, step: str, shown: list[str]):
    names = {language.file_of(step) for language in LANGUAGES} | {f"{step}/{EXPECTED}"}
    there = {f"{step}/{path.name}" for path in (root / SNIPPETS / step).iterdir()}
    for name in sorted(names - there):
        yield f"{SNIPPETS / name}:1: is missing"
    for name in sorted(there - names):
        yield f"{SNIPPETS / name}:1: belongs to no language of the guide"
    if shown.count(step) != 1:
        yield f"{SNIPPETS / step}:1: is shown {shown.count(step)} times in {GUIDE}, once is right"


def check(root: Path) -> tuple[list[str], int]:
    """What is wrong, and how many files were looked at."""
    found: list[str] = []
    shown: list[str] = []
    for page in pages(root):
        found += check_page(root, page)
        if page.parent == GUIDE:
            text = (root / page).read_text(encoding="utf-8")
            shown += [match["what"] for match in PLACE.finditer(text)]
    for step in steps(root):
        found += check_step(root, step, shown)
    programs = len(steps(root)) * len(LANGUAGES)
    return sorted(set(found)), len(pages(root)) + programs


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Writes the guide's programs into its pages.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--check", action="store_true", help="write nothing; name what differs")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.root)
    violations, checked = check(options.root)
    return source_files.report("guide_snippets", checked, violations)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
