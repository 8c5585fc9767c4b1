# SPDX-License-Identifier: Apache-2.0
"""Goal: what is installed needs nothing of what it was built with. In Debians that have the
languages and neither compiler nor checkout – this one, and one whose C library is 2.31 – the
packages install and exchange a message, and the TLS of the languages works beside ours.

Method: each Debian is a folder ($BARE_ROOT, $BARE_ROOT_OLDER); a command runs with it as its root
(bare_root.py). Programs that need a compiler come compiled.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import host_tls
import pytest
from bare_root import Place, roots
from installing import (
    DIST,
    PROGRAMS,
    VERSION,
    build_dotnet_program,
    compare_with_list,
    install_npm_package,
    install_wheel,
    linked_in,
    run,
    sbom_in,
)

ROOTS = roots()
COMPILERS = ("cc", "gcc", "g++", "c++", "clang", "javac", "mcs", "csc", "cmake", "make", "swig")


@pytest.fixture(params=ROOTS)
def place(request):
    place = Place(ROOTS[request.param])
    yield place
    shutil.rmtree(place.folder)


def judge_tls(place, program):
    """The programs of host_tls.py inside."""
    keys = place.folder / "keys"
    keys.mkdir()
    host_tls.make_keys(keys)
    host_tls.judge(
        lambda trusted, password: place.attempt(f"{program} keys {trusted} {password}")
    )


def test_no_compiler_is_there(place):
    found = place.run(f"for name in {' '.join(COMPILERS)}; do command -v $name || true; done")
    assert found == ""


def test_a_program_inside_has_its_paths_and_nothing_of_this_environment(place):
    program = Path(__file__).with_name("bare_root.py")
    told = subprocess.run(
        [sys.executable, program, place.root, "sh", "-c", 'cat; pwd; echo "$1"; env', "sh",
         f"{place.folder}/a:{place.folder}/b"],
        cwd=place.folder, env={**os.environ, "MARTLET_ROOT": "outside"}, input="in\n", text=True,
        capture_output=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert told[:3] == ["in", f"/{place.name}", f"/{place.name}/a:/{place.name}/b"]
    assert not [line for line in told if line.startswith("MARTLET_")]


def test_the_older_one_is_older():
    versions = []
    for root in ROOTS.values():
        place = Place(root)
        told = place.run("ldd --version").splitlines()[0]
        place.folder.rmdir()
        versions.append(tuple(map(int, told.split()[-1].split("."))))
    assert versions[1] < (2, 34) <= versions[0]


def test_the_wheel(place):
    install_wheel(place)
    shutil.copy(PROGRAMS / "exchange.py", place.folder)
    told = json.loads(place.run("venv/bin/python exchange.py"))
    compare_with_list(told["linked"], told["sbom"])
    shutil.copy(PROGRAMS / "tls_beside.py", place.folder)
    judge_tls(place, "venv/bin/python tls_beside.py")


def test_the_npm_packages(place):
    install_npm_package(place)
    shutil.copy(PROGRAMS / "exchange.cjs", place.folder)
    told = json.loads(place.run("node exchange.cjs"))
    assert told["version"] == VERSION
    addon = place.folder / "node_modules" / "@martlet" / "linux-x64"
    compare_with_list(told["linked"], json.loads((addon / "sbom.cdx.json").read_text()))
    shutil.copy(PROGRAMS / "tls_beside.cjs", place.folder)
    judge_tls(place, "node tls_beside.cjs")


def test_the_jar(place, tmp_path):
    jar = DIST / f"martlet-{VERSION}.jar"
    sources = sorted((PROGRAMS / "maven/src/main/java/example").glob("*.java"))
    classes = place.folder / "classes"
    run("javac", "-cp", jar, "--release", "17", "-d", classes, *sources, cwd=tmp_path)
    shutil.copy(jar, place.folder)
    java = f"java -Xcheck:jni -cp {jar.name}:classes example"
    output = place.run(f"{java}.Exchange").splitlines()
    assert output[0] == f"exchanged {VERSION}"
    # A word of the virtual machine's about JNI would be a line more.
    assert all(line.startswith("linked ") for line in output[1:]), output
    compare_with_list(linked_in("\n".join(output)), sbom_in(jar))
    judge_tls(place, f"{java}.TlsBeside")


def test_the_nupkg_on_mono(place, tmp_path):
    out = build_dotnet_program(tmp_path, "-p:TargetFramework=netstandard2.1")
    shutil.copytree(out, place.folder / "out")
    output = place.run("mono out/exchange.dll exchange")
    assert output.splitlines()[0] == f"exchanged {VERSION}"
    compare_with_list(linked_in(output), sbom_in(DIST / f"Martlet.{VERSION}.nupkg"))
    judge_tls(place, "mono out/exchange.dll tls_beside")
