# SPDX-License-Identifier: Apache-2.0
"""Keeps what a release promised, and tells what breaks it.

python3 tools/apigen/fossil.py           names what today's headers break of any release
python3 tools/apigen/fossil.py --keep    copies today's headers and options, the layouts of what
                                         crosses and a program that uses all of it to
                                         tests/abi/fossils/<major>.<minor>, once for each version

It owns the rule of what a program built against old headers needs of a newer library; why, is in
docs/abi_stability.md. tests/abi/test_fossils.py holds every fossil against it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import header  # noqa: E402
import records  # noqa: E402

FOSSILS = header.ROOT / "tests" / "abi" / "fossils"
CLIENT = ("abi_client.c", "abi_check.h")
LAYOUTS = "layout_golden.json"
# What is another number in each release, as it should be.
MOVING = ("ABI_MAJOR", "ABI_MINOR")


def breaks(old: header.Api, new: header.Api) -> list[str]:
    """What a program built against `old` had and misses in `new`, each in a sentence."""
    return [
        *_functions(old, new),
        *_constants(old, new),
        *_typedefs(old, new),
        *_structs(old, new),
    ]


def _functions(old: header.Api, new: header.Api) -> list[str]:
    today = {each.name: each for each in new.functions}
    found = []
    for each in old.functions:
        now = today.get(each.name)
        if now is None:
            found.append(f"{each.name} is gone")
        elif _shape(now) != _shape(each):
            found.append(f"{each.name} was {each.declaration}, and is {now.declaration}")
    return found


def _shape(function: header.Function) -> tuple:
    """Names of parameters are no part of it: a compiled program knows none."""
    return function.returns, tuple(each.type for each in function.parameters)


def _constants(old: header.Api, new: header.Api) -> list[str]:
    today = {each.name: each.number for each in new.constants}
    found = []
    for each in old.constants:
        if each.name in MOVING or today.get(each.name) == each.number:
            continue
        now = f"is {today[each.name]}" if each.name in today else "is gone"
        found.append(f"MARTLET_{each.name} was {each.number}, and {now}")
    return found


def _typedefs(old: header.Api, new: header.Api) -> list[str]:
    today = {each.name: each.type for each in new.typedefs}
    return [
        f"{each.name} was {each.type}, and is {today.get(each.name, 'gone')}"
        for each in old.typedefs
        if today.get(each.name) != each.type
    ]


def _structs(old: header.Api, new: header.Api) -> list[str]:
    """They grow at their end only: every old field keeps its place."""
    today = {each.name: each for each in new.structs}
    found = []
    for each in old.structs:
        now = today.get(each.name)
        if now is None:
            found.append(f"{each.name} is gone")
            continue
        places = {field.name: (field.offset, field.bytes) for field in now.fields}
        found += [
            f"{each.name}.{field.name} stood at {field.offset} in {field.bytes} bytes, and "
            f"{_place(places.get(field.name))}"
            for field in each.fields
            if places.get(field.name) != (field.offset, field.bytes)
        ]
        if now.bytes < each.bytes:
            found.append(f"{each.name} had {each.bytes} bytes, and has {now.bytes}")
    return found


def option_breaks(old: tuple[records.Record, ...], new: tuple[records.Record, ...]) -> list[str]:
    """What of an options text is allowed by `old` and not by `new`: key, type, word, number."""
    today = {(record.name, field["name"]): field for record in new for field in record.fields}
    found = []
    for record in old:
        for field in record.fields:
            name = f"{record.name}.{field['name']}"
            now = today.get((record.name, field["name"]))
            if now is None:
                found.append(f"{name} is gone")
            elif now["type"] != field["type"]:
                found.append(f"{name} was {field['type']}, and is {now['type']}")
            else:
                lost = set(field.get("words", ())) - set(now.get("words", ()))
                found += [f"{name} takes {word} no more" for word in sorted(lost)]
                found += _narrowed(name, field, now)
    return found


def _narrowed(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    found = []
    if "min" in new and ("min" not in old or new["min"] > old["min"]):
        found.append(f"{name} began at {old.get('min', 'any number')}, and begins at {new['min']}")
    if "max" in new and ("max" not in old or new["max"] < old["max"]):
        found.append(f"{name} went to {old.get('max', 'any number')}, and goes to {new['max']}")
    return found


def _place(place: tuple[int, int] | None) -> str:
    return "is gone" if place is None else f"stands at {place[0]} in {place[1]} bytes"


def kept(fossils: Path = FOSSILS) -> list[Path]:
    """The folder of each release."""
    return sorted(fossils.glob("*/")) if fossils.exists() else []


def all_breaks(fossil: Path, today: header.Api) -> list[str]:
    """What today's headers and options break of the release in this folder."""
    return [
        *breaks(header.read(fossil / "include"), today),
        *option_breaks(records.read(fossil / "records"), records.read()),
    ]


def keep(fossils: Path = FOSSILS) -> Path:
    """Today's headers, options, layouts and client, under the version that the headers tell."""
    api = header.read()
    major, minor = api.number("ABI_MAJOR"), api.number("ABI_MINOR")
    if major < 1:
        raise header.HeaderError(f"ABI {major}.{minor} promises nothing: fossils begin at 1.0")
    folder = fossils / f"{major}.{minor}"
    if folder.exists():
        raise header.HeaderError(f"{folder.name} is kept already; what was released stays as it is")
    (folder / "include" / "martlet").mkdir(parents=True)
    for path in api.headers:
        shutil.copy(path, folder / "include" / "martlet")
    for name in (*CLIENT, LAYOUTS):
        shutil.copy(header.ROOT / "tests" / "abi" / name, folder)
    shutil.copytree(records.FOLDER, folder / "records")
    return folder


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--keep", action="store_true", help="keep today's; refused before ABI 1.0")
    options = parser.parse_args(arguments)
    try:
        if options.keep:
            print(f"kept {keep().relative_to(header.ROOT)}")
            return 0
        today = header.read()
        found = [f"{path.name}: {each}" for path in kept() for each in all_breaks(path, today)]
    except header.HeaderError as error:
        found = [str(error)]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
