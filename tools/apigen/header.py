# SPDX-License-Identifier: Apache-2.0
"""Owns the one reading of the C headers: functions with their parameters, typedefs, structs with
the place of each field, numbers. `swig -xml` reads C; only comments, with their tags, are taken
from the text.

What it does not understand is an error, never left out: a macro that is no plain number, a field
that is no fixed-width integer, a declaration that SWIG did not report.
"""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "capi" / "include"

FIELD_BYTES = {"int32_t": 4, "int64_t": 8}
NOT_ERRORS = ("OK", "AGAIN", "DONE")


class HeaderError(Exception):
    """The headers hold something that the reader does not understand."""


@dataclass(frozen=True)
class Parameter:
    type: str
    name: str


@dataclass(frozen=True)
class Function:
    """One exported function: where it is declared and what its comment promises."""

    name: str
    header: str
    returns: str
    parameters: tuple[Parameter, ...]
    comment: str

    @property
    def declaration(self) -> str:
        inside = ", ".join(_joined(each.type, each.name) for each in self.parameters)
        return f"{_joined(self.returns, self.name)}({inside or 'void'})"

    @property
    def since(self) -> str:
        match = re.search(r"Since (\d+\.\d+\.\d+)\.", self.comment)
        return match.group(1) if match else ""

    @property
    def threads(self) -> str:
        match = re.search(r"^Threads +(.*?)(?:\s+Since|$)", self.comment, re.MULTILINE)
        return match.group(1).strip().rstrip(".") if match else ""


@dataclass(frozen=True)
class Typedef:
    """A handle (`type` is "struct NAME"), a number, or a callback."""

    name: str
    type: str
    header: str


@dataclass(frozen=True)
class Field:
    type: str
    name: str
    offset: int
    bytes: int


@dataclass(frozen=True)
class Struct:
    name: str
    header: str
    fields: tuple[Field, ...]
    bytes: int


@dataclass(frozen=True)
class Constant:
    """A number: `name` is without MARTLET_, `comment` is its own or that of the group it is in."""

    name: str
    number: int
    header: str
    comment: str


@dataclass(frozen=True)
class Api:
    """All that the headers say, in their order."""

    include: Path
    headers: tuple[Path, ...]
    functions: tuple[Function, ...]
    typedefs: tuple[Typedef, ...]
    structs: tuple[Struct, ...]
    constants: tuple[Constant, ...]

    def number(self, name: str) -> int:
        return next(each.number for each in self.constants if each.name == name)

    @property
    def statuses(self) -> dict[str, int]:
        """OK, AGAIN, DONE and every ERR_..., by name."""
        return {
            each.name: each.number
            for each in self.constants
            if each.name in NOT_ERRORS or each.name.startswith("ERR_")
        }

    @property
    def errors(self) -> dict[str, int]:
        return {name: number for name, number in self.statuses.items() if name not in NOT_ERRORS}


@functools.lru_cache(maxsize=None)
def read(include: Path = INCLUDE) -> Api:
    """Reads `include`/martlet/martlet.h and all that it includes."""
    headers = _in_order(include)
    texts = {path.name: path.read_text(encoding="utf-8") for path in headers}
    functions: list[Function] = []
    typedefs: list[Typedef] = []
    structs: list[Struct] = []
    constants: list[Constant] = []
    for node in _swig(include, headers).iter("include"):
        header = Path(_attributes(node)["name"]).name
        if header not in texts:
            continue
        for item in node:
            told = _attributes(item)
            if item.tag == "constant":
                constants.append(_constant(told, header, texts[header]))
            elif item.tag == "class":
                structs.append(_struct(item, told, header))
            elif item.tag == "cdecl" and told.get("kind") == "typedef":
                typedefs.append(Typedef(told["name"], _type(told["decl"] + told["type"]), header))
            elif item.tag == "cdecl" and told.get("kind") == "function":
                functions.append(_function(item, told, header, texts[header]))
            elif item.tag not in ("attributelist", "include"):
                raise HeaderError(f"{header}: {item.tag} {told.get('name')} is not understood")
    api = Api(
        include, headers, tuple(functions), tuple(typedefs), tuple(structs), tuple(constants)
    )
    _refuse_what_was_missed(api, texts)
    return api


def _in_order(include: Path) -> tuple[Path, ...]:
    """Every header, each after those that it includes."""
    found: dict[str, Path] = {}

    def add(name: str) -> None:
        path = include / "martlet" / name
        for needed in re.findall(
            r'^#include "martlet/(\w+\.h)"$', path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            if needed not in found:
                add(needed)
        found[name] = path

    add("martlet.h")
    for path in sorted((include / "martlet").glob("*.h")):
        if path.name not in found:
            raise HeaderError(f"martlet.h does not include {path.name}")
    return tuple(found.values())


def interface(headers: tuple[Path, ...]) -> str:
    """What SWIG is given: the headers as they are, without the typemaps of any language."""
    lines = [f'%include "martlet/{path.name}"' for path in headers]
    return "\n".join(["%module headers", "%include <stdint.i>", *lines, ""])


def _swig(include: Path, headers: tuple[Path, ...]) -> ElementTree.Element:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "headers.i").write_text(interface(headers))
        done = subprocess.run(
            ["swig", "-xml", "-Wall", "-Werror", f"-I{include}", "-o", "headers.c", "headers.i"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise HeaderError(f"swig: {done.stdout}{done.stderr}")
        return ElementTree.parse(Path(folder) / "headers.xml").getroot()


def _attributes(node: ElementTree.Element) -> dict[str, str]:
    return {
        str(item.get("name")): str(item.get("value"))
        for item in node.findall("attributelist/attribute")
    }


def _constant(told: dict[str, str], header: str, text: str) -> Constant:
    name = told["name"]
    if not name.startswith("MARTLET_"):
        raise HeaderError(f"{header}: {name} does not begin with MARTLET_")
    match = re.fullmatch(r"\(?(-?\d+)\)?", told["value"])
    if match is None or not -(2**31) <= int(match.group(1)) < 2**31:
        raise HeaderError(f"{header}: {name} is no plain number of 32 bits: {told['value']}")
    return Constant(
        name.removeprefix("MARTLET_"), int(match.group(1)), header, _comment_of(name, text)
    )


def _comment_of(name: str, text: str) -> str:
    """The comment in the line of a macro, else the one above the macros that it stands among."""
    found = re.search(rf"^#define {name}\b(?:[^\n]*\\\n)*[^\n]*", text, re.MULTILINE)
    if found is None:
        raise HeaderError(f"the definition of {name} was not found")
    own = re.search(r"/\*(.*?)\*/", found.group(0).replace("\\\n", " "), re.DOTALL)
    if own is None:
        block = text[: found.start()].rsplit("\n\n", 1)[-1]
        alone = re.findall(r"^/\*(.*?)\*/$", block, re.DOTALL | re.MULTILINE)
        if not alone:
            return ""
        return _joined_lines(alone[-1])
    return _joined_lines(own.group(1))


def _joined_lines(comment: str) -> str:
    lines = [line.strip().removeprefix("*").strip() for line in comment.split("\n")]
    return " ".join(" ".join(lines).split())


def _struct(node: ElementTree.Element, told: dict[str, str], header: str) -> Struct:
    """As every compiler lays out a struct of 32- and 64-bit integers: each at its own alignment.
    tests/abi/layout_check.c has the compiler confirm it.
    """
    fields: list[Field] = []
    end, alignment = 0, 1
    for item in node.findall("cdecl"):
        field = _attributes(item)
        width = FIELD_BYTES.get(field["type"])
        if width is None or field["decl"]:
            raise HeaderError(f"{header}: {told['name']}.{field['name']} is no int32_t or int64_t")
        offset = -(-end // width) * width
        fields.append(Field(field["type"], field["name"], offset, width))
        end, alignment = offset + width, max(alignment, width)
    return Struct(told["name"], header, tuple(fields), -(-end // alignment) * alignment)


def _function(
    node: ElementTree.Element, told: dict[str, str], header: str, text: str
) -> Function:
    name = told["name"]
    parameters = []
    for item in node.findall("attributelist/parmlist/parm"):
        parameter = _attributes(item)
        if parameter["type"] != "void":
            if "name" not in parameter:
                raise HeaderError(f"{header}: {name} has a parameter without a name")
            parameters.append(Parameter(_type(parameter["type"]), parameter["name"]))
    returns = _after_parameters(told["decl"]) + told["type"]
    comment = re.search(
        rf"/\*((?:(?!\*/).)*)\*/\s*MARTLET_API\s[^;]*?\b{name}\(", text, re.DOTALL
    )
    lines = comment.group(1).split("\n") if comment else []
    return Function(
        name,
        header,
        _type(returns),
        tuple(parameters),
        "\n".join(_without_frame(line) for line in lines).strip(),
    )


def _without_frame(line: str) -> str:
    """A line of a comment; that it is indented, below an entry, stays to be seen."""
    return line.strip().removeprefix("*").removeprefix(" ").rstrip()


def _after_parameters(decl: str) -> str:
    """What follows "f(p.q(const).char)." in a function's declarator: "p." if it returns a
    pointer.
    """
    depth = 0
    for place, letter in enumerate(decl):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            return decl[place + 2 :]
    raise HeaderError(f"the declarator {decl} is not understood")


def _type(swig: str) -> str:
    """SWIG's "p.q(const).char" is C's "const char *"; a callback stays "p.f(p.void).void"."""
    if "f(" in swig:
        return swig
    written = swig.split(".")[-1]
    for word in reversed(swig.split(".")[:-1]):
        if word == "p":
            written += "*" if written.endswith("*") else " *"
        elif word == "q(const)" and not written.endswith("*"):
            written = f"const {written}"
        else:
            raise HeaderError(f"the type {swig} is not understood")
    return written


def _joined(type_: str, name: str) -> str:
    return f"{type_}{name}" if type_.endswith("*") else f"{type_} {name}"


def _refuse_what_was_missed(api: Api, texts: dict[str, str]) -> None:
    for header, text in texts.items():
        code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        declared = len(re.findall(r"^(?!#).*\bMARTLET_API\b", code, re.MULTILINE))
        found = sum(each.header == header for each in api.functions)
        if declared != found:
            raise HeaderError(f"{header}: {declared} declarations, but {found} were understood")
        numbers = set(re.findall(r"^#define MARTLET_(\w+)[ (]+-?\d", code, re.MULTILINE))
        numbers |= set(re.findall(r"^#define MARTLET_(\w+)\s*\\\n\s*\(?-?\d", code, re.MULTILINE))
        missed = numbers - {each.name for each in api.constants if each.header == header}
        if missed:
            raise HeaderError(f"{header}: MARTLET_{min(missed)} was not understood")
