# SPDX-License-Identifier: Apache-2.0
"""Owns what both Python runners share (tests/parity/README.md): payloads and messages as text, the
package's names of options, server processes asked of run.py, and the file of transcripts.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import martlet
from martlet import errors

DEFAULT_MS = 10_000

SERVER_NAMES = {"server_name": "name"}

#: The library's name of an option -> Python's, and what becomes of its value.
SECONDS = lambda ms: ms / 1000  # noqa: E731
INVERTED = lambda flag: not flag  # noqa: E731
CONNECTION_NAMES: Dict[str, Any] = {
    "echo": ("no_echo", INVERTED),
    "connect_timeout_ms": ("connect_timeout", SECONDS),
    "reconnect": ("allow_reconnect", None),
    "reconnect_wait_ms": ("reconnect_time_wait", SECONDS),
    "reconnect_jitter_ms": ("reconnect_jitter", SECONDS),
    "reconnect_attempts_max": ("max_reconnect_attempts", None),
    "reconnect_buffer_bytes_max": ("reconnect_buffer_size", None),
    "randomize_servers": ("dont_randomize", INVERTED),
    "ping_interval_ms": ("ping_interval", SECONDS),
    "pings_out_max": ("max_outstanding_pings", None),
    "drain_timeout_ms": ("drain_timeout", SECONDS),
    "pending_bytes_max": ("pending_size", None),
    "requests_max": ("max_requests", None),
}
SUBSCRIPTION_NAMES = {
    "messages_max": "pending_msgs_limit",
    "bytes_max": "pending_bytes_limit",
    "full_policy": "policy",
}


class Thrown(Exception):
    """A failure of the scenario's own callback."""


def connection_options(step: Dict[str, Any]) -> Dict[str, Any]:
    options = {}
    for key, value in step.get("options", {}).items():
        name, convert = CONNECTION_NAMES.get(key, (key, None))
        options[name] = convert(value) if convert else value
    return options


def subscribe_arguments(step: Dict[str, Any]) -> Dict[str, Any]:
    options = step.get("options", {})
    arguments = {SUBSCRIPTION_NAMES.get(key, key): value for key, value in options.items()}
    arguments["queue"] = step.get("queue", "")
    arguments["max_msgs"] = step.get("max_messages", 0)
    return arguments


def seconds_of(step: Dict[str, Any]) -> float:
    return step.get("timeout_ms", DEFAULT_MS) / 1000


def fnv_text(data: bytes) -> str:
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{value:08x}"


def payload_of(step: Dict[str, Any], message: Any = None, number: int = 0) -> bytes:
    if "size" in step:
        letters = bytes(ord("a") + i for i in range(26))
        return (letters * (step["size"] // 26 + 1))[: step["size"]]
    if "hex" in step:
        return bytes.fromhex(step["hex"])
    data = step.get("data", "").encode().replace(b"{n}", b"%d" % number)
    return data if message is None else data.replace(b"{data}", message.data)


def shown(message: Any) -> Dict[str, Any]:
    """What a transcript shows of a message."""
    out: Dict[str, Any] = {"subject": without_inbox(message.subject)}
    if message.reply:
        out["reply"] = without_inbox(message.reply)
    if message.headers:
        out["headers"] = {name: message.headers.get_all(name) for name in message.headers}
    if message.headers is not None and message.headers.status:
        out["status"] = message.headers.status
    data = message.data
    plain = len(data) <= 64 and all(0x20 <= byte <= 0x7E for byte in data)
    out["data"] = data.decode() if plain else f"{len(data)} bytes, fnv {fnv_text(data)}"
    return out


def without_inbox(subject: str) -> str:
    return "_INBOX" if subject.startswith("_INBOX.") else subject


STATUS_NAMES = {
    # The name of the status, which the package keeps to itself, by the class that stands for it.
    errors.InvalidArgumentError: "ERR_INVALID_ARGUMENT",
    errors.OptionsError: "ERR_OPTIONS",
    errors.BadSubjectError: "ERR_SUBJECT",
    errors.MaxPayloadError: "ERR_MAX_PAYLOAD",
    errors.LimitError: "ERR_LIMIT",
    errors.TimeoutError: "ERR_TIMEOUT",
    errors.ConnectionClosedError: "ERR_CLOSED",
    errors.DrainingError: "ERR_DRAINING",
    errors.DisconnectedError: "ERR_DISCONNECTED",
    errors.NoServersError: "ERR_NO_SERVERS",
    errors.NoRespondersError: "ERR_NO_RESPONDERS",
    errors.AuthorizationError: "ERR_AUTHORIZATION",
    errors.PermissionsError: "ERR_PERMISSIONS",
    errors.StaleConnectionError: "ERR_STALE_CONNECTION",
    errors.ProtocolError: "ERR_PROTOCOL",
    errors.SlowConsumerError: "ERR_SLOW_CONSUMER",
    errors.AddressInUseError: "ERR_ADDRESS_IN_USE",
    errors.SystemIOError: "ERR_IO",
    errors.StateError: "ERR_STATE",
    errors.InCallbackError: "ERR_IN_CALLBACK",
    Thrown: "thrown",
}


def status_of(error: BaseException) -> str:
    if type(error) in STATUS_NAMES:
        return STATUS_NAMES[type(error)]
    return f"EXCEPTION {type(error).__name__}: {error}"


def state_of(connection: Any) -> str:
    if connection.is_closed:
        return "closed"
    if connection.is_draining:
        return "draining"
    return "reconnecting" if connection.is_reconnecting else "connected"


class Broker:
    """A server of the scenario: an object of this process, or the URL of one that run.py starts."""

    def __init__(self, step: Dict[str, Any], in_process: bool) -> None:
        self.name = step.get("as", "server")
        self.lines: List[str] = []
        self.object: Optional[martlet.Server] = None
        if not in_process:
            self.url = ask({**step, "as": self.name})
            return
        log = {"log": lambda level, line: self.lines.append(line)} if step.get("log") else {}
        if "config" in step:
            self.object = martlet.Server(config=step["config"], **log)
        else:
            options = {"listen": False, **step.get("options", {})}
            given = {SERVER_NAMES.get(key, key): value for key, value in options.items()}
            self.object = martlet.Server(**given, **log)
        self.object.start()
        self.url = self.object.url

    def do(self, what: str) -> None:
        if self.object is None:
            ask({"do": what, "on": self.name})
        elif what == "stop":
            self.object.stop()
        else:
            self.object.start()

    def get(self, step: Dict[str, Any]) -> Any:
        assert self.object is not None
        if step["what"] == "statistics":
            counted = self.object.statistics()
            return {key: counted[key] for key in step["keys"]}
        if step["what"] == "port":
            return self.object.port > 0
        return re.sub(r":\d+$", ":PORT", self.object.url)


def target_of(step: Dict[str, Any], brokers: Dict[str, Broker]) -> Any:
    """What `connect` is given."""
    if "urls" in step:
        return [with_names(url, brokers) for url in step["urls"]]
    broker = brokers[step.get("to", "server")]
    return broker.object or broker.url


def with_names(text: str, brokers: Dict[str, Broker]) -> str:
    for name, broker in brokers.items():
        text = text.replace("{" + name + "}", broker.url.replace("nats://", ""))
    return text


def ask(request: Dict[str, Any]) -> str:
    """Asks run.py for something of a server process; its URL."""
    print(json.dumps(request), flush=True)
    answer = json.loads(sys.stdin.readline() or '{"error": "no answer"}')
    if "error" in answer:
        sys.exit(f"no server: {answer['error']}")
    return str(answer.get("url", ""))


def gathered(step: Dict[str, Any], given: List[Any], payloads: List[bytes]) -> Any:
    """What `next` with a count gives."""
    if step.get("digest"):
        if given and not isinstance(given[-1], dict):
            return given[-1]
        together = b"".join(payload + b"\n" for payload in payloads)
        return {"count": len(given), "fnv": fnv_text(together)}
    if step.get("sorted"):
        given.sort(key=lambda one: one["data"] if isinstance(one, dict) else "")
    return given


def play_all(play: Callable[[List[Dict[str, Any]], bool], List[Any]], arguments: Any) -> None:
    """Plays the scenarios asked for; `play` carries out the steps of one."""
    only = arguments.only.split(",") if arguments.only else None
    with open(arguments.out, "w", encoding="utf-8") as out:
        for path in sorted(Path(arguments.scenarios).glob("*.json")):
            if only is not None and path.stem not in only:
                continue
            scenario = json.loads(path.read_text(encoding="utf-8"))
            line = {"scenario": path.stem}
            if arguments.mode in scenario.get("not_in", {}):
                line["skipped"] = scenario["not_in"][arguments.mode]
            else:
                line["transcript"] = play(scenario["steps"], arguments.mode == "in_process")
            print(json.dumps(line), file=out, flush=True)


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenarios", required=True)
    parser.add_argument("--mode", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--only")
    return parser.parse_args()
