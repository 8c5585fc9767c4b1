# SPDX-License-Identifier: Apache-2.0
"""The parity runner over the synchronous client: see tests/parity/README.md.

sync_runner.py --scenarios FOLDER --mode MODE --out FILE [--only NAMES]
"""

from __future__ import annotations

import concurrent.futures
import gc
import queue
import threading
import time
from typing import Any, Callable, Dict, List, Optional

import scenario_text as text

import martlet
from martlet import errors


class Client:
    """A connection and what it has told."""

    def __init__(self, target: Any, options: Dict[str, Any]) -> None:
        self.events: "queue.Queue[str]" = queue.Queue()
        self.errors: List[str] = []
        self.changed = threading.Condition()
        self.connection = martlet.connect(
            target,
            error_cb=self._on_error,
            disconnected_cb=lambda: self.events.put("disconnected"),
            reconnected_cb=lambda: self.events.put("reconnected"),
            closed_cb=lambda: self.events.put("closed"),
            lame_duck_mode_cb=lambda: self.events.put("lame_duck"),
            discovered_server_cb=lambda: self.events.put("discovered_servers"),
            **options,
        )

    def _on_error(self, error: Exception) -> None:
        with self.changed:
            self.errors.append(text.status_of(error))
            self.changed.notify_all()

    def error(self, status: str, seconds: float) -> str:
        with self.changed:
            if not self.changed.wait_for(lambda: status in self.errors, seconds):
                return "ERR_TIMEOUT"
            self.errors.remove(status)
        return "OK"


class Runner:
    """One scenario."""

    def __init__(self, in_process: bool) -> None:
        self.in_process = in_process
        self.brokers: Dict[str, text.Broker] = {}
        self.clients: Dict[str, Client] = {}
        self.subscriptions: Dict[str, martlet.Subscription] = {}
        self.logs: Dict[str, "queue.Queue[Any]"] = {}
        self.gates: Dict[str, threading.Event] = {}
        self.inboxes: Dict[str, str] = {}
        self.begun: Dict[str, "concurrent.futures.Future[Any]"] = {}
        self.pool = concurrent.futures.ThreadPoolExecutor(8)
        self.opened: List[Client] = []
        self.made: List[text.Broker] = []

    def finish(self) -> None:
        for gate in self.gates.values():
            gate.set()
        for client in self.opened:
            client.connection.close()
        self.pool.shutdown()
        for broker in self.made:
            if broker.object is not None:
                broker.object.stop()
        if not self.in_process:
            text.ask({"do": "end"})

    def give(self, step: Dict[str, Any], message: Optional[martlet.Msg] = None) -> Any:
        given = self.try_once(step, message)
        deadline = time.monotonic() + 10
        while "until" in step and given != step["until"] and time.monotonic() < deadline:
            time.sleep(0.02)
            given = self.try_once(step, message)
        return given

    def try_once(self, step: Dict[str, Any], message: Optional[martlet.Msg]) -> Any:
        try:
            given = getattr(self, f"do_{step['do']}")(step, message)
        except text.Thrown:
            raise
        except Exception as error:  # noqa: BLE001 - what it is named as is what is compared.
            return text.status_of(error)
        return "OK" if given is None else given

    def subject(self, step: Dict[str, Any], key: str = "subject") -> str:
        subject = str(step.get(key, ""))
        for name, inbox in self.inboxes.items():
            subject = subject.replace("{" + name + "}", inbox)
        return subject

    def connection(self, step: Dict[str, Any]) -> martlet.Connection:
        return self.clients[step.get("on", "c")].connection

    # --- servers ---

    def do_server(self, step: Dict[str, Any], message: Any) -> None:
        broker = text.Broker(step, self.in_process)
        self.made.append(broker)
        self.brokers[broker.name] = broker

    def do_server_do(self, step: Dict[str, Any], message: Any) -> None:
        self.brokers[step.get("on", "server")].do(step["what"])

    def do_server_get(self, step: Dict[str, Any], message: Any) -> Any:
        return self.brokers[step.get("on", "server")].get(step)

    def do_server_log(self, step: Dict[str, Any], message: Any) -> Any:
        lines = self.brokers[step.get("on", "server")].lines
        deadline = time.monotonic() + text.seconds_of(step)
        while time.monotonic() < deadline:
            if any(step["has"] in line for line in list(lines)):
                return True
            time.sleep(0.01)
        return "ERR_TIMEOUT"

    # --- connections ---

    def do_connect(self, step: Dict[str, Any], message: Any) -> None:
        target = text.target_of(step, self.brokers)
        client = Client(target, text.connection_options(step))
        self.opened.append(client)
        self.clients[step.get("as", "c")] = client

    def do_publish(self, step: Dict[str, Any], message: Any) -> None:
        subject, reply = self.subject(step), self.subject(step, "reply")
        for number in range(step.get("count", 1)):
            payload = text.payload_of(step, message, number)
            self.connection(step).publish(subject, payload, reply, step.get("headers"))

    def do_respond(self, step: Dict[str, Any], message: martlet.Msg) -> None:
        message.respond(text.payload_of(step, message), step.get("headers"))

    def do_flush(self, step: Dict[str, Any], message: Any) -> None:
        self.connection(step).flush(text.seconds_of(step))

    def do_request(self, step: Dict[str, Any], message: Any) -> Any:
        payload = text.payload_of(step, message)
        reply = self.connection(step).request(
            self.subject(step), payload, text.seconds_of(step), step.get("headers")
        )
        return text.shown(reply)

    def do_inbox(self, step: Dict[str, Any], message: Any) -> str:
        inbox = self.connection(step).new_inbox()
        self.inboxes[step["as"]] = inbox
        return inbox.split(".")[0]

    def do_statistics(self, step: Dict[str, Any], message: Any) -> Any:
        stats = self.connection(step).stats
        return {key: stats[key] for key in step["keys"]}

    def do_state(self, step: Dict[str, Any], message: Any) -> str:
        return text.state_of(self.connection(step))

    def do_max_payload(self, step: Dict[str, Any], message: Any) -> int:
        return self.connection(step).max_payload

    def do_rtt(self, step: Dict[str, Any], message: Any) -> bool:
        return self.connection(step).rtt(text.seconds_of(step)) > 0

    def do_event(self, step: Dict[str, Any], message: Any) -> str:
        try:
            return self.clients[step.get("on", "c")].events.get(timeout=text.seconds_of(step))
        except queue.Empty:
            return "ERR_TIMEOUT"

    def do_error(self, step: Dict[str, Any], message: Any) -> str:
        return self.clients[step.get("on", "c")].error(step["status"], text.seconds_of(step))

    def do_drain(self, step: Dict[str, Any], message: Any) -> None:
        self.connection(step).drain(text.seconds_of(step))

    def do_close(self, step: Dict[str, Any], message: Any) -> None:
        self.connection(step).close()

    # --- subscriptions ---

    def do_subscribe(self, step: Dict[str, Any], message: Any) -> None:
        arguments = text.subscribe_arguments(step)
        if "handler" in step:
            arguments["cb"] = self.callback(step)
        subject = self.subject(step)
        subscription = self.connection(step).subscribe(subject, **arguments)
        self.subscriptions[step["as"]] = subscription

    def callback(self, step: Dict[str, Any]) -> Callable[[martlet.Msg], None]:
        log = self.logs.setdefault(step.get("into", step["as"]), queue.Queue())
        gate = self.gates.setdefault(step["as"], threading.Event())

        def callback(message: martlet.Msg) -> None:
            log.put(text.shown(message))
            for inner in step["handler"]:
                if inner["do"] == "hold":
                    gate.wait(10)
                    continue
                given = self.give(inner, message)
                if given != "OK":
                    log.put(given)

        return callback

    def do_throw(self, step: Dict[str, Any], message: Any) -> None:
        raise text.Thrown

    def do_next(self, step: Dict[str, Any], message: Any) -> Any:
        payloads: List[bytes] = []
        if "count" not in step:
            return self.next_one(step, payloads)
        given: List[Any] = []
        while len(given) < step["count"]:
            given.append(self.next_one(step, payloads))
            if not isinstance(given[-1], dict):
                break
        return text.gathered(step, given, payloads)

    def next_one(self, step: Dict[str, Any], payloads: List[bytes]) -> Any:
        try:
            if step["on"] in self.logs:
                return self.logs[step["on"]].get(timeout=text.seconds_of(step))
            message = self.subscriptions[step["on"]].next_msg(text.seconds_of(step))
        except (queue.Empty, errors.TimeoutError):
            return "ERR_TIMEOUT"
        except errors.ConnectionClosedError:
            return "ERR_CLOSED"
        payloads.append(message.data)
        return text.shown(message)

    def do_unsubscribe(self, step: Dict[str, Any], message: Any) -> None:
        self.subscriptions[step["on"]].unsubscribe(step.get("after", 0))

    def do_drain_subscription(self, step: Dict[str, Any], message: Any) -> None:
        self.subscriptions[step["on"]].drain()

    def do_drop(self, step: Dict[str, Any], message: Any) -> None:
        del self.subscriptions[step["on"]]
        gc.collect()

    def do_counts(self, step: Dict[str, Any], message: Any) -> Any:
        subscription = self.subscriptions[step["on"]]
        return {
            "pending": subscription.pending_msgs,
            "dropped": subscription.dropped,
            "delivered": subscription.delivered,
        }

    # --- beside each other ---

    def do_begin(self, step: Dict[str, Any], message: Any) -> None:
        self.begun[step["as"]] = self.pool.submit(self.give, step["step"])

    def do_end(self, step: Dict[str, Any], message: Any) -> Any:
        return self.begun[step["on"]].result(30)

    def do_release(self, step: Dict[str, Any], message: Any) -> None:
        self.gates[step["on"]].set()


def play(steps: List[Dict[str, Any]], in_process: bool) -> List[Any]:
    runner = Runner(in_process)
    try:
        return [runner.give(step) for step in steps]
    finally:
        runner.finish()


if __name__ == "__main__":
    text.play_all(play, text.parsed_arguments())
