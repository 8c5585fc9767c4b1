# SPDX-License-Identifier: Apache-2.0
"""Goal: the C headers are the one truth, and stay fit for every language.

Method: the headers are read by the C compiler, the C++ compiler and SWIG (Java, C#, XML); the
library's symbols, the committed export lists, the layouts of structs and the Python exceptions
are compared with what they say. C programs that know nothing but headers and library use every
function, and free what they use in callbacks.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "apigen"))
import exports  # noqa: E402
import header  # noqa: E402

INCLUDE = ROOT / "capi" / "include"
BUILD = Path(os.environ.get("MARTLET_BUILD", ROOT / "build" / "release"))
LIBRARY = BUILD / "lib" / "libmartlet.so"
GOLDEN = Path(__file__).with_name("layout_golden.json")
# The C program's own: a suite with a sanitized library says which compiler and flags fit it.
C_COMPILER = shlex.split(os.environ.get("MARTLET_ABI_CC", "gcc"))
C_FLAGS = ["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror"]
CPP_FLAGS = ["-std=c++20", "-pedantic", "-Wall", "-Wextra", "-Werror"]
# Words that some language keeps for itself: a parameter or field of that name is renamed or
# refused there.
KEYWORDS = set(
    """
    abstract base bool boolean byte catch char class const default delegate delete do double
    else enum event explicit export extends extern false final finally fixed float for
    foreach from function goto if implicit import in int interface internal is lambda let
    lock long namespace native new null object operator out override package params private
    protected public readonly ref return sealed short signed sizeof static string struct
    super switch this throw throws true try typeof unsafe using var virtual void volatile
    while with yield
    """.split()
)


def run(*command: str | Path, **options) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, **options
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


# --- the text of the headers ---


def test_every_declaration_was_understood_and_documented():
    assert exports.undeclared() == []
    assert len(header.functions()) > 50


def test_export_lists_are_fresh():
    assert exports.main(["--check"]) == 0


def test_names_follow_the_rule():
    for function in header.functions():
        assert re.fullmatch(r"martlet_[a-z]+(_[a-z]+)+", function.name), function.name


def test_only_fixed_width_integers_cross():
    for function in header.functions():
        words = set(re.findall(r"\w+", function.declaration))
        assert not words & {
            "int",
            "long",
            "short",
            "unsigned",
            "size_t",
            "bool",
            "uint64_t",
            "uint32_t",
        }, function.name


def test_no_parameter_is_a_keyword_anywhere():
    for function in header.functions():
        for parameter in function.parameters:
            name = re.findall(r"\w+", parameter)[-1]
            assert name not in KEYWORDS, f"{function.name}: {name}"


def test_each_comment_names_the_owner_of_what_it_gives():
    for function in header.functions():
        for parameter in function.parameters:
            match = re.fullmatch(r"martlet_(\w+)\*\* out_(\w+)", parameter)
            if match and match.group(1) != "error":
                assert "owned by caller" in function.comment, (
                    f"{function.name}: out_{match.group(2)}"
                )


@pytest.mark.parametrize("path", header.headers(), ids=lambda path: path.name)
def test_header_compiles_alone(path: Path, tmp_path: Path):
    for name, compiler, flags in (("x.c", "gcc", C_FLAGS), ("x.cpp", "g++", CPP_FLAGS)):
        source = tmp_path / name
        source.write_text(f'#include "martlet/{path.name}"\n#include "martlet/{path.name}"\n')
        run(compiler, *flags, "-I", INCLUDE, "-fsyntax-only", source)


@pytest.mark.parametrize(
    "path", sorted((INCLUDE / "martlet" / "cpp").glob("*.hpp")), ids=lambda path: path.name
)
def test_cpp_header_compiles_alone(path: Path, tmp_path: Path):
    source = tmp_path / "x.cpp"
    source.write_text(f'#include "martlet/cpp/{path.name}"\n')
    run("g++", *CPP_FLAGS, "-I", INCLUDE, "-fsyntax-only", source)


# --- SWIG ---


def swig(language: str, folder: Path) -> Path:
    out = folder / f"out_{language}.c"
    interface = ROOT / "bindings" / "swig" / "martlet.i"
    places = ["-o", out] if language == "xml" else ["-outdir", folder, "-o", out]
    run("swig", f"-{language}", "-Wall", "-Werror", "-I" + str(INCLUDE), *places, interface)
    return out.with_suffix(".xml") if language == "xml" else out


@pytest.mark.parametrize("language", ["java", "csharp"])
def test_swig_takes_every_declaration(language: str, tmp_path: Path):
    swig(language, tmp_path)
    module = (tmp_path / {"java": "martlet.java", "csharp": "martlet.cs"}[language]).read_text()
    for function in header.functions():
        assert f" {function.name}(" in module, function.name
    for name in header.constants():
        if not name.endswith("_H"):
            everything = module + "".join(
                p.read_text() for p in tmp_path.glob("martletConstants.java")
            )
            assert name in everything, name
    generated = "".join(
        path.read_text() for path in tmp_path.iterdir() if path.suffix in (".java", ".cs")
    )
    assert "BigInteger" not in generated
    assert "director" not in generated


def test_swig_sees_the_functions_that_are_exported(tmp_path: Path):
    tree = ElementTree.parse(swig("xml", tmp_path))
    names = set()
    for declaration in tree.iter("cdecl"):
        attributes = {
            item.get("name"): item.get("value")
            for item in declaration.findall("attributelist/attribute")
        }
        if attributes.get("decl", "").startswith("f(") and attributes.get("name", "").startswith(
            "martlet_"
        ):
            names.add(attributes["name"])
    assert names == {function.name for function in header.functions()}


# --- the library ---


def test_symbols_equal_the_header():
    symbols = run("nm", "-D", "--defined-only", LIBRARY).split("\n")
    found = {
        line.split()[-1].split("@")[0]
        for line in symbols
        if line.split()[1:2] in (["T"], ["W"], ["V"], ["B"], ["D"])
    }
    assert found == {function.name for function in header.functions()}


def test_soname_is_the_abi_major():
    dynamic = run("readelf", "-d", LIBRARY)
    major = header.constants()["MARTLET_ABI_MAJOR"]
    assert f"Library soname: [libmartlet.so.{major}]" in dynamic
    assert "SYMBOLIC" in dynamic


def test_layouts_equal_the_golden_file(tmp_path: Path):
    """A field may be added at the end of a struct: then the golden file is written anew by hand.
    None may move.
    """
    structs = {}
    text = (INCLUDE / "martlet" / "batch.h").read_text()
    for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", text, re.DOTALL):
        structs[name] = re.findall(r"^\s*int(?:32|64)_t (\w+);", body, re.MULTILINE)
    lines = [
        '#include "martlet/batch.h"',
        "#include <stddef.h>",
        "#include <stdio.h>",
        "int main(void) {",
    ]
    for name, fields in structs.items():
        lines.append(f'  printf("{name} {name} %zu\\n", sizeof({name}));')
        lines += [
            f'  printf("{name} {field} %zu\\n", offsetof({name}, {field}));' for field in fields
        ]
    source = tmp_path / "layout.c"
    source.write_text("\n".join([*lines, "  return 0;", "}", ""]))
    run("gcc", *C_FLAGS, "-I", INCLUDE, source, "-o", tmp_path / "layout")
    found: dict[str, dict[str, int]] = {}
    for line in run(tmp_path / "layout").split("\n")[:-1]:
        struct, field, number = line.split()
        found.setdefault(struct, {})["sizeof" if field == struct else field] = int(number)
    assert found == json.loads(GOLDEN.read_text())


# --- a program ---


def test_the_c_client_uses_every_function():
    text = Path(__file__).with_name("abi_client.c").read_text()
    unused = [
        function.name
        for function in header.functions()
        if not re.search(rf"\b{function.name}\(", text)
    ]
    assert unused == []


@pytest.mark.parametrize("name", ["abi_client", "abi_callbacks"])
def test_the_c_programs_pass(name: str, tmp_path: Path):
    source = Path(__file__).with_name(f"{name}.c")
    program = tmp_path / name
    run(
        *C_COMPILER,
        *C_FLAGS,
        "-D_GNU_SOURCE",
        "-g",
        "-pthread",
        "-I",
        INCLUDE,
        source,
        "-L",
        LIBRARY.parent,
        "-lmartlet",
        f"-Wl,-rpath,{LIBRARY.parent}",
        "-o",
        program,
    )
    done = subprocess.run([program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d{2,} passed, 0 failed$", done.stdout, re.MULTILINE), done.stdout
    assert done.stderr == ""


# --- what other places say of statuses ---


def test_every_error_status_has_a_python_exception():
    text = (ROOT / "python" / "martlet" / "errors.py").read_text()
    in_python = {int(number) for number in re.findall(r"^    status = (-\d+)$", text, re.MULTILINE)}
    assert in_python == {number for number in header.statuses().values() if number < 0}


def test_statuses_are_unique_and_known_by_name():
    statuses = header.statuses()
    assert len(set(statuses.values())) == len(statuses)
    source = (ROOT / "capi" / "src" / "status_capi.cpp").read_text()
    for name in statuses:
        assert f'{{MARTLET_{name}, "{name}"}}' in source, name
