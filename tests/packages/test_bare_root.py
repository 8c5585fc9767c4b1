# SPDX-License-Identifier: Apache-2.0
"""Goal: what is installed needs nothing of what it was built with. In Debians that have the
languages and neither compiler nor checkout – this one, and one whose C library is 2.31 – the
packages install and exchange a message.

Method: each Debian is a folder ($BARE_ROOT, $BARE_ROOT_OLDER); a command runs with it as its root,
in a mount namespace of its own, where /proc ends with it. Programs that need a compiler come
compiled.
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

ROOTS = {name: Path(os.environ[name]) for name in ("BARE_ROOT", "BARE_ROOT_OLDER")}
SECONDS_MAX = 400
COMPILERS = ("cc", "gcc", "g++", "c++", "clang", "javac", "mcs", "csc", "cmake", "make", "swig")


class Place:
    """A folder inside a root, and commands that run in it there."""

    def __init__(self, root):
        self.root = root
        self.name = f"tmp/packages-{uuid.uuid4().hex}"
        self.folder = root / self.name
        self.folder.mkdir()

    def run(self, words):
        """A command that must succeed, with nothing of this environment; what it printed."""
        script = 'mount -t proc proc "$0/proc" && exec chroot "$0" /bin/sh -c "$1"'
        result = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, self.root, f"cd /{self.name} && {words}"],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"},
            text=True, capture_output=True, timeout=SECONDS_MAX, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert result.returncode == 0, f"{words}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
        return result.stdout


@pytest.fixture(params=ROOTS)
def place(request):
    place = Place(ROOTS[request.param])
    yield place
    shutil.rmtree(place.folder)


def test_no_compiler_is_there(place):
    found = place.run(f"for name in {' '.join(COMPILERS)}; do command -v $name || true; done")
    assert found == ""


def test_the_older_one_is_older():
    versions = []
    for root in ROOTS.values():
        place = Place(root)
        told = place.run("ldd --version").splitlines()[0]
        place.folder.rmdir()
        versions.append(tuple(map(int, told.split()[-1].split("."))))
    assert versions[1] < (2, 34) <= versions[0]


def test_the_wheel(place):
    shutil.copytree(DIST, place.folder / "dist")
    shutil.copy(PROGRAMS / "exchange.py", place.folder)
    place.run("python3 -m venv venv")
    pip = "venv/bin/python -m pip install --no-index --find-links dist --only-binary :all:"
    place.run(f"{pip} martlet")
    told = json.loads(place.run("venv/bin/python exchange.py"))
    compare_with_list(told["linked"], told["sbom"])


def test_the_npm_packages(place):
    shutil.copy(PROGRAMS / "exchange.cjs", place.folder)
    (place.folder / "package.json").write_text('{"name": "exchange", "version": "1.0.0"}')
    with NpmRegistry(DIST.glob("*.tgz")) as registry:
        (place.folder / ".npmrc").write_text(f"registry={registry.url}\ncache=./cache\n")
        place.run("node /opt/npm/bin/npm-cli.js install --no-audit --no-fund martlet")
    told = json.loads(place.run("node exchange.cjs"))
    assert told["version"] == VERSION


def test_the_jar(place, tmp_path):
    jar = DIST / f"martlet-{VERSION}.jar"
    source = PROGRAMS / "maven/src/main/java/example/Exchange.java"
    classes = place.folder / "classes"
    run("javac", "-cp", jar, "--release", "17", "-d", classes, source, cwd=tmp_path)
    shutil.copy(jar, place.folder)
    output = place.run(f"java -Xcheck:jni -cp {jar.name}:classes example.Exchange")
    assert output.splitlines() == ["exchanged"]


def test_the_nupkg_on_mono(place, tmp_path):
    # Without a system in its name an output for netstandard has no native files beside it.
    out = build_dotnet_program(
        tmp_path, "-p:TargetFramework=netstandard2.1", "-p:RuntimeIdentifier=linux-x64"
    )
    shutil.copytree(out, place.folder / "out")
    output = place.run("mono out/exchange.dll")
    assert output.splitlines() == [f"exchanged {VERSION}"]
