# SPDX-License-Identifier: Apache-2.0
"""Where the packages and the programs that use them are, how a command is run on them, and how each
language's own installer takes them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from npm_registry import NpmRegistry

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "package"))

import contents  # noqa: E402

PROGRAMS = Path(__file__).parent / "programs"
DIST = ROOT / "dist"
VERSION = (ROOT / "VERSION").read_text().strip()
SURFACE_DUMP = ROOT / "bindings" / "csharp" / "Martlet.Tests" / "Surface.cs"
SECONDS_MAX = 400


def attempt(*command, cwd, **environment):
    """A command, ended, in the environment of a person who has nothing of ours."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MARTLET_", "PYTHON"))}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env={**inherited, **environment}, text=True,
        capture_output=True, timeout=SECONDS_MAX, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def run(*command, cwd, **environment):
    """One that must succeed; what it printed."""
    result = attempt(*command, cwd=cwd, **environment)
    assert result.returncode == 0, f"{command}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
    return result.stdout


def compare_with_list(linked, sbom):
    """Every library that the running code names stands in the list, with the same version."""
    listed = {component["name"]: component["version"] for component in sbom["components"]}
    assert len(linked) >= 6
    for name, version in linked.items():
        if name == "libstdc++":  # Tells the major version only.
            assert listed[name].split(".")[0] == version
        else:
            assert listed[name] == version, name


def linked_in(output):
    """The libraries in the lines of a program of ours, `linked NAME VERSION`."""
    lines = [line.split(" ", 2) for line in output.splitlines()]
    return {line[1]: line[2] for line in lines if line[0] == "linked"}


def sbom_in(archive):
    """The list in a jar or a nupkg."""
    listed = [data for name, data in contents.files_of(archive).items()
              if name.rsplit("/", 1)[-1] == "sbom.cdx.json"]  # fmt: skip
    assert len(listed) == 1
    return json.loads(listed[0])


def install_wheel(place):
    """The wheel for the Python of a bare root, into `venv` there."""
    shutil.copytree(DIST, place.folder / "dist")
    place.run("python3 -m venv venv")
    pip = "venv/bin/python -m pip install --no-index --find-links dist --only-binary :all:"
    place.run(f"{pip} martlet")


def install_npm_package(place):
    """An empty npm project in a bare root, with the package from a registry on loopback."""
    (place.folder / "package.json").write_text('{"name": "exchange", "version": "1.0.0"}')
    with NpmRegistry(DIST.glob("*.tgz")) as registry:
        (place.folder / ".npmrc").write_text(f"registry={registry.url}\ncache=./cache\n")
        place.run("node /opt/npm/bin/npm-cli.js install --no-audit --no-fund martlet")


def run_maven(folder, *goals):
    """The project in folder/"project", whose one repository of ours is a folder with what is in
    dist/; what Maven printed, and the jar as Maven has installed it."""
    repository = folder / "repository" / "io" / "martlet" / "martlet" / VERSION
    repository.mkdir(parents=True)
    for path in DIST.glob(f"martlet-{VERSION}*"):
        if path.suffix in (".jar", ".pom"):
            shutil.copy(path, repository)
    # Maven's plugins are kept; a martlet that an earlier run has put there is not.
    kept = Path(os.environ["MARTLET_PEERS"]) / "maven_repository"
    shutil.rmtree(kept / "io" / "martlet", ignore_errors=True)
    output = run(
        "mvn", "-B", "-ntp", f"-Dmaven.repo.local={kept}", f"-Dmartlet.version={VERSION}",
        f"-Dpackages={(folder / 'repository').as_uri()}", *goals, cwd=folder / "project",
    )  # fmt: skip
    jar = kept / "io" / "martlet" / "martlet" / VERSION / f"martlet-{VERSION}.jar"
    assert jar.exists()
    return output, jar


def build_dotnet_program(folder, *options, sources=()):
    """The folder of programs/dotnet and the surface's dump, built with the package from dist/
    alone; with `sources` these are its program."""
    project = folder / "project"
    shutil.copytree(PROGRAMS / "dotnet", project)
    if sources:
        for own in project.glob("*.cs"):
            own.unlink()
    for source in sources or [SURFACE_DUMP]:
        shutil.copy(source, project)
    (project / "nuget.config").write_text(
        "<configuration><packageSources><clear/>"
        f'<add key="dist" value="{DIST}"/></packageSources></configuration>'
    )
    run(os.environ["DOTNET"], "build", "-nologo", "-nodeReuse:false", "-m:1",
        "-p:UseSharedCompilation=false", f"-p:MartletVersion={VERSION}",
        *options, "-o", folder / "out", cwd=project,
        LD_LIBRARY_PATH=os.environ["DOTNET_SSL_FOLDER"],
        NUGET_PACKAGES=str(folder / "packages"))  # fmt: skip
    return folder / "out"
