# SPDX-License-Identifier: Apache-2.0
"""Checks that includes go down only: core/, capi/ and python/ against core/LAYERS.

Owns: the rules of docs/conventions.md on who may include whom, where the operating system is named,
where threads are made, and where the time is asked for.
Promises: a violation names file, line and rule. Reads text, so that an include which happens to
compile (through another one's path) is found too.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import source_files

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"(?P<ours>[^"]+)"|<(?P<system>[^>]+)>)')
SOURCE_ENDINGS = {".cpp", ".hpp", ".h", ".c", ".ipp", ".inc"}

# Headers of an operating system or of the event library: they belong below core/io/<system>/.
OS_HEADER = re.compile(
    r"^(sys/|netinet/|arpa/|net/|linux/|asm/|mach/|event2/|event\.h|ev[a-z]+\.h|unistd\.h|poll\.h"
    r"|fcntl\.h|signal\.h|csignal|pthread\.h|sched\.h|semaphore\.h|dirent\.h|netdb\.h|ifaddrs\.h"
    r"|termios\.h|pwd\.h|grp\.h|spawn\.h|syslog\.h|time\.h|ucontext\.h|dlfcn\.h|aio\.h"
    r"|windows\.h|winsock2?\.h|ws2[a-z]+\.h|io\.h|process\.h)"
)
OS_FOLDER = re.compile(r"^core/io/[a-z0-9_]+/")

# The broker below net knows no clock, no thread and no socket: they are arguments.
PURE_FOLDERS = ("broker", "protocol", "subject")
IMPURE = re.compile(
    r"^(thread|mutex|shared_mutex|atomic|chrono|condition_variable|future|semaphore|latch|barrier"
    r"|stop_token|ctime|random|filesystem|fstream|iostream|stdatomic\.h|threads\.h)$"
)
# The places where loops share an account with its routing table, and what they may use for that.
IMPURE_ALLOWED = {
    "core/broker/account.hpp": {"atomic"},
    "core/broker/routing_table.hpp": {"atomic", "mutex", "shared_mutex"},
}

# One place makes threads, so that each begins with the host's signals blocked and a thread that
# cannot be had is an error. To hold, pass on and join a std::thread is anybody's; a thread that a
# container makes from a function (emplace_back) escapes this pattern.
MAKES_THREAD = re.compile(
    r"\bstd::thread\s*(?:[a-z_]\w*\s*)?[({]"
    r"|\bstd::(?:jthread|async)\b|\b(?:pthread_create|thrd_create)\b"
)
COMMENT = re.compile(r"//.*|/\*.*?(?:\*/|$)")
THREADS_ALLOWED = {
    "core/io/thread.hpp": "the one place",
    "docs/guide/snippets/requests/requests.cpp": "a user's program: what is ours does not make it",
    "examples/languages/cpp/guest.cpp": "a user's program too",
    "node/src/lead.cpp": "sees no core; does the same for itself",
    "python/src/connection_binding.cpp": "sees no core; Python's own handler takes the signal",
}

# Time is an argument, a martlet::Clock: whoever asks the system himself cannot be tested with
# another one. To wait for a duration is not to ask. Packages see no core, and so no Clock.
NAMES_CLOCK = re.compile(
    r"\bchrono::(?:system|steady|high_resolution|utc|tai|gps|file)_clock\b"
    r"|\b(?:system|steady|high_resolution|utc|tai|gps|file)_clock::"
    r"|\b(?:clock_gettime|gettimeofday|timespec_get)\b"
    r"|\bstd::clock\(|(?<![\w.>])time\(\s*(?:nullptr|NULL|0)\s*\)"
)
CLOCK_FOLDER = re.compile(r"^(?!(?:core|capi)/)|^core/(?:base|io/[a-z0-9_]+)/")
CLOCK_RULE = "the time comes from a Clock (core/base/clock.hpp); io::SystemClock is the real one"
THREADS_RULE = "threads are made by io::start_thread() (core/io/thread.hpp)"


class LayersError(Exception):
    """core/LAYERS itself is wrong."""


def read_layers(path: Path) -> dict[str, set[str]]:
    """Folder -> the folders it may include. Refuses unknown names and circles."""
    layers: dict[str, set[str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([a-z_]+):((?: [a-z_]+)*)\s*", line)
        if match is None or match.group(1) in layers:
            raise LayersError(f"core/LAYERS:{number}: not 'folder: folder folder', or twice")
        layers[match.group(1)] = set(match.group(2).split())
    for folder, below in layers.items():
        if unknown := sorted(below - set(layers)):
            raise LayersError(f"core/LAYERS:1: {folder} lists {unknown[0]}, which has no line")
        if folder in _reach(layers, below):
            raise LayersError(f"core/LAYERS:1: {folder} reaches itself")
    return layers


def _reach(layers: dict[str, set[str]], start: set[str]) -> set[str]:
    seen: set[str] = set()
    todo = list(start)
    while todo:
        folder = todo.pop()
        if folder not in seen:
            seen.add(folder)
            todo.extend(layers[folder])
    return seen


def includes(text: str):
    """Each include of a file: line number, path, whether it was written with quotes."""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := INCLUDE.match(line):
            ours = match.group("ours")
            yield number, ours or match.group("system"), ours is not None


def lines_with(pattern: re.Pattern[str], text: str) -> list[int]:
    """The numbers of the lines that have it outside of comments."""
    lines = enumerate(text.splitlines(), start=1)
    return [number for number, line in lines if pattern.search(COMMENT.sub("", line))]


def check(root: Path) -> tuple[list[str], int]:
    """The violations, and how many files were read."""
    try:
        layers = read_layers(root / "core" / "LAYERS")
    except (LayersError, OSError) as error:
        return [str(error)], 1
    violations: list[str] = []
    checked = 0
    for path in source_files.listed(root):
        if path.suffix not in SOURCE_ENDINGS or path.parts[0] == "tests":
            continue
        checked += 1
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        for number, included, quoted in includes(text):
            for problem in _problems(root, layers, path, included, quoted):
                violations.append(f"{path}:{number}: {problem}")
        if str(path) not in THREADS_ALLOWED:
            found = lines_with(MAKES_THREAD, text)
            violations += [f"{path}:{number}: {THREADS_RULE}" for number in found]
        if not CLOCK_FOLDER.match(str(path)):
            found = lines_with(NAMES_CLOCK, text)
            violations += [f"{path}:{number}: {CLOCK_RULE}" for number in found]
    violations += _folders_without_line(root, layers)
    return violations, checked


def _folders_without_line(root: Path, layers: dict[str, set[str]]) -> list[str]:
    folders = {path.parts[1] for path in source_files.listed(root) if _in_core_folder(path)}
    return [f"core/{name}: has no line in core/LAYERS" for name in sorted(folders - set(layers))]


def _in_core_folder(path: Path) -> bool:
    return len(path.parts) > 2 and path.parts[0] == "core"


def _problems(root: Path, layers, path: Path, included: str, quoted: bool):
    if ".." in included.split("/"):
        yield f'"{included}": includes are written from core/ or an include folder, without ..'
        return
    if included.split("/")[0] == "tests":
        yield f'"{included}": nothing outside tests/ may include tests'
        return
    if path.parts[0] == "core":
        yield from _problems_in_core(root, layers, path, included, quoted)
    elif path.parts[0] == "capi":
        yield from _problems_in_capi(root, layers, path, included, quoted)
    elif path.parts[0] in ("python", "node", "bindings"):
        yield from _problems_in_bindings(root, path, included)


def _problems_in_core(root: Path, layers, path: Path, included: str, quoted: bool):
    own = path.parts[1]
    if quoted:
        target = included.split("/")[0]
        if not (root / "core" / included).is_file():
            yield f'"{included}": there is no core/{included} (includes are relative to core/)'
        elif target != own and target not in layers.get(own, set()):
            yield f"{own} may not include {target} (core/LAYERS)"
        return
    if OS_HEADER.match(included) and not OS_FOLDER.match(str(path)):
        yield f"<{included}>: the operating system is named only in core/io/<system>/"
    if own in PURE_FOLDERS and IMPURE.match(included):
        if included not in IMPURE_ALLOWED.get(str(path), set()):
            yield f"<{included}>: {own} knows no clock, thread, lock or file; they are arguments"
    if included.split("/")[0] in layers and (root / "core" / included).is_file():
        yield f"<{included}>: our own headers are written with quotes"
    if included.startswith("martlet/"):
        yield f"<{included}>: core does not know the C interface"


# What the C interface may take from core/: the objects it hands out and the words they speak.
CAPI_FOLDERS = {"base", "io", "client", "server", "link"}


def _problems_in_capi(root: Path, layers, path: Path, included: str, quoted: bool):
    public = str(path).startswith("capi/include/")
    target = included.split("/")[0]
    if quoted and target in layers and (root / "core" / included).is_file():
        if public:
            yield f'"{included}": a public header includes no part of core'
        elif target not in CAPI_FOLDERS:
            yield f"capi may not include {target}, only {', '.join(sorted(CAPI_FOLDERS))}"
    if (
        public
        and path.suffix == ".h"
        and not quoted
        and not re.fullmatch(r"std[a-z]+\.h", included)
    ):
        yield f"<{included}>: the public C headers need nothing but C11's own"


def _problems_in_bindings(root: Path, path: Path, included: str):
    if (root / "core" / included).is_file() or included.startswith("core/"):
        yield f'"{included}": {path.parts[0]} sees capi/include only'
    elif (root / "capi" / "src" / included).is_file():
        yield f'"{included}": {path.parts[0]} sees capi/include only'


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Checks that includes go down only.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    violations, checked = check(parser.parse_args(arguments).root)
    return source_files.report("check_layers", checked, violations)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
