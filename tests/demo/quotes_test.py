# SPDX-License-Identifier: Apache-2.0
"""Goal: clients that know nothing of Martlet get every quote and every update, right and in order.

Method: examples/quotes runs, fed by this test; jnats asks and watches from a process of its own
(java/QuoteClient.java). Its answers are compared with what was fed.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from program import Program, ProgramError, wait_until  # noqa: E402

SYMBOLS = ("ACME", "BRK.B", "X", "GOLD-Z6", "007")
UPDATES = 3000
BURST = 5000


def java(*words: str) -> list[str]:
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp",
            os.environ["QUOTES_CLASSES"], *words]


class Service(Program):
    """The example on a free port."""

    def __init__(self, *words: str, **environment: str) -> None:
        super().__init__(java("Quotes", "--port", "0", *words), **environment)

    def begin(self) -> None:
        self.url = self.wait_match("out", "^broker: (nats://.*)")[1]


class Client(Program):
    """jnats."""

    def __init__(self, url: str) -> None:
        super().__init__(java("QuoteClient", url))

    def begin(self) -> None:
        self.told = 0
        self.hear()

    def hear(self) -> str:
        """The next line."""
        self.told += 1
        return self.wait_lines("out", self.told)[self.told - 1]

    def call(self, words: str) -> str:
        self.send(words)
        return self.hear()

    def ask(self, symbol: str) -> dict:
        answer = self.call(f"ask quote.{symbol}")
        assert answer.startswith("answer "), answer
        return json.loads(answer[7:])

    def status(self) -> dict:
        return json.loads(self.call("ask quotes.status")[7:])


class QuotesTest(unittest.TestCase):
    def assert_quote(self, quote: dict, symbol: str, price: str, sequence: int) -> None:
        time = datetime.fromisoformat(quote.pop("time").split(".")[0].rstrip("Z") + "+00:00")
        self.assertLess(abs(datetime.now(timezone.utc) - time), timedelta(minutes=10))
        self.assertEqual(quote, {"symbol": symbol, "price": price, "sequence": sequence})

    def test_quotes_are_what_was_fed(self) -> None:
        with Service() as service, Client(service.url) as client:
            self.assertEqual(client.call("ask quote.ACME"), "error 404 no price of ACME")
            self.assertEqual(client.call("watch price.>"), "watching")
            for sequence, price in enumerate(("12.34", "0.00000001", "-37.63", "100"), start=1):
                service.send(f"  ACME\t{price} ")
                update = client.hear()
                self.assertTrue(update.startswith("update price.ACME "), update)
                self.assert_quote(json.loads(update.split(" ", 2)[2]), "ACME", price, sequence)
                self.assert_quote(client.ask("ACME"), "ACME", price, sequence)
            self.assertEqual(client.call("ask quote.*"), "error 404 no price of *")
            self.assertEqual(client.status(),
                             {"symbols": 1, "answered": 4, "unknown": 2, "rejected": 0})

    def test_every_update_comes_in_order_and_the_quote_is_the_last(self) -> None:
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        fed: dict[str, list[str]] = {symbol: [] for symbol in SYMBOLS}
        with Service() as service, Client(service.url) as client, Client(service.url) as other:
            self.assertEqual(client.call("watch price.>"), "watching")
            self.assertEqual(other.call("watch price.BRK.B"), "watching")
            for _ in range(UPDATES):
                symbol = chance.choice(SYMBOLS)
                fed[symbol].append(f"{chance.randrange(10**6)}.{chance.randrange(100):02}")
                service.send(f"{symbol} {fed[symbol][-1]}")
            got: dict[str, list[str]] = {symbol: [] for symbol in SYMBOLS}
            for _ in range(UPDATES):
                _, subject, text = client.hear().split(" ", 2)
                quote = json.loads(text)
                self.assertEqual(subject, f"price.{quote['symbol']}")
                got[quote["symbol"]].append(quote["price"])
                self.assertEqual(quote["sequence"], len(got[quote["symbol"]]))
            self.assertEqual(got, fed)
            for symbol, prices in fed.items():
                self.assert_quote(client.ask(symbol), symbol, prices[-1], len(prices))
            seen = [json.loads(other.hear().split(" ", 2)[2])["price"] for _ in fed["BRK.B"]]
            self.assertEqual(seen, fed["BRK.B"])

    def test_wrong_lines_are_counted_and_the_feed_goes_on(self) -> None:
        wrong = ("", "ACME", "ACME 1,5", "ACME 1e5", "acme 1", "A*C 1", "> 1", "ACME 1 2",
                 "ACME NaN", "x" * 100_000, "ACME \"}", "B\u00dcRO 1")
        with Service("--symbols", "2") as service, Client(service.url) as client:
            for line in wrong:
                service.send(line)
            for line in ("ACME 1", "BEE 2", "CEE 3", "ACME 4"):  # The third symbol is too many.
                service.send(line)
            wait_until(lambda: client.status()["rejected"] == len(wrong) + 1, "the rejected lines")
            self.assert_quote(client.ask("ACME"), "ACME", "4", 2)
            self.assertEqual(client.call("ask quote.CEE"), "error 404 no price of CEE")
            self.assertEqual(service.wait_match("err", "rejected").string,
                             "quotes: 1 lines rejected, line 1: no symbol and price: ")
            service.close_input()
            told = service.wait_match("err", r"quotes: (\d+) lines rejected, at the end")
            counted = [int(re.match(r"quotes: (\d+)", line)[1]) for line in service.lines("err")]
            self.assertEqual(sum(counted), len(wrong) + 1, told.string)
            # It goes on to answer when its feed is over.
            self.assert_quote(client.ask("BEE"), "BEE", "2", 1)

    def test_prices_to_begin_with(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            prices = Path(folder) / "prices"
            prices.write_text("ACME 1.50\nBEE 2\nACME 3\n", encoding="ascii")
            with Service("--prices", str(prices)) as service, Client(service.url) as client:
                self.assert_quote(client.ask("ACME"), "ACME", "3", 2)
                self.assert_quote(client.ask("BEE"), "BEE", "2", 1)
            prices.write_text("ACME 1.50\nBEE two\n", encoding="ascii")
            answer = subprocess.run(java("Quotes", "--port", "0", "--prices", str(prices)),
                                    capture_output=True, text=True, timeout=60)
            self.assertEqual(answer.returncode, 1)
            self.assertEqual(answer.stderr,
                             f"quotes: {prices}:2: no symbol and price: BEE two\n")

    def test_a_signal_ends_it_and_what_was_asked_is_answered(self) -> None:
        with Service() as service, Client(service.url) as client, Client(service.url) as other:
            service.send("ACME 12.34")
            wait_until(lambda: client.status()["symbols"] == 1, "the price")
            quote = client.call("ask quote.ACME").removeprefix("answer ")
            self.assertEqual(other.call("watch price.>"), "watching")
            self.assertEqual(client.call(f"burst quote.ACME {BURST}"), "sent")
            service.signal(signal.SIGTERM)
            self.assertEqual(client.hear(), f"payload {quote}")
            self.assertEqual(client.hear(), f"burst {BURST}")
            self.assertEqual(service.end(), 128 + signal.SIGTERM, service.lines("err"))
            self.assertEqual(service.lines("err"), [])

    def test_a_signal_in_the_middle_of_a_fast_feed(self) -> None:
        with Service() as service, Client(service.url) as client:
            self.assertEqual(client.call("watch price.ACME"), "watching")
            service.send("\n".join(f"ACME {price}" for price in range(1, 1001)))
            client.wait_match("out", '"sequence":500,')
            service.signal(signal.SIGINT)
            self.assertEqual(service.end(), 128 + signal.SIGINT, service.lines("err"))
            self.assertEqual(service.lines("err"), [])
            client.close_input()
            self.assertEqual(client.end(), 0)
            prices = [int(json.loads(line.split(" ", 2)[2])["price"])
                      for line in client.lines("out") if line.startswith("update ")]
            self.assertEqual(prices, list(range(1, len(prices) + 1)))

    def test_a_token_is_asked_for(self) -> None:
        with Service(QUOTES_TOKEN="let-me-in") as service:
            with self.assertRaisesRegex(ProgramError, "Authorization Violation"):
                Client(service.url).stop()
            with Client(service.url.replace("nats://", "nats://let-me-in@")) as client:
                self.assertEqual(client.status()["symbols"], 0)

    def test_a_taken_port_and_wrong_words_are_named(self) -> None:
        with Service() as service:
            port = service.url.rsplit(":", 1)[1]
            for words, status, text in (
                    (["--port", port], 1, "in use"),
                    (["--port", "65536"], 2, "--port must be a number from 0 to 65535, not 65536"),
                    (["--port"], 2, "--port lacks its value"),
                    (["--prices", "/nowhere"], 1, "/nowhere cannot be read"),
                    (["--colour", "red"], 2, "no option --colour")):
                answer = subprocess.run(java("Quotes", *words), capture_output=True, text=True,
                                        timeout=60)
                self.assertEqual(answer.returncode, status, answer.stderr)
                self.assertTrue(answer.stderr.startswith("quotes: "), answer.stderr)
                self.assertIn(text, answer.stderr.splitlines()[0])


if __name__ == "__main__":
    unittest.main()
