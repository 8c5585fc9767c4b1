# SPDX-License-Identifier: Apache-2.0
"""How many lines each function of a C++, C or Python file has.

Owns: finding functions without a compiler. For C and C++ it follows braces and judges each block by
the words before it, which is exact enough for code that clang-format laid out; what it cannot name
it leaves out. A lambda belongs to the function around it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

# Strings, characters and comments, so that no brace inside them counts. Raw strings come first.
NOISE = re.compile(
    r'R"(?P<raw>[^(\s]*)\((?:.|\n)*?\)(?P=raw)"'
    r"|//[^\n]*|/\*(?:.|\n)*?\*/"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.MULTILINE)
NOT_FUNCTION = re.compile(r"\b(?:namespace|class|struct|union|enum|concept|requires)\b")
NAME = re.compile(r"((?:[\w~]+(?:<[^()]*>)?::)*(?:operator\s*[^\s(]+|operator\s*\(\)|[\w~]+))\s*\(")
MACRO = re.compile(r"\b((?:TEST|TEST_F|TEST_P|TYPED_TEST)\s*\([^()]*\))\s*$")


def functions(suffix: str, text: str) -> Iterator[tuple[str, int, int]]:
    """Name, first line and count of lines of each function."""
    yield from _python(text) if suffix == ".py" else _braces(text)


def _python(text: str) -> Iterator[tuple[str, int, int]]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def _blank(match: re.Match[str]) -> str:
    """The same number of lines and characters, and nothing in them."""
    return re.sub(r"[^\n]", " ", match.group(0))


def _braces(text: str) -> Iterator[tuple[str, int, int]]:
    text = PREPROCESSOR.sub(_blank, NOISE.sub(_blank, text))
    blocks: list[tuple[str | None, int, bool]] = []  # Name, first line, inside a function.
    head_start, line = 0, 1
    for position, character in enumerate(text):
        if character == "\n":
            line += 1
        elif character == "{":
            head = text[head_start:position]
            inside = bool(blocks) and (blocks[-1][2] or blocks[-1][0] is not None)
            name = None if inside else _function_name(head)
            first = line - head.lstrip().count("\n")
            blocks.append((name, first, inside))
            head_start = position + 1
        elif character == "}":
            if blocks:
                name, first, _ = blocks.pop()
                if name is not None:
                    yield name, first, line - first + 1
            head_start = position + 1
        elif character == ";":
            head_start = position + 1


def _function_name(head: str) -> str | None:
    """The name of the function whose body follows `head`, or None when no body follows."""
    head = head.strip()
    if match := MACRO.search(head):
        return re.sub(r"\s+", " ", match.group(1))
    if "(" not in head or head.endswith(("=", ",", "(", "return")):
        return None
    before = head[: head.index("(")]
    if NOT_FUNCTION.search(before):
        # A function may return a struct or be constrained; a class does not end in parameters.
        if not re.search(r"\)\s*(?:const|noexcept|override|final|&|\s|->.*)*$", head):
            return None
        if re.search(r"\bnamespace\b", before):
            return None
    match = NAME.search(head)
    return match.group(1).replace(" ", "") if match else None
