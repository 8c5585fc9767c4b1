# SPDX-License-Identifier: Apache-2.0
"""Goal: the C headers are the one truth, and stay fit for every language.

Method: the headers are read by the C compiler, the C++ compiler and SWIG (Java, C#, XML); the
library's symbols, the committed export lists, the layouts of structs and the Python exceptions
are compared with what they say. C programs that know nothing but headers and library use every
function, free what they use in callbacks, and use what they have freed.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "apigen"))
import comments  # noqa: E402
import generate  # noqa: E402
import header  # noqa: E402
import layout  # noqa: E402

INCLUDE = header.INCLUDE
API = header.read()
BUILD = Path(os.environ.get("MARTLET_BUILD", ROOT / "build" / "release"))
LIBRARY = BUILD / "lib" / "libmartlet.so"
GOLDEN = Path(__file__).with_name("layout_golden.json")
# The C program's own: a suite with a sanitized library says which compiler and flags fit it.
C_COMPILER = shlex.split(os.environ.get("MARTLET_ABI_CC", "gcc"))
C_FLAGS = ["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror"]
# What every library runs, and what only one with the table of live handles (debug and sanitizer
# builds) can: its suite says that it has one.
PROGRAMS = ["abi_client", "abi_callbacks", "abi_room"]
if "MARTLET_ABI_HANDLE_TABLE" in os.environ:
    PROGRAMS.append("abi_stale_handles")
CPP_FLAGS = ["-std=c++20", "-pedantic", "-Wall", "-Wextra", "-Werror"]
# The handles that the table knows. Errors and texts are plain memory without a mark.
HANDLE_KINDS = ("queue", "batch", "server", "connection", "subscription")
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
    assert comments.undocumented(API) == []
    assert len(API.functions) > 50


def test_generated_files_are_fresh():
    assert generate.main(["--check"]) == 0


def test_names_follow_the_rule():
    for function in API.functions:
        assert re.fullmatch(r"martlet_[a-z]+(_[a-z]+)+", function.name), function.name


def test_only_fixed_width_integers_cross():
    ours = {typedef.name for typedef in API.typedefs}
    for function in API.functions:
        for type_ in [function.returns, *(parameter.type for parameter in function.parameters)]:
            word = type_.removeprefix("const ").rstrip(" *")
            assert word in ours | {"int32_t", "int64_t", "char", "void"}, function.declaration
            assert word != "char" or "*" in type_, function.declaration


def test_no_parameter_is_a_keyword_anywhere():
    for function in API.functions:
        for parameter in function.parameters:
            assert parameter.name not in KEYWORDS, f"{function.name}: {parameter.name}"
    for struct in API.structs:
        for field in struct.fields:
            assert field.name not in KEYWORDS, f"{struct.name}: {field.name}"


def test_the_library_tells_the_version_of_the_headers():
    told = ctypes.CDLL(str(LIBRARY)).martlet_abi_version()
    assert told == API.number("ABI_MAJOR") * 1000 + API.number("ABI_MINOR")


def test_each_comment_names_the_owner_of_what_it_gives():
    for function in API.functions:
        for parameter in function.parameters:
            if parameter.type.endswith(" **") and parameter.type != "martlet_error **":
                assert re.search(rf"^{parameter.name} +owned by caller", function.comment, re.M), (
                    f"{function.name}: {parameter.name}"
                )


@pytest.mark.parametrize("path", API.headers, ids=lambda path: path.name)
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


@pytest.mark.parametrize("language", ["java", "csharp"])
def test_swig_takes_every_declaration_as_it_is(language: str, tmp_path: Path):
    interface = tmp_path / "headers.i"
    interface.write_text(header.interface(API.headers))
    places = ["-outdir", tmp_path, "-o", tmp_path / "headers_wrap.c"]
    run("swig", f"-{language}", "-Wall", "-Werror", f"-I{INCLUDE}", *places, interface)
    module = (tmp_path / {"java": "headers.java", "csharp": "headers.cs"}[language]).read_text()
    for function in API.functions:
        assert f" {function.name}(" in module, function.name
    everything = module + "".join(p.read_text() for p in tmp_path.glob("headersConstants.java"))
    for constant in API.constants:
        assert f"MARTLET_{constant.name}" in everything, constant.name
    generated = "".join(
        path.read_text() for path in tmp_path.iterdir() if path.suffix in (".java", ".cs")
    )
    assert "BigInteger" not in generated
    assert "director" not in generated


def test_the_bindings_read_every_header():
    text = (ROOT / "bindings" / "swig" / "martlet.i").read_text()
    included = re.findall(r'^%include "martlet/(\w+\.h)"$', text, re.MULTILINE)
    assert sorted([*included, "martlet.h"]) == sorted(path.name for path in API.headers)


# --- the library ---


def test_symbols_equal_the_header():
    symbols = run("nm", "-D", "--defined-only", LIBRARY).split("\n")
    found = {
        line.split()[-1].split("@")[0]
        for line in symbols
        if line.split()[1:2] in (["T"], ["W"], ["V"], ["B"], ["D"])
    }
    assert found == {function.name for function in API.functions}


def test_soname_is_the_abi_major():
    dynamic = run("readelf", "-d", LIBRARY)
    major = API.number("ABI_MAJOR")
    assert f"Library soname: [libmartlet.so.{major}]" in dynamic
    assert "SYMBOLIC" in dynamic


def test_layouts_equal_the_golden_file(tmp_path: Path):
    """A field may be added at the end of a struct: then the golden file is written anew by hand.
    None may move.
    """
    assert layout.golden(API) == json.loads(GOLDEN.read_text())


def test_the_compiler_confirms_the_layouts():
    source = Path(__file__).with_name("layout_check.c")
    run("gcc", *C_FLAGS, "-I", INCLUDE, "-fsyntax-only", source)


# --- a program ---


def test_the_c_client_uses_every_function():
    text = Path(__file__).with_name("abi_client.c").read_text()
    unused = [
        function.name
        for function in API.functions
        if not re.search(rf"\b{function.name}\(", text)
    ]
    assert unused == []


def test_every_function_gets_a_handle_that_was_freed():
    text = Path(__file__).with_name("abi_stale_handles.c").read_text()
    kinds = {f"martlet_{kind} *" for kind in HANDLE_KINDS}
    takers = [
        function.name
        for function in API.functions
        if kinds & {parameter.type.removeprefix("const ") for parameter in function.parameters}
    ]
    assert len(takers) > 40
    assert [name for name in takers if not re.search(rf"\b{name}\([^;]*\bstale\b", text)] == []


@pytest.mark.parametrize("name", PROGRAMS)
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


# --- statuses ---


def test_statuses_are_unique_and_known_by_name():
    statuses = API.statuses
    assert len(set(statuses.values())) == len(statuses)
    source = (ROOT / "capi" / "src" / "status_capi.cpp").read_text()
    for name in statuses:
        assert f'{{MARTLET_{name}, "{name}"}}' in source, name
