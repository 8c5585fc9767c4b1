# SPDX-License-Identifier: Apache-2.0
"""Reads packages: which files are in them, and what a shared object in them needs and shows.

Owns: the one way to look into a wheel, an sdist, an npm package, a jar, a nupkg; and the reading of
objdump's table of dynamic symbols.
"""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

ZIPS = {".whl", ".jar", ".nupkg"}


def files_of(package: Path) -> dict[str, bytes]:
    """Every file of a package by its name in there."""
    if package.suffix in ZIPS:
        with zipfile.ZipFile(package) as archive:
            return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}
    files = {}
    with tarfile.open(fileobj=io.BytesIO(package.read_bytes())) as archive:
        for member in archive.getmembers():
            if member.isfile():
                files[member.name] = archive.extractfile(member).read()
    return files


def natives_of(package: Path) -> dict[str, bytes]:
    """The shared objects in a package, known by their first bytes."""
    return {name: data for name, data in files_of(package).items() if data[:4] == b"\x7fELF"}


@dataclass
class Symbols:
    """The dynamic symbols of a shared object, and the libraries that it asks for."""

    exported: set[str] = field(default_factory=set)
    unversioned: set[str] = field(default_factory=set)  # Needed, and anybody may bring them.
    versions: set[str] = field(default_factory=set)  # Needed, such as GLIBC_2.17.
    libraries: set[str] = field(default_factory=set)


SYMBOL = re.compile(r"^[0-9a-f]{8,} (?P<flags>.{7}) (?P<section>\S+)\s+[0-9a-f]+\s+(?P<rest>\S.*)$")
VERSION_NEEDED = re.compile(r"(?m)^\s+0x[0-9a-f]+ 0x[0-9a-f]+ \d+ (\S+)$")
NO_VERSION = {"Base", ".hidden", ".protected", ".internal"}


def symbols_of(native: bytes) -> Symbols:
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(native)
        file.flush()
        return read_symbols(objdump("-T", file.name), objdump("-p", file.name))


def objdump(option: str, path: str) -> str:
    answer = subprocess.run(["objdump", option, path], check=True, capture_output=True, text=True)
    return answer.stdout


def read_symbols(table: str, headers: str) -> Symbols:
    symbols = Symbols()
    for line in table.splitlines():
        match = SYMBOL.match(line.replace("\t", " "))
        if match is not None:
            add_symbol(symbols, match)
        elif re.match(r"[0-9a-f]{8,} ", line):
            raise ValueError(f"a line of objdump that is not understood: {line}")
    symbols.versions |= set(VERSION_NEEDED.findall(headers.partition("Version References:")[2]))
    symbols.libraries = set(re.findall(r"(?m)^\s+NEEDED\s+(\S+)", headers))
    return symbols


def add_symbol(symbols: Symbols, match: re.Match) -> None:
    *words, name = match["rest"].split()
    version = words[0].strip("()") if words and words[0] not in NO_VERSION else None
    if match["section"] == "*UND*":
        if version is not None:
            symbols.versions.add(version)
        elif "w" not in match["flags"]:
            symbols.unversioned.add(name)
    elif match["section"] != "*ABS*":  # That is the name of a version itself.
        symbols.exported.add(name)


def glibc_above(versions: set[str], floor: str) -> list[str]:
    """Those of the C library's versions that are above the floor."""
    limit = tuple(map(int, floor.split(".")))
    above = []
    for version in sorted(versions):
        match = re.fullmatch(r"GLIBC_([0-9.]+|\w+)", version)
        if match is None:
            continue
        numbers = match[1].split(".")
        if not all(number.isdigit() for number in numbers) or tuple(map(int, numbers)) > limit:
            above.append(version)
    return above
