# SPDX-License-Identifier: Apache-2.0
"""Where the packages and the programs that use them are, how a command is run on them, and how each
language's own installer takes them."""

import os
import shutil
import subprocess
from pathlib import Path

from npm_registry import NpmRegistry

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).parent / "programs"
DIST = ROOT / "dist"
VERSION = (ROOT / "VERSION").read_text().strip()
SECONDS_MAX = 400


def run(*command, cwd, **environment):
    """A command that must succeed, in the environment of a person who has nothing of ours."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MARTLET_", "PYTHON"))}
    result = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**inherited, **environment}, text=True,
        capture_output=True, timeout=SECONDS_MAX, stdin=subprocess.DEVNULL,
    )  # fmt: skip
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
    """The folder of programs/dotnet, built with the package from dist/ alone; with `sources` these
    are its program."""
    project = folder / "project"
    shutil.copytree(PROGRAMS / "dotnet", project)
    if sources:
        (project / "Exchange.cs").unlink()
    for source in sources:
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
