# SPDX-License-Identifier: Apache-2.0
"""Owns the refusal of a native part that does not fit. Before it is loaded: one that is cut off
would not be refused by the loader, it would end the program at the first access behind its end.
After it: one of another ABI than this package's.
"""

from __future__ import annotations

import os
import struct
from importlib.machinery import EXTENSION_SUFFIXES
from types import ModuleType
from typing import BinaryIO

from . import _constants

_HEADER = struct.Struct("<4sB27xQ14xHH")  # Magic, class, where the segments are, size, count.
_SEGMENT = struct.Struct("<IIQ16xQ16x")  # Kind, flags, where its bytes are, how many.
_CLASS_64 = 2
_LOADED = 1
_ABI_MAJOR_STEP = 1000  # martlet_abi_version() is that many times the major, and the minor.


def refuse_if_damaged(folder: str) -> None:
    """Raises ImportError if the native part in that folder ends before what its headers say."""
    for suffix in EXTENSION_SUFFIXES:
        path = os.path.join(folder, "_raw" + suffix)
        if os.path.exists(path):
            try:
                with open(path, "rb") as file:
                    damage = _damage_of(file, os.path.getsize(path))
            except OSError:
                return  # The loader says why.
            if damage:
                raise ImportError(f"{path} cannot be loaded: {damage}", name="martlet._raw")
            return


def refuse_if_of_another_abi(native: ModuleType) -> None:
    """Raises ImportError unless it has all that this package was made for."""
    version: int = native.abi_version() if hasattr(native, "abi_version") else 0
    major, minor = divmod(version, _ABI_MAJOR_STEP)
    if major == _constants.ABI_MAJOR and minor >= _constants.ABI_MINOR:
        return
    needed = f"{_constants.ABI_MAJOR}.{_constants.ABI_MINOR}"
    raise ImportError(
        f"{native.__file__} has the ABI {major}.{minor}, this package needs {needed}: use files of"
        " one release",
        name=native.__name__,
        path=native.__file__,
    )


def _damage_of(file: BinaryIO, size: int) -> str:
    try:
        magic, kind, at, segment_bytes, count = _HEADER.unpack(file.read(_HEADER.size))
        if magic != b"\x7fELF" or kind != _CLASS_64:
            return ""  # The loader says what it is.
        end = at + segment_bytes * count
        for index in range(count):
            file.seek(at + segment_bytes * index)
            kind, _, offset, held = _SEGMENT.unpack(file.read(_SEGMENT.size))
            if kind == _LOADED:
                end = max(end, offset + held)
    except struct.error:
        return "it is damaged: it ends within its headers"
    return "" if size >= end else f"it is damaged: {size} bytes of {end}"
