# SPDX-License-Identifier: Apache-2.0
"""Goal: what is installed needs nothing of what it was built with. In a Debian that has the
languages and neither compiler nor checkout the packages install and exchange a message.

Method: that Debian is a folder ($BARE_ROOT); each command runs with it as its root, in a mount
namespace of its own, where /proc ends with it. Programs that need a compiler come compiled.
"""

import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from installing import DIST, PROGRAMS, VERSION, build_dotnet_program, compare_with_list, run
from npm_registry import NpmRegistry

BARE = Path(os.environ["BARE_ROOT"])
SECONDS_MAX = 400
COMPILERS = ("cc", "gcc", "g++", "c++", "clang", "javac", "mcs", "csc", "cmake", "make", "swig")


@pytest.fixture
def place():
    """A folder inside the root, gone afterwards."""
    folder = BARE / "tmp" / f"packages-{uuid.uuid4().hex}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def inside(place, *command):
    """Runs it in the root, in that folder, with nothing of this environment; what it printed."""
    script = 'mount -t proc proc "$0/proc" && exec chroot "$0" /bin/sh -c "$1"'
    words = " ".join(map(str, command))
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, str(BARE),
         f"cd /{place.relative_to(BARE)} && {words}"],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"},
        text=True, capture_output=True, timeout=SECONDS_MAX, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert result.returncode == 0, f"{words}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
    return result.stdout


def test_no_compiler_is_there(place):
    found = inside(place, f"for name in {' '.join(COMPILERS)}; do command -v $name || true; done")
    assert found == ""


def test_the_wheel(place):
    shutil.copytree(DIST, place / "dist")
    shutil.copy(PROGRAMS / "exchange.py", place)
    inside(place, "python3 -m venv venv")
    inside(place, "venv/bin/python -m pip install --no-index --find-links dist"
           " --only-binary :all: martlet")  # fmt: skip
    told = json.loads(inside(place, "venv/bin/python exchange.py"))
    compare_with_list(told["linked"], told["sbom"])


def test_the_npm_packages(place):
    shutil.copy(PROGRAMS / "exchange.cjs", place)
    (place / "package.json").write_text('{"name": "exchange", "version": "1.0.0"}')
    with NpmRegistry(DIST.glob("*.tgz")) as registry:
        (place / ".npmrc").write_text(f"registry={registry.url}\ncache=./cache\n")
        inside(place, "node /opt/npm/bin/npm-cli.js install --no-audit --no-fund martlet")
    told = json.loads(inside(place, "node exchange.cjs"))
    assert told["version"] == VERSION


def test_the_jar(place, tmp_path):
    jar = DIST / f"martlet-{VERSION}.jar"
    source = PROGRAMS / "maven/src/main/java/example/Exchange.java"
    run("javac", "-cp", jar, "--release", "17", "-d", place / "classes", source, cwd=tmp_path)
    shutil.copy(jar, place)
    output = inside(place, f"java -Xcheck:jni -cp {jar.name}:classes example.Exchange")
    assert output.splitlines() == ["exchanged"]


def test_the_nupkg_on_mono(place, tmp_path):
    # Without a system in its name an output for netstandard has no native files beside it.
    out = build_dotnet_program(
        tmp_path, "-p:TargetFramework=netstandard2.1", "-p:RuntimeIdentifier=linux-x64"
    )
    shutil.copytree(out, place / "out")
    output = inside(place, "mono out/exchange.dll")
    assert output.splitlines() == [f"exchanged {VERSION}"]
