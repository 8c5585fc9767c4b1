# SPDX-License-Identifier: Apache-2.0
"""The parity runner over the asyncio client: see tests/parity/README.md. What waits for run.py, or
stops a server of this process, does so on a thread, so that the loop goes on.

aio_runner.py --scenarios FOLDER --mode MODE --out FILE [--only NAMES]
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from typing import Any, Callable, Coroutine, Dict, List, Optional

import scenario_text as text

from martlet import aio, errors


class Log:
    """What is put by callbacks and waited for by steps."""

    def __init__(self) -> None:
        self.entries: List[Any] = []
        self.changed = asyncio.Condition()

    def put(self, entry: Any) -> None:
        self.entries.append(entry)
        asyncio.ensure_future(self._notify())

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def take(self, seconds: float, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first that is wanted; ERR_TIMEOUT without one."""

        def found() -> List[int]:
            return [at for at, entry in enumerate(self.entries) if wanted(entry)][:1]

        async def wait() -> None:
            async with self.changed:
                await self.changed.wait_for(found)

        if not found():
            try:
                await asyncio.wait_for(wait(), seconds)
            except asyncio.TimeoutError:
                return "ERR_TIMEOUT"
        return self.entries.pop(found()[0])


class Client:
    """A connection and what it has told."""

    def __init__(self) -> None:
        self.events = Log()
        self.errors = Log()
        self.connection: Any = None

    async def connect(self, target: Any, options: Dict[str, Any]) -> None:
        self.connection = await aio.connect(
            target,
            error_cb=lambda error: self.errors.put(text.status_of(error)),
            disconnected_cb=lambda: self.events.put("disconnected"),
            reconnected_cb=lambda: self.events.put("reconnected"),
            closed_cb=lambda: self.events.put("closed"),
            lame_duck_mode_cb=lambda: self.events.put("lame_duck"),
            discovered_server_cb=lambda: self.events.put("discovered_servers"),
            **options,
        )


class Runner:
    """One scenario."""

    def __init__(self, in_process: bool) -> None:
        self.in_process = in_process
        self.brokers: Dict[str, text.Broker] = {}
        self.clients: Dict[str, Client] = {}
        self.subscriptions: Dict[str, aio.Subscription] = {}
        self.logs: Dict[str, Log] = {}
        self.gates: Dict[str, asyncio.Event] = {}
        self.inboxes: Dict[str, str] = {}
        self.begun: Dict[str, "asyncio.Task[Any]"] = {}
        self.opened: List[Client] = []
        self.made: List[text.Broker] = []

    async def finish(self) -> None:
        for gate in self.gates.values():
            gate.set()
        for client in self.opened:
            await client.connection.close()
        for broker in self.made:
            if broker.object is not None:
                await asyncio.to_thread(broker.object.stop)
        if not self.in_process:
            await asyncio.to_thread(text.ask, {"do": "end"})

    async def give(self, step: Dict[str, Any], message: Optional[aio.Msg] = None) -> Any:
        loop = asyncio.get_running_loop()
        given = await self.try_once(step, message)
        deadline = loop.time() + 10
        while "until" in step and given != step["until"] and loop.time() < deadline:
            await asyncio.sleep(0.02)
            given = await self.try_once(step, message)
        return given

    async def try_once(self, step: Dict[str, Any], message: Optional[aio.Msg]) -> Any:
        try:
            given = getattr(self, f"do_{step['do']}")(step, message)
            if inspect.isawaitable(given):
                given = await given
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

    def connection(self, step: Dict[str, Any]) -> aio.Connection:
        connection: aio.Connection = self.clients[step.get("on", "c")].connection
        return connection

    # --- servers ---

    async def do_server(self, step: Dict[str, Any], message: Any) -> None:
        broker = await asyncio.to_thread(text.Broker, step, self.in_process)
        self.made.append(broker)
        self.brokers[broker.name] = broker

    async def do_server_do(self, step: Dict[str, Any], message: Any) -> None:
        await asyncio.to_thread(self.brokers[step.get("on", "server")].do, step["what"])

    def do_server_get(self, step: Dict[str, Any], message: Any) -> Any:
        return self.brokers[step.get("on", "server")].get(step)

    async def do_server_log(self, step: Dict[str, Any], message: Any) -> Any:
        lines = self.brokers[step.get("on", "server")].lines
        for _ in range(step.get("timeout_ms", text.DEFAULT_MS) // 10):
            if any(step["has"] in line for line in list(lines)):
                return True
            await asyncio.sleep(0.01)
        return "ERR_TIMEOUT"

    # --- connections ---

    async def do_connect(self, step: Dict[str, Any], message: Any) -> None:
        client = Client()
        target = text.target_of(step, self.brokers)
        await client.connect(target, text.connection_options(step))
        self.opened.append(client)
        self.clients[step.get("as", "c")] = client

    async def do_publish(self, step: Dict[str, Any], message: Any) -> None:
        subject, reply = self.subject(step), self.subject(step, "reply")
        for number in range(step.get("count", 1)):
            payload = text.payload_of(step, message, number)
            await self.connection(step).publish(subject, payload, reply, step.get("headers"))

    async def do_respond(self, step: Dict[str, Any], message: aio.Msg) -> None:
        await message.respond(text.payload_of(step, message), step.get("headers"))

    async def do_flush(self, step: Dict[str, Any], message: Any) -> None:
        await self.connection(step).flush(text.seconds_of(step))

    async def do_request(self, step: Dict[str, Any], message: Any) -> Any:
        payload = text.payload_of(step, message)
        reply = await self.connection(step).request(
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

    async def do_rtt(self, step: Dict[str, Any], message: Any) -> bool:
        return await self.connection(step).rtt(text.seconds_of(step)) > 0

    async def do_event(self, step: Dict[str, Any], message: Any) -> Any:
        return await self.clients[step.get("on", "c")].events.take(text.seconds_of(step))

    async def do_error(self, step: Dict[str, Any], message: Any) -> Any:
        log = self.clients[step.get("on", "c")].errors
        given = await log.take(text.seconds_of(step), lambda status: status == step["status"])
        return given if given == "ERR_TIMEOUT" and step["status"] != given else "OK"

    async def do_drain(self, step: Dict[str, Any], message: Any) -> None:
        await self.connection(step).drain(text.seconds_of(step))

    async def do_close(self, step: Dict[str, Any], message: Any) -> None:
        await self.connection(step).close()

    # --- subscriptions ---

    async def do_subscribe(self, step: Dict[str, Any], message: Any) -> None:
        arguments = text.subscribe_arguments(step)
        if "handler" in step:
            arguments["cb"] = self.callback(step)
        subject = self.subject(step)
        subscription = await self.connection(step).subscribe(subject, **arguments)
        self.subscriptions[step["as"]] = subscription

    def callback(self, step: Dict[str, Any]) -> Callable[[aio.Msg], Coroutine[Any, Any, None]]:
        log = self.logs.setdefault(step.get("into", step["as"]), Log())
        gate = self.gates.setdefault(step["as"], asyncio.Event())

        async def callback(message: aio.Msg) -> None:
            log.put(text.shown(message))
            for inner in step["handler"]:
                if inner["do"] == "hold":
                    await asyncio.wait_for(gate.wait(), 10)
                    continue
                given = await self.give(inner, message)
                if given != "OK":
                    log.put(given)

        return callback

    def do_throw(self, step: Dict[str, Any], message: Any) -> None:
        raise text.Thrown

    async def do_next(self, step: Dict[str, Any], message: Any) -> Any:
        payloads: List[bytes] = []
        if "count" not in step:
            return await self.next_one(step, payloads)
        given: List[Any] = []
        while len(given) < step["count"]:
            given.append(await self.next_one(step, payloads))
            if not isinstance(given[-1], dict):
                break
        return text.gathered(step, given, payloads)

    async def next_one(self, step: Dict[str, Any], payloads: List[bytes]) -> Any:
        if step["on"] in self.logs:
            return await self.logs[step["on"]].take(text.seconds_of(step))
        try:
            message = await self.subscriptions[step["on"]].next_msg(text.seconds_of(step))
        except errors.TimeoutError:
            return "ERR_TIMEOUT"
        except errors.ConnectionClosedError:
            return "ERR_CLOSED"
        payloads.append(message.data)
        return text.shown(message)

    async def do_unsubscribe(self, step: Dict[str, Any], message: Any) -> None:
        await self.subscriptions[step["on"]].unsubscribe(step.get("after", 0))

    async def do_drain_subscription(self, step: Dict[str, Any], message: Any) -> None:
        await self.subscriptions[step["on"]].drain()

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
        self.begun[step["as"]] = asyncio.ensure_future(self.give(step["step"]))

    async def do_end(self, step: Dict[str, Any], message: Any) -> Any:
        return await asyncio.wait_for(self.begun[step["on"]], 30)

    def do_release(self, step: Dict[str, Any], message: Any) -> None:
        self.gates[step["on"]].set()


def play(steps: List[Dict[str, Any]], in_process: bool) -> List[Any]:
    async def main() -> List[Any]:
        runner = Runner(in_process)
        try:
            return [await runner.give(step) for step in steps]
        finally:
            await runner.finish()

    return asyncio.run(main())


if __name__ == "__main__":
    text.play_all(play, text.parsed_arguments())
