# SPDX-License-Identifier: Apache-2.0
#
# How each client program comes to be: fetched and built by its ecosystem's own tool into a cache
# outside the checkout (MARTLET_CACHE, by default ~/.cache/martlet), under a name made of all that
# went in, so that a second run finds it ready. Promises that nothing is written to the checkout.

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Callable

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ("python", "node", "go", "java", "rust")
NATS_TOOL = "github.com/nats-io/natscli/nats@v0.5.1"
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


class PrepareError(Exception):
    pass


def cache() -> pathlib.Path:
    chosen = os.environ.get("MARTLET_CACHE")
    return pathlib.Path(chosen) if chosen else pathlib.Path.home() / ".cache" / "martlet"


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise PrepareError(f"'{name}' is not on PATH (tools/dev/peers.sh installs the toolchains)")
    return path


def run(argv: list[str], seconds_max: int, cwd: pathlib.Path, **environment: str) -> str:
    try:
        done = subprocess.run(argv, cwd=cwd, env={**os.environ, **environment}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds_max)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PrepareError(str(error)) from error
    if done.returncode != 0:
        tail = " | ".join(done.stdout.strip().splitlines()[-8:])
        raise PrepareError(f"'{' '.join(argv)}' ended with {done.returncode}: {tail}")
    return done.stdout


def ready_folder(name: str, sources: list[pathlib.Path], toolchain: str,
                 build: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """The folder of this exact input; `build` fills it once. A half-filled one is never used."""
    digest = hashlib.sha256(toolchain.encode())
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    parent = cache() / "interop" / name
    folder = parent / digest.hexdigest()[:16]
    if (folder / ".ready").exists():
        return folder
    parent.mkdir(parents=True, exist_ok=True)
    for stale in parent.iterdir():
        shutil.rmtree(stale, ignore_errors=True)
    folder.mkdir()
    for path in sources:
        shutil.copy(path, folder / path.name)
    build(folder)
    (folder / ".ready").touch()
    return folder


class Client:
    def __init__(self, name: str, what: str, checks: list[str],
                 prepare: Callable[[int], list[str]], **environment: str) -> None:
        self.name = name
        self.what = what
        self.checks = checks
        self.prepare = prepare
        self._environment = environment

    def environment(self) -> dict[str, str]:
        return self._environment


def prepare_python(seconds_max: int) -> list[str]:
    here = HERE / "python"

    def build(folder: pathlib.Path) -> None:
        run([sys.executable, "-m", "venv", "venv"], seconds_max, folder)
        run(["venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--requirement", "requirements.txt"], seconds_max, folder)

    folder = ready_folder("python", [here / "requirements.txt"], sys.version, build)
    return [str(folder / "venv/bin/python"), str(here / "client.py")]


def prepare_node(seconds_max: int) -> list[str]:
    here = HERE / "node"
    node = tool("node")

    def build(folder: pathlib.Path) -> None:
        run([tool("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
            seconds_max, folder)

    # The program lies beside node_modules in the cache: that is where node looks for packages.
    names = ["package.json", "package-lock.json", ".npmrc", "client.mjs"]
    version = run([node, "--version"], 60, here)
    folder = ready_folder("node", [here / name for name in names], version, build)
    return [node, str(folder / "client.mjs")]


def prepare_go(seconds_max: int) -> list[str]:
    here = HERE / "go"
    go = tool("go")

    def build(folder: pathlib.Path) -> None:
        run([go, "build", "-mod=readonly", "-o", "client", "."], seconds_max, folder)

    sources = [here / "go.mod", here / "go.sum", *sorted(here.glob("*.go"))]
    folder = ready_folder("go", sources, run([go, "version"], 60, here), build)
    return [str(folder / "client")]


def prepare_java(seconds_max: int) -> list[str]:
    here = HERE / "java"
    java = tool("java")

    def build(folder: pathlib.Path) -> None:
        run([tool("mvn"), "--quiet", "--batch-mode", f"{DEPENDENCY_PLUGIN}:copy-dependencies",
             "-DoutputDirectory=lib"], seconds_max, folder)
        run([tool("javac"), "-Xlint:all,-classfile,-processing", "-Werror", "-d", "classes",
             "-cp", "lib/*", *[path.name for path in folder.glob("*.java")]], seconds_max, folder)

    sources = [here / "pom.xml", *sorted(here.glob("*.java"))]
    folder = ready_folder("java", sources, run([java, "--version"], 60, here), build)
    return [java, "-XX:+UseSerialGC", "-cp", f"{folder}/classes:{folder}/lib/*", "interop.Client"]


def prepare_rust(seconds_max: int) -> list[str]:
    here = HERE / "rust"
    cargo = tool("cargo")
    target = cache() / "interop" / "rust-target"
    target.mkdir(parents=True, exist_ok=True)
    # cargo knows by itself what is up to date, and a new program need not rebuild its crates.
    run([cargo, "build", "--quiet", "--locked"], seconds_max, here, CARGO_TARGET_DIR=str(target))
    return [str(target / "debug" / "interop-client")]


def prepare_cli(nats: str | None, seconds_max: int) -> list[str]:
    program = [sys.executable, str(HERE / "cli" / "client.py")]
    if nats:
        return [*program, nats]
    built = cache() / "bin" / "nats"
    if not built.exists():
        built.parent.mkdir(parents=True, exist_ok=True)
        run([tool("go"), "install", NATS_TOOL], seconds_max, built.parent, GOBIN=str(built.parent))
    return [*program, str(built)]


def choose(names: list[str], checks: list[str], cli_checks: list[str],
           nats: str | None) -> list[Client]:
    every = [
        Client("python", "nats-py, asyncio", checks, prepare_python, PYTHONUNBUFFERED="1"),
        Client("node", "@nats-io/transport-node", checks, prepare_node),
        Client("go", "nats.go", checks, prepare_go),
        Client("java", "jnats", checks, prepare_java),
        Client("rust", "async-nats", checks, prepare_rust),
        Client("cli", "the nats tool", cli_checks, lambda seconds: prepare_cli(nats, seconds)),
    ]
    return [client for client in every if client.name in names]
