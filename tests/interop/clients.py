# SPDX-License-Identifier: Apache-2.0
#
# How each client program comes to be: fetched and built by its ecosystem's own tool into a cache
# outside the checkout (MARTLET_CACHE, by default ~/.cache/martlet), under a name made of all that
# went in, so that a second run finds it ready. Promises that nothing is written to the checkout.

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time
from typing import Callable

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE.parents[1] / "tools" / "dev"  # Where the versions of nats-py and nats.js are pinned.
STALE_DAYS = 7
NAMES = ("python", "node", "go", "java", "rust", "cli")
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
    ready = folder / ".ready"
    parent.mkdir(parents=True, exist_ok=True)
    with (parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            remove_stale(parent)
            folder.mkdir()
            for path in sources:
                shutil.copy(path, folder / path.name)
            build(folder)
        ready.touch()
    return folder


def remove_stale(parent: pathlib.Path) -> None:
    """Folders of other inputs that nobody has used for a while: another checkout may be at work."""
    for folder in parent.iterdir():
        ready = folder / ".ready"
        if ready.exists() and time.time() - ready.stat().st_mtime > STALE_DAYS * 86400:
            shutil.rmtree(folder, ignore_errors=True)


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
    requirements = PEERS / "requirements" / "nats_py.txt"

    def build(folder: pathlib.Path) -> None:
        run([sys.executable, "-m", "venv", "venv"], seconds_max, folder)
        run(["venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--requirement", requirements.name], seconds_max, folder)

    folder = ready_folder("python", [requirements], sys.version, build)
    return [str(folder / "venv/bin/python"), str(HERE / "python" / "client.py")]


def prepare_node(seconds_max: int) -> list[str]:
    node = tool("node")

    def build(folder: pathlib.Path) -> None:
        run([tool("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
            seconds_max, folder)

    # The program lies beside node_modules in the cache: that is where node looks for packages.
    names = ["package.json", "package-lock.json", ".npmrc"]
    sources = [*[PEERS / "peers" / "nats_js" / name for name in names], HERE / "node/client.mjs"]
    folder = ready_folder("node", sources, run([node, "--version"], 60, HERE), build)
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
    found = nats or os.environ.get("NATS_CLI") or shutil.which("nats")
    if found is None:
        raise PrepareError("no nats tool: name it with --nats, $NATS_CLI, or put it on PATH")
    run([found, "--version"], seconds_max, HERE)
    return [sys.executable, str(HERE / "cli" / "client.py"), found]


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
