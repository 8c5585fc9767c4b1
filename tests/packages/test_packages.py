# SPDX-License-Identifier: Apache-2.0
"""Goal: each package in dist/ installs where nothing of ours is, by the language's own installer
and from nothing but dist/; a broker inside the program carries a message; what is installed has all
that the C headers declare; the TLS of the host works beside ours. What the packages say of
themselves is what they are.

Method: an empty environment for each, in a folder outside the clone: a virtual environment, an npm
project on a registry on loopback, a Maven project on a file repository, a .NET project on a folder
feed. Its programs are programs/, tests/surface's dumps with their comparison, and host_tls.py's.
"""

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path

import host_tls
import pytest
from installing import (
    DIST,
    PROGRAMS,
    ROOT,
    VERSION,
    attempt,
    build_dotnet_program,
    compare_with_list,
    linked_in,
    run,
    run_maven,
    sbom_in,
)
from npm_registry import NpmRegistry

PYTHONS = [p for p in os.environ.get("PACKAGE_PYTHON_PROGRAMS", "").split(":") if p]
SURFACE = ROOT / "tests" / "surface"
NPM_INSTALL = ("npm", "install", "--no-audit", "--no-fund")


def check_surface(language, *command, **environment):
    """The dump of what is installed, compared as the suites surface_* do it."""
    check = SURFACE / "surface_check.py"
    print(run(sys.executable, check, language, "--", *command, cwd=SURFACE, **environment))


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    host_tls.make_keys(folder)
    return folder


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


# --- Python ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=PYTHONS)
def python(request, tmp_path_factory):
    """A Python that has the wheel."""
    folder = tmp_path_factory.mktemp("python")
    run(request.param, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", "--find-links", DIST, "--only-binary",
        ":all:", "martlet", cwd=folder)  # fmt: skip
    return python


def test_the_wheel_installs_and_exchanges_a_message(python, tmp_path):
    told = json.loads(run(python, PROGRAMS / "exchange.py", cwd=tmp_path))
    assert told["version"] == VERSION
    assert Path(told["file"]).is_relative_to(python.parents[1])
    compare_with_list(told["linked"], told["sbom"])


def test_the_installed_wheel_has_the_whole_surface(python):
    check_surface("python", python, "dump_python.py")


def test_the_tls_of_python_works_beside_the_wheel(python, keys):
    program = PROGRAMS / "tls_beside.py"
    host_tls.judge(lambda *words: attempt(python, program, keys, *words, cwd=keys))


# --- Node -----------------------------------------------------------------------------------------


@pytest.fixture(
    scope="module", params=["", os.environ.get("NPM_12", "none")], ids=["npm", "npm 12"]
)
def npm_path(request):
    """A PATH with the npm at hand, or with npm 12, which runs no install script of any package."""
    if not request.param:
        return os.environ["PATH"]
    path = f"{request.param}:{os.environ['PATH']}"
    assert run("npm", "--version", cwd="/", PATH=path).startswith("12."), "no npm 12 in $NPM_12"
    return path


@contextlib.contextmanager
def npm_project(folder):
    """An empty project whose registry is on loopback and has nothing but ours."""
    (folder / "package.json").write_text('{"name": "exchange", "version": "1.0.0"}')
    with NpmRegistry(DIST.glob("*.tgz")) as registry:
        (folder / ".npmrc").write_text(f"registry={registry.url}\ncache={folder / 'cache'}\n")
        yield folder


@pytest.fixture(scope="module")
def npm(tmp_path_factory, npm_path):
    """A project that has the packages, and our programs."""
    with npm_project(tmp_path_factory.mktemp("npm")) as project:
        run(*NPM_INSTALL, "martlet", cwd=project, PATH=npm_path)
    for program in (*PROGRAMS.glob("*.cjs"), SURFACE / "dump_node.mjs"):
        shutil.copy(program, project)
    return project


def test_the_npm_packages_install_and_exchange_a_message(npm):
    addon = npm / "node_modules" / "@martlet" / "linux-x64"
    told = json.loads(run("node", "exchange.cjs", cwd=npm))
    assert told["version"] == VERSION
    compare_with_list(told["linked"], json.loads((addon / "sbom.cdx.json").read_text()))


def test_the_installed_npm_packages_have_the_whole_surface(npm):
    check_surface("node", "node", npm / "dump_node.mjs")


def test_the_tls_of_node_works_beside_the_addon(npm, keys):
    host_tls.judge(lambda *words: attempt("node", "tls_beside.cjs", keys, *words, cwd=npm))


def test_npm_installs_no_addon_for_another_platform(tmp_path, npm_path):
    with npm_project(tmp_path) as project:
        run(*NPM_INSTALL, "--cpu=arm64", "martlet", cwd=project, PATH=npm_path)
    installed = project / "node_modules"
    assert (installed / "martlet" / "package.json").exists()
    assert not (installed / "@martlet" / "linux-x64").exists()


# --- Java -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def maven(tmp_path_factory):
    """What Maven says when it compiles and runs the project, the jar that it has installed, and
    the class path of both."""
    folder = tmp_path_factory.mktemp("maven")
    shutil.copytree(PROGRAMS / "maven", folder / "project")
    output, jar = run_maven(folder, "compile", "exec:java")
    return output, jar, f"{jar}:{folder / 'project' / 'target' / 'classes'}"


def test_the_jar_installs_and_exchanges_a_message(maven):
    output, jar, _ = maven
    assert f"exchanged {VERSION}" in output.splitlines()
    compare_with_list(linked_in(output), sbom_in(jar))


def test_the_installed_jar_has_the_whole_surface(maven):
    check_surface("java", "java", "-cp", maven[2], "DumpJava.java")


def test_the_tls_of_java_works_beside_the_jar(maven, keys):
    program = ("java", "-cp", maven[2], "example.TlsBeside")
    host_tls.judge(lambda *words: attempt(*program, keys, *words, cwd=keys))


# --- C# -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dotnet(tmp_path_factory):
    """The command that starts the program on .NET, and its environment."""
    out = build_dotnet_program(tmp_path_factory.mktemp("dotnet"))
    libraries = {"LD_LIBRARY_PATH": os.environ["DOTNET_SSL_FOLDER"]}
    return (os.environ["DOTNET"], out / "exchange.dll"), libraries


def test_the_nupkg_installs_and_exchanges_a_message(dotnet, tmp_path):
    command, libraries = dotnet
    output = run(*command, "exchange", cwd=tmp_path, **libraries)
    assert output.splitlines()[0] == f"exchanged {VERSION}"
    installed = command[1].parents[1] / "packages" / "martlet" / VERSION
    compare_with_list(
        linked_in(output), json.loads((installed / "licences" / "sbom.cdx.json").read_text())
    )


def test_the_installed_nupkg_has_the_whole_surface(dotnet):
    command, libraries = dotnet
    check_surface("csharp", *command, "surface", **libraries)


def test_the_tls_of_dotnet_works_beside_the_nupkg(dotnet, keys):
    command, libraries = dotnet
    host_tls.judge(
        lambda *words: attempt(*command, "tls_beside", keys, *words, cwd=keys, **libraries)
    )


def test_a_program_for_mono_has_the_native_library_where_the_assembly_looks(tmp_path):
    out = build_dotnet_program(tmp_path, "-p:TargetFramework=netstandard2.1")
    assert (out / "runtimes" / "linux-x64" / "native" / "libmartlet_csharp.so").exists()
