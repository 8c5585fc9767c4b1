# SPDX-License-Identifier: Apache-2.0
"""Goal: each package in dist/ installs where nothing of ours is, by the language's own installer
and from nothing but dist/, and a broker inside the program carries a message.

Method: an empty environment for each, in a folder outside the clone: a virtual environment, an npm
project on a registry on loopback, a Maven project on a file repository, a .NET project on a folder
feed. What the packages say of themselves is compared with what they are.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from installing import (
    DIST,
    PROGRAMS,
    ROOT,
    VERSION,
    build_dotnet_program,
    compare_with_list,
    run,
    run_maven,
)
from npm_registry import NpmRegistry

PYTHONS = [p for p in os.environ.get("PACKAGE_PYTHON_PROGRAMS", "").split(":") if p]


def test_what_is_in_dist_passes_the_check():
    check = ROOT / "tools" / "package" / "check.py"
    print(run(sys.executable, check, "--floor", "2.28", DIST, cwd=ROOT))


def test_there_is_a_wheel_for_each_python():
    assert PYTHONS, "./dev test packages names them"
    assert len(list(DIST.glob("*.whl"))) == len(PYTHONS)


@pytest.mark.parametrize("system", ["", "-Ddlsym(handle,name)=NULL"], ids=["2.30 on", "before"])
def test_what_stands_for_a_younger_c_library_does_what_that_does(system, tmp_path):
    source = Path(__file__).parent / "glibc_floor_test.c"
    warnings = ("-std=c11", "-Wall", "-Wextra", "-Werror", *system.split())
    run("cc", *warnings, "-pthread", "-o", tmp_path / "test", source, cwd=tmp_path)
    run(tmp_path / "test", cwd=tmp_path)


@pytest.mark.parametrize("python", PYTHONS)
def test_the_wheel_installs_and_exchanges_a_message(python, tmp_path):
    run(python, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", "--find-links", DIST, "--only-binary",
        ":all:", "martlet", cwd=tmp_path)  # fmt: skip
    told = json.loads(run(python, PROGRAMS / "exchange.py", cwd=tmp_path))
    assert told["version"] == VERSION
    assert Path(told["file"]).is_relative_to(tmp_path)
    compare_with_list(told["linked"], told["sbom"])


@pytest.fixture
def npm_project(tmp_path):
    """An empty project whose registry is on loopback and has nothing but ours."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "package.json").write_text('{"name": "exchange", "version": "1.0.0"}')
    with NpmRegistry(DIST.glob("*.tgz")) as registry:
        (project / ".npmrc").write_text(f"registry={registry.url}\ncache={tmp_path / 'cache'}\n")
        yield project


def test_the_npm_packages_install_and_exchange_a_message(npm_project):
    run("npm", "install", "--no-audit", "--no-fund", "martlet", cwd=npm_project)
    addon = npm_project / "node_modules" / "@martlet" / "linux-x64"
    shutil.copy(PROGRAMS / "exchange.cjs", npm_project)
    told = json.loads(run("node", "exchange.cjs", cwd=npm_project))
    assert told["version"] == VERSION
    compare_with_list(told["linked"], json.loads((addon / "sbom.cdx.json").read_text()))


def test_npm_installs_no_addon_for_another_platform(npm_project):
    run("npm", "install", "--no-audit", "--no-fund", "--cpu=arm64", "martlet", cwd=npm_project)
    installed = npm_project / "node_modules"
    assert (installed / "martlet" / "package.json").exists()
    assert not (installed / "@martlet" / "linux-x64").exists()


def test_the_jar_installs_and_exchanges_a_message(tmp_path):
    shutil.copytree(PROGRAMS / "maven", tmp_path / "project")
    output, _ = run_maven(tmp_path, "compile", "exec:java")
    assert "exchanged" in output.splitlines()


def test_the_nupkg_installs_and_exchanges_a_message(tmp_path):
    out = build_dotnet_program(tmp_path)
    output = run(os.environ["DOTNET"], out / "exchange.dll", cwd=tmp_path,
                 LD_LIBRARY_PATH=os.environ["DOTNET_SSL_FOLDER"])  # fmt: skip
    assert output.splitlines() == [f"exchanged {VERSION}"]


def test_a_program_for_mono_has_the_native_library_where_the_assembly_looks(tmp_path):
    out = build_dotnet_program(tmp_path, "-p:TargetFramework=netstandard2.1")
    assert (out / "runtimes" / "linux-x64" / "native" / "libmartlet_csharp.so").exists()
