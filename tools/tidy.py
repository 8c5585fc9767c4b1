# SPDX-License-Identifier: Apache-2.0
"""Keeps the house tidy: sizes, names, first lines, tests beside code, links, forbidden words.

Owns: the rules of docs/conventions.md that a program can judge, and the ratchet over sizes: a
file or function above the limit is listed in tools/tidy_marks.toml with its size, and may shrink,
not grow.
`--lower` writes smaller marks where things have shrunk; nothing raises a mark but a reviewed edit.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

import function_sizes
import source_files

FILE_LINES = 600
FUNCTION_LINES = 70
README_LINES = 40
COLUMNS = 100

CODE = {".cpp", ".hpp", ".h", ".c", ".i", ".py", ".sh", ".cmake", ".js", ".mjs", ".ts"}
CODE |= {".go", ".rs", ".java", ".cs"}
SIZED = {".cpp", ".hpp", ".h", ".c", ".py", ".cs"}
FOLDER_NAMES_FORBIDDEN = {"utils", "util", "common", "helpers", "helper", "misc"}
SNAKE_CASE = re.compile(r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")
JAVA_NAME = re.compile(r"^([A-Z][A-Za-z0-9]*|package-info|module-info)\.java$")
CSHARP_NAME = re.compile(r"^[A-Z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)*\.cs$")
LICENCE = "SPDX-License-Identifier: Apache-2.0"

# Written so that this file does not say what it forbids.
FORBIDDEN_TEXT = [
    (re.compile(r"(?<![\w.])/(?:wor[k]|roo[t])/"), "a path of one machine"),
    (re.compile(r"(?<![\w.])/home/[a-z]+/"), "a path of one machine"),
    (re.compile(r"\.\./share[d]\b"), "a folder outside the repository"),
    (re.compile(r"\bpypi\.or[g]\b|\bpythonhosted\.or[g]\b"), "the host of a package registry"),
    (re.compile(r"\bnpmjs\.(?:or[g]|co[m])\b"), "the host of a package registry"),
    (re.compile(r"(?<!/)\bcrates\.i[o]\b(?!-index)"), "the host of a package registry"),
    (re.compile(r"\bproxy\.golang\.or[g]\b"), "the host of a package registry"),
    (re.compile(r"\brepo1?\.maven\.(?:apache\.)?or[g]\b"), "the host of a package registry"),
    (re.compile(r"\bdeb\.debian\.or[g]\b"), "the host of a package registry"),
]
UNFINISHED = re.compile(r"\b(?:TOD[O]|FIXM[E]|HAC[K]|XX[X])\b")
UNFINISHED_FORM = re.compile(r"\bTOD[O]\((?:soon|perf|security|port)\): \S")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")
OWN_FILE = re.compile(r"`((?:[a-z_0-9]+/)*[a-z_0-9]+\.(?:cpp|hpp))`")
NAMED_FILE = re.compile(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.(?:cpp|hpp|h|c|py|md|toml|i))(?::[^`]*)?`")


class Tree:
    """The files of one checkout with their texts, read once. Binary files have no text."""

    def __init__(self, root: Path):
        self.root = root
        self.paths = source_files.listed(root)
        self.names = {str(path) for path in self.paths}
        self._texts: dict[Path, str] = {}

    def text(self, path: Path) -> str:
        if path not in self._texts:
            data = (self.root / path).read_bytes()
            self._texts[path] = "" if b"\0" in data else data.decode("utf-8", errors="replace")
        return self._texts[path]

    def code(self):
        """Every hand-written source file: no corpus, no output of a generator."""
        for path in self.paths:
            if path.suffix in CODE or path.name == "CMakeLists.txt":
                if "corpus" not in path.parts and "GENERATED" not in self.text(path)[:400]:
                    yield path


# --- rules: each takes the tree (and the marks) and yields 'path:line: what is wrong' -------------


def check_names(tree: Tree, marks: dict):
    for path in tree.paths:
        if "corpus" in path.parts:
            continue  # A fuzzer's inputs are named by the fuzzer.
        for folder in path.parts[:-1]:
            if folder in FOLDER_NAMES_FORBIDDEN:
                yield f"{path}:1: a folder '{folder}' says nothing; name what is in it"
        if path.stem in FOLDER_NAMES_FORBIDDEN and path.suffix in CODE:
            yield f"{path}:1: a file '{path.stem}' says nothing; name what is in it"
        if path.suffix == ".java":
            if not JAVA_NAME.match(path.name):
                yield f"{path}:1: a Java file is named as its class"
        elif path.suffix == ".cs":
            if not CSHARP_NAME.match(path.name):
                yield f"{path}:1: a C# file is named as its class"
        elif path.suffix in CODE and not SNAKE_CASE.match(path.name):
            yield f"{path}:1: file names are snake_case"


def check_first_lines(tree: Tree, marks: dict):
    for path in tree.code():
        lines = tree.text(path).splitlines()
        head = lines[1:3] if lines and lines[0].startswith("#!") else lines[:1]
        if not any(LICENCE in line for line in head):
            if lines or path.name != "__init__.py":
                yield f"{path}:1: the first line is the SPDX licence line"
        elif path.parts[0] == "core" and not re.match(r"// \S", "".join(lines[2:3])):
            yield f"{path}:3: says nothing of what it owns, promises and does not do"


def check_columns(tree: Tree, marks: dict):
    marked = marks.get("wide_lines", {})
    for path in tree.code():
        if path.suffix in {".rs", ".go", ".java"}:
            continue  # Their own formatters decide.
        wide = wide_lines(tree.text(path))
        mark = marked.get(str(path), 0)
        if mark == 0:
            for number, columns in wide:
                yield f"{path}:{number}: {columns} columns, {COLUMNS} at most"
        elif len(wide) != mark:
            yield f"{path}:1: {len(wide)} lines above {COLUMNS} columns, its mark is {mark}"
    for key in sorted(set(marked) - tree.names):
        yield f"tools/tidy_marks.toml:1: wide_lines names {key}, which is gone"


def wide_lines(text: str) -> list[tuple[int, int]]:
    """Number and width of each line that is too wide; an address may be as long as it is."""
    lines = enumerate(text.splitlines(), start=1)
    return [(n, len(line)) for n, line in lines if len(line) > COLUMNS and "http" not in line]


def check_forbidden_text(tree: Tree, marks: dict):
    for path in tree.paths:
        for number, line in enumerate(tree.text(path).splitlines(), start=1):
            for pattern, what in FORBIDDEN_TEXT:
                if pattern.search(line):
                    yield f"{path}:{number}: names {what}"


def check_unfinished(tree: Tree, marks: dict):
    for path in tree.code():
        for number, line in enumerate(tree.text(path).splitlines(), start=1):
            if UNFINISHED.search(line) and not UNFINISHED_FORM.search(line):
                yield f"{path}:{number}: write what is unfinished as (soon|perf|security|port): x"


def check_file_sizes(tree: Tree, marks: dict):
    sizes = {str(p): len(tree.text(p).splitlines()) for p in tree.code() if p.suffix in SIZED}
    yield from ratchet("file_lines", sizes, FILE_LINES, marks)


def check_function_sizes(tree: Tree, marks: dict):
    sizes: dict[str, int] = {}
    for path in tree.code():
        if path.suffix in SIZED:
            for name, _, lines in function_sizes.functions(path.suffix, tree.text(path)):
                key = f"{path}:{name}"
                sizes[key] = max(sizes.get(key, 0), lines)
    yield from ratchet("function_lines", sizes, FUNCTION_LINES, marks)


def ratchet(table: str, sizes: dict[str, int], limit: int, marks: dict):
    marked = marks.get(table, {})
    for key, lines in sizes.items():
        path = key.split(":")[0]
        mark = marked.get(key)
        if mark is None and lines > limit:
            yield f"{path}:1: {key} has {lines} lines, {limit} at most"
        elif mark is not None and lines > mark:
            yield f"{path}:1: {key} grew to {lines} lines; its mark is {mark}"
        elif mark is not None and lines < mark:
            yield f"{path}:1: {key} shrank to {lines} lines, its mark is {mark}: tidy.py --lower"
    for key in sorted(set(marked) - set(sizes)):
        yield f"tools/tidy_marks.toml:1: {table} names {key}, which is gone: tidy.py --lower"


def check_tests_beside_code(tree: Tree, marks: dict):
    excused = marks.get("without_test", {})
    needed = set()
    for path in tree.paths:
        if path.parts[0] != "core" or path.suffix != ".cpp" or len(path.parts) < 3:
            continue
        if not _has_header(tree, path):
            if str(path) not in marks.get("without_header", {}):
                yield f"{path}:1: has no {path.stem}.hpp beside it"
        if not _has_test(tree, path):
            needed.add(str(path))
            if str(path) not in excused:
                wanted = f"tests/unit/{'/'.join(path.parts[1:-1])}/{path.stem}_test.cpp"
                yield f"{path}:1: has no {wanted} (or a reason in tools/tidy_marks.toml)"
    for name in sorted(set(excused) - needed):
        yield f"tools/tidy_marks.toml:1: without_test names {name}, which needs no excuse"


def _has_header(tree: Tree, path: Path) -> bool:
    # An implementation for one system, core/io/linux/x.cpp, stands below its header core/io/x.hpp.
    return any(str(f / f"{path.stem}.hpp") in tree.names for f in (path.parent, path.parent.parent))


def _has_test(tree: Tree, path: Path) -> bool:
    folder = Path("tests/unit", *path.parts[1:-1])
    name = f"{path.stem}_test.cpp"
    return any(str(place / name) in tree.names for place in (folder, folder.parent))


def check_links(tree: Tree, marks: dict):
    for path in tree.paths:
        if path.suffix != ".md":
            continue
        for number, line in enumerate(tree.text(path).splitlines(), start=1):
            for target in LINK.findall(line):
                if "://" in target or target.startswith("mailto:"):
                    continue
                if not (tree.root / path.parent / target).exists():
                    yield f"{path}:{number}: links to {target}, which is not there"


def check_folder_readmes(tree: Tree, marks: dict):
    """Each folder of core says in short what it is for, and names no file that has moved."""
    for folder in sorted({path.parts[1] for path in tree.paths if path.match("core/*/*.*pp")}):
        name = f"core/{folder}/README.md"
        if name not in tree.names:
            yield f"{name}:1: is missing"
            continue
        lines = tree.text(Path(name)).splitlines()
        if len(lines) > README_LINES:
            yield f"{name}:1: has {len(lines)} lines, {README_LINES} at most"
        for number, line in enumerate(lines, start=1):
            for file in OWN_FILE.findall(line):
                places = {file, f"core/{file}", f"core/{folder}/{file}"}
                if not places & tree.names:
                    yield f"{name}:{number}: names {file}, which is not there"


def check_tour(tree: Tree, marks: dict):
    """A tour that names a file which has moved is worse than none."""
    tour = Path("docs/tour.md")
    if str(tour) not in tree.names:
        yield f"{tour}:1: is missing"
        return
    for number, line in enumerate(tree.text(tour).splitlines(), start=1):
        for name in NAMED_FILE.findall(line):
            if name not in tree.names and f"core/{name}" not in tree.names:
                yield f"{tour}:{number}: names {name}, which is not there"


RULES = [
    check_names,
    check_first_lines,
    check_columns,
    check_forbidden_text,
    check_unfinished,
    check_file_sizes,
    check_function_sizes,
    check_tests_beside_code,
    check_links,
    check_folder_readmes,
    check_tour,
]


# --- marks --------------------------------------------------------------------------------------


def read_marks(root: Path) -> dict:
    path = root / "tools" / "tidy_marks.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def lower_marks(root: Path) -> None:
    """Writes the numbers that became smaller, drops what is no longer above its limit."""
    path = root / "tools" / "tidy_marks.toml"
    tree, kept = Tree(root), []
    sizes = {str(p): len(tree.text(p).splitlines()) for p in tree.code()}
    for source in tree.code():
        if source.suffix in SIZED:
            for name, _, lines in function_sizes.functions(source.suffix, tree.text(source)):
                key = f"{source}:{name}"
                sizes[key] = max(sizes.get(key, 0), lines)
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        match = re.match(r'^"([^"]+)" = (\d+)\s*$', line)
        if match is None:
            kept.append(line)
            continue
        key, mark = match.group(1), int(match.group(2))
        limit = FUNCTION_LINES if ":" in key else FILE_LINES
        if sizes.get(key, 0) > limit:
            kept.append(f'"{key}" = {min(mark, sizes[key])}\n')
    path.write_text("".join(kept), encoding="utf-8")


def check(root: Path) -> tuple[list[str], int]:
    tree, marks = Tree(root), read_marks(root)
    violations = [violation for rule in RULES for violation in rule(tree, marks)]
    return violations, len(tree.paths)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description="Checks the house's rules over every tracked file."
    )
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--lower", action="store_true", help="write the marks that became smaller")
    options = parser.parse_args(arguments)
    if options.lower:
        lower_marks(options.root)
    violations, checked = check(options.root)
    return source_files.report("tidy", checked, violations)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
