# SPDX-License-Identifier: Apache-2.0
"""Goal: capi/records describes exactly the options that the core takes.

Method: through the C ABI, with ctypes. Each described key is given each of its values, bounds
and words (taken), a value beyond each bound and of each wrong type (refused, and the sentence
names the key). That the core takes nothing else is read from its tables of keys.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = (
    Path(os.environ.get("MARTLET_BUILD", ROOT / "build" / "release")) / "lib" / "libmartlet.so"
)
RECORDS = {
    path.stem: tomllib.loads(path.read_text())
    for path in sorted((ROOT / "capi" / "records").glob("*.toml"))
}
FIELDS = [(record, field) for record, content in RECORDS.items() for field in content["field"]]
GOOD_TEXT = {
    "servers": "nats://127.0.0.1:4222",
    "url": "nats://127.0.0.1:4222",
    "inbox_prefix": "x",
    "host": "127.0.0.1",
}
# What must stand beside a value at its bound.
BESIDE = {"max_pending": {"max_payload": 1}, "password": {"user": "x"}}
TYPES = {"text", "texts", "bool", "int", "word"}


class Abi:
    """As much of the C ABI as making things of options needs."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(str(LIBRARY))
        self.library.martlet_error_text.restype = ctypes.c_char_p
        self.library.martlet_error_text.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        for name in ("error", "queue", "server", "connection", "subscription"):
            getattr(self.library, f"martlet_{name}_free").argtypes = [ctypes.c_void_p]
        self.server = self._handle("server", "{}")
        assert self.library.martlet_server_start(self.server, None) == 0
        self.queue = self._handle("queue", "")
        self.connection = ctypes.c_void_p()
        status = self.library.martlet_connection_new_in_process(
            self.server,
            None,
            ctypes.c_int64(0),
            None,
            ctypes.c_int64(0),
            ctypes.byref(self.connection),
            None,
        )
        assert (
            status == 0 and self.library.martlet_connection_connect(self.connection, -1, None) == 0
        )

    def close(self) -> None:
        self.library.martlet_connection_free(self.connection)
        self.library.martlet_queue_free(self.queue)
        self.library.martlet_server_free(self.server)

    def _handle(self, noun: str, options: str) -> ctypes.c_void_p:
        handle = ctypes.c_void_p()
        text = options.encode()
        new = getattr(self.library, f"martlet_{noun}_new")
        assert new(text, ctypes.c_int64(len(text)), ctypes.byref(handle), None) == 0
        return handle

    def try_options(self, record: str, options: Any) -> tuple[int, str]:
        """The status and the sentence of making a thing with these options."""
        text = json.dumps(options).encode()
        handle, error = ctypes.c_void_p(), ctypes.c_void_p()
        count, zero, out = ctypes.c_int64(len(text)), ctypes.c_int64(0), ctypes.byref(handle)
        noun = record.removesuffix("_options")
        if noun == "connection":
            status = self.library.martlet_connection_new(
                text, count, None, zero, out, ctypes.byref(error)
            )
        elif noun == "subscription":
            status = self.library.martlet_subscription_new(
                self.connection,
                b"a",
                ctypes.c_int64(1),
                None,
                zero,
                text,
                count,
                self.queue,
                zero,
                out,
                ctypes.byref(error),
            )
        else:
            new = getattr(self.library, f"martlet_{noun}_new")
            status = new(text, count, out, ctypes.byref(error))
        sentence = self.library.martlet_error_text(error, None).decode()
        self.library.martlet_error_free(error)
        getattr(self.library, f"martlet_{noun}_free")(handle)
        return status, sentence


@pytest.fixture(scope="module")
def abi():
    opened = Abi()
    yield opened
    opened.close()


def good_values(field: dict[str, Any]) -> list[Any]:
    if field["type"] == "bool":
        return [True, False]
    if field["type"] == "int":
        return [field["min"], field["max"], field.get("default", field["min"])]
    if field["type"] == "word":
        return field["words"]
    text = GOOD_TEXT.get(field["name"], "x")
    return [text, [text]] if field["type"] == "texts" else [text]


def bad_values(field: dict[str, Any]) -> list[Any]:
    wrong: list[Any] = [None, {}, 1.5]
    if field["type"] != "bool":
        wrong.append(True)
    if field["type"] != "int":
        wrong.append(1)
    if field["type"] in ("bool", "int"):
        wrong.append("x")
    if field["type"] != "texts":
        wrong.append(["x"])
    if field["type"] == "int":
        wrong += [field["min"] - 1, field["max"] + 1]
    if field["type"] == "word":
        wrong.append("no such word")
    return wrong


@pytest.mark.parametrize(("record", "field"), FIELDS, ids=[f"{r}.{f['name']}" for r, f in FIELDS])
def test_field(abi: Abi, record: str, field: dict[str, Any]):
    assert (
        field["type"] in TYPES and field["doc"] and re.fullmatch(r"\d+\.\d+\.\d+", field["since"])
    )
    assert ("unit" in field) == (field["type"] == "int")
    for value in good_values(field):
        status, sentence = abi.try_options(
            record, {**BESIDE.get(field["name"], {}), field["name"]: value}
        )
        assert status == 0, (value, sentence)
    for value in bad_values(field):
        status, sentence = abi.try_options(record, {field["name"]: value})
        assert status == -4, (value, sentence)
        assert f'"{field["name"]}"' in sentence, (value, sentence)


@pytest.mark.parametrize("record", sorted(RECORDS))
def test_an_unknown_key_is_named(abi: Abi, record: str):
    status, sentence = abi.try_options(record, {"no_such_key": 1})
    assert status == -4 and '"no_such_key"' in sentence


def test_the_core_has_no_other_keys():
    server = (ROOT / "core" / "server" / "options_json.cpp").read_text()
    client = (ROOT / "core" / "client" / "connection_options.cpp").read_text()
    in_core = set(re.findall(r'^ +\{"(\w+)",', server, re.MULTILINE))
    assert in_core == {field["name"] for field in RECORDS["server_options"]["field"]}
    in_core = set(re.findall(r'\{"(\w+)",\s*read_\w+', client))
    described = {
        field["name"]
        for record, content in RECORDS.items()
        if record != "server_options"
        for field in content["field"]
    }
    assert in_core == described


@pytest.mark.parametrize("record", sorted(RECORDS))
def test_fields_are_sorted(record: str):
    names = [field["name"] for field in RECORDS[record]["field"]]
    assert names == sorted(set(names))


# --- the languages ---

# Where a language writes the library's names of options.
SOURCES = {
    "python": ["python/martlet/_*.py"],
    "node": ["node/lib/options.ts", "node/lib/connect.ts", "node/lib/server.ts"],
    "java": ["bindings/java/src/main/java/io/martlet/{java}.java"],
    "csharp": ["bindings/csharp/Martlet/Martlet{csharp}Options.cs"],
}
# In the languages that have a class for each record.
CLASSES = {
    "connection_options": {"java": "Options", "csharp": "Connection"},
    "server_options": {"java": "Server", "csharp": "Server"},
    "subscription_options": {"java": "SubscribeOptions", "csharp": "Subscription"},
}
# What users of a language cannot choose, and why. One that they can choose fails.
HOW_IT_RUNS = "how a connection runs is the package's own choice"
URLS = "the same as servers"
NOT_OFFERED = {
    ("python", "connection_options", "url"): URLS,
    ("python", "connection_options", "gather"): HOW_IT_RUNS,
    ("node", "connection_options", "url"): URLS,
    ("node", "connection_options", "run"): HOW_IT_RUNS,
    ("node", "connection_options", "gather"): HOW_IT_RUNS,
    ("java", "connection_options", "run"): HOW_IT_RUNS,
    ("java", "connection_options", "spin_us"): "who calls waits for a future, not in the library",
    ("java", "connection_options", "gather"): HOW_IT_RUNS,
    ("csharp", "connection_options", "url"): URLS,
    ("csharp", "connection_options", "run"): HOW_IT_RUNS,
    ("csharp", "connection_options", "gather"): HOW_IT_RUNS,
}


@pytest.mark.parametrize("record", sorted(CLASSES))
@pytest.mark.parametrize("language", sorted(SOURCES))
def test_each_language_offers_each_option(language: str, record: str):
    text = "".join(
        path.read_text()
        for pattern in SOURCES[language]
        for path in ROOT.glob(pattern.format(**CLASSES[record]))
    )
    names = {field["name"] for field in RECORDS[record]["field"]}
    missing = {name for name in names if not re.search(rf'\b{name}\\?["=]', text)}
    excused = {key[2] for key in NOT_OFFERED if key[:2] == (language, record)}
    assert missing == excused
