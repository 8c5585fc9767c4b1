# SPDX-License-Identifier: Apache-2.0
"""Where the packages and the programs that use them are, and how a command is run on them."""

import os
import shutil
import subprocess
from pathlib import Path

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


def build_dotnet_program(folder, *options):
    """The folder of programs/dotnet, built with the package from dist/ alone."""
    project = folder / "project"
    shutil.copytree(PROGRAMS / "dotnet", project)
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
