# SPDX-License-Identifier: Apache-2.0
"""Goal: `./dev bench` cannot rot, and judges as docs/performance.md says.

Method: the rules and the report on made-up medians; then a short run of a few rows against the
built program ($MARTLET_PROGRAM) and nats-server ($NATS_SERVER), of which only what was written is
looked at, never how fast it was.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bench  # noqa: E402
import bench_programs  # noqa: E402
import bench_report  # noqa: E402
import bench_rows  # noqa: E402
import bench_single  # noqa: E402
from bench_rows import FLOOR, OURS, ROWS, THEIRS, Judgement  # noqa: E402

SMOKE_SECONDS_MAX = 240


def rates(ours: float, theirs: float, floor: float, key: str = "msgs_per_s") -> dict:
    values = {OURS: ours, THEIRS: theirs, FLOOR: floor}
    return {name: {key: value, "server_rss_mib": 30.0} for name, value in values.items()}


def judged(row: str, medians: dict, others: dict | None = None) -> list[Judgement]:
    return ROWS[row].judge(ROWS[row], medians, others or {})


class Rules(unittest.TestCase):
    def test_must_is_the_smaller_of_factor_and_half_the_floor(self) -> None:
        for theirs, floor, must in ((1.0, 10.0, 3.5), (2.0, 10.0, 5.0), (5.0, 10.0, 6.0)):
            with self.subTest(theirs=theirs):
                self.assertAlmostEqual(judged("fan16", rates(1, theirs, floor))[0].must, must)

    def test_aim_is_three_quarters_of_the_floor_or_the_must_if_more(self) -> None:
        self.assertAlmostEqual(judged("fan16", rates(1, 1.0, 10.0))[0].aim, 7.5)
        self.assertAlmostEqual(judged("fan16", rates(1, 7.0, 10.0))[0].aim, 8.4)

    def test_verdicts(self) -> None:
        for ours, verdict in ((3.4, "MISSED"), (3.5, "must"), (7.5, "aim")):
            self.assertEqual(judged("fan16", rates(ours, 1.0, 10.0))[0].verdict, verdict)

    def test_an_aim_alone_is_no_must(self) -> None:
        for value, verdict in ((0.9, "aim"), (1.9, "below the aim")):
            self.assertEqual(Judgement("x", "x", value, None, 1.0).verdict, verdict)

    def test_without_a_floor_the_factor_alone_counts(self) -> None:
        found = judged("queue", rates(2.4, 1.0, 0.1))[0]
        self.assertEqual((found.must, found.verdict), (2.5, "MISSED"))
        wild = judged("wild100k", rates(6.0, 1.0, 0.1))
        self.assertEqual([one.verdict for one in wild], ["must", "must"])
        self.assertEqual(wild[0].aim, 10.0)

    def test_a_row_beside_another_of_ours(self) -> None:
        others = {"fan128": rates(10.0, 1.0, 20.0)}
        found = judged("fan2x1", rates(8.9, 1.0, 10.0), others)
        self.assertEqual([one.verdict for one in found], ["aim", "MISSED"])
        self.assertEqual(len(judged("fan2x1", rates(8.9, 1.0, 10.0))), 1)

    def test_latency_is_held_against_both(self) -> None:
        medians = {
            name: {"p50_us": p50, "p99_us": 2 * p50, "cpu_us_per_msg": cpu}
            for name, p50, cpu in ((OURS, 88.0, 60.0), (THEIRS, 106.0, 99.0), (FLOOR, 81.0, 36.0))
        }
        self.assertEqual([one.verdict for one in judged("rtt", medians)],
                         ["must", "MISSED", "reported"])
        self.assertAlmostEqual(judged("rtt", medians)[0].must, 1.1 * 81)

    def test_a_ratio_of_programs_is_taken_against_the_best(self) -> None:
        figures = {"in-process martlet": 6.0, "in-process pyzmq": 3.0, "in-process zenoh": 4.0}
        rule = next(r for r in bench_programs.PYTHON_RULES if r.ours == "in-process martlet")
        found = rule.judge(figures)
        self.assertEqual((found.value, found.verdict), (1.5, "must"))
        self.assertIsNone(rule.judge({"in-process martlet": 6.0}))

    def test_timers_of_a_busy_loop_are_reported_and_not_judged(self) -> None:
        for rules in (bench_programs.PYTHON_RULES, bench_programs.NODE_RULES):
            timers = [rule for rule in rules if rule.ours.startswith("timers of a busy loop")]
            self.assertEqual(len(timers), 4)
            for rule in timers:
                for late_ms, verdict in ((20.0, "aim"), (20.1, "below the aim")):
                    found = rule.judge({rule.ours: late_ms})
                    self.assertEqual((found.must, found.verdict), (None, verdict))

    def test_a_thread_or_descriptor_left_behind_misses(self) -> None:
        for rules in (bench_programs.PYTHON_RULES, bench_programs.NODE_RULES):
            left = [rule for rule in rules if "left by 100 starts martlet" in rule.ours]
            self.assertEqual(len(left), 2)
            for rule in left:
                for count, verdict in ((0, "must"), (1, "MISSED")):
                    self.assertEqual(rule.judge({rule.ours: count}).verdict, verdict)

    def test_a_program_that_is_not_there_is_named(self) -> None:
        program = bench_programs.Program("x", "x", ("/nowhere/x_bench",), [])
        found = bench_programs.run_program(program, None, 1, True, Path("/nowhere/x.json"))
        self.assertIn("x_bench is not there", found.problem)

    def test_a_program_without_its_variable_names_that(self) -> None:
        with unittest.mock.patch.dict(os.environ, {"MARTLET_JAVA_BENCH": ""}):
            programs = {one.name: one for one in bench_programs.known_programs(Path("/nowhere"))}
        found = bench_programs.run_program(programs["java"], None, 1, True, Path("/nowhere/x.json"))
        self.assertIn("MARTLET_JAVA_BENCH is not there", found.problem)

    def test_what_client_rates_prints_is_read(self) -> None:
        line = "publish 128 B         bare     2.500 M/s   ours     2.000 M/s   ratio 0.80"
        found = bench_programs.client_figures(["publish(): 90 ns a call\n", line + "\n"])
        self.assertEqual(found, {"publish 128 B": 2.0e6, "publish 128 B, bare socket": 2.5e6})
        rules = [one for one in bench_programs.CLIENT_RULES if one.ours == "publish 128 B"]
        verdicts = [rule.judge(found | {"publish 128 B, blast": 4.0e6}).verdict for rule in rules]
        self.assertEqual(verdicts, ["MISSED", "reported"])
        self.assertEqual([rule.judge(found) is None for rule in rules], [True, False])

    def test_the_client_is_held_against_blast(self) -> None:
        musts = {one.beside for one in bench_programs.CLIENT_RULES if one.must and one.must < 1}
        self.assertEqual(musts, {(name,) for name in bench_programs.CLIENT_BLASTS})
        self.assertLessEqual(set(bench_programs.CLIENT_BLASTS.values()), set(ROWS))

    def test_every_flood_is_a_scenario_with_a_measure(self) -> None:
        known = {one.name for one in bench_single.scenarios.SCENARIOS}
        wanted = {"slow_reader", "slow_writer", "half_open", "churn"}
        names = {row.name for row in bench_rows.FLOOD_ROWS}
        self.assertLessEqual(wanted, names)
        self.assertLessEqual(names, known & set(bench_single.MEASURES) & set(ROWS))

    def test_a_rule_whose_peer_is_missing_leaves_the_row(self) -> None:
        alone = {OURS: {"slowest_ms": 90.0}}
        self.assertEqual(judged("queue_groups", alone)[0].verdict, "must")
        with self.assertRaises(KeyError):
            judged("fan16", {OURS: {"msgs_per_s": 1.0}})


class Report(unittest.TestCase):
    def make(self, ours: float) -> bench_report.Run:
        row, medians = ROWS["fan16"], rates(ours, 1.0e6, 1.0e7)
        whole = bench_report.RowResult(row, medians, row.judge(row, medians, {}), [], 3)
        broken = bench_report.RowResult(ROWS["queue"], {}, [], ["martlet: it <ended>"], 3)
        return bench_report.Run({"machine": "a & b"}, [whole, broken], [])

    def test_numbers_show_three_figures(self) -> None:
        shown = [bench_report.number(v, "/s") for v in (12_345_678, 332_000, 17.25)]
        self.assertEqual(shown, ["12.3 M/s", "332 k/s", "17.2 /s"])
        self.assertEqual(bench_report.number(None), "–")

    def test_each_row_is_there_with_its_verdict_or_its_reason(self) -> None:
        text = bench_report.markdown(self.make(2.0e6))
        self.assertIn("| `fan16` 1 to 1, 16 B | 2.00 M/s | 1.00 M/s | 10.0 M/s | 2.00 | 0.20 |"
                      " **MISSED** |", text)
        self.assertIn("martlet: it <ended>", text)

    def test_a_latency_is_there_with_its_tail(self) -> None:
        row = ROWS["rtt"]
        medians = {
            name: {"p50_us": p50, "p99_us": 2 * p50, "cpu_us_per_msg": 1.0}
            for name, p50 in ((OURS, 88.0), (THEIRS, 110.0), (FLOOR, 80.0))
        }
        whole = bench_report.RowResult(row, medians, row.judge(row, medians, {}), [], 5)
        text = bench_report.markdown(bench_report.Run({}, [whole], []))
        self.assertIn("| `rtt` p99 | 176 us | 220 us | 160 us | 0.80 | 1.10 | **reported** |", text)

    def test_the_plot_is_an_image(self) -> None:
        root = xml.etree.ElementTree.fromstring(bench_report.svg(self.make(5.0e6)))
        texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("martlet 5.00×", texts)
        self.assertIn("floor 10.00×", texts)


class Blasts(unittest.TestCase):
    """What a program is held against is measured on the server that it is measured on."""

    def test_medians_of_the_rounds_on_the_same_server(self) -> None:
        asked = []

        class Contestants:
            def blast_at(self, row, server, count):
                asked.append((row.name, server, count))
                return {"msgs_per_s": float(len(asked))}

        program = bench_programs.Program("x", "x", (), [], blasts=bench_programs.CLIENT_BLASTS)
        with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet):
            found = bench_programs._blasts(program, Contestants(), "server", 3, 1000)
        self.assertEqual(found, {"publish 128 B, blast": 2.0, "receive 128 B, blast": 5.0})
        self.assertEqual(asked, [("pub128", "server", 1000)] * 3 + [("fan128", "server", 1000)] * 3)


class Options(unittest.TestCase):
    def test_a_row_that_nobody_knows_is_refused(self) -> None:
        with self.assertRaises(SystemExit), open(os.devnull, "w") as quiet:
            sys.stderr, kept = quiet, sys.stderr
            try:
                bench.arguments_of(["--rows", "fan17"])
            finally:
                sys.stderr = kept

    def test_turns_begin_with_each(self) -> None:
        turns = [bench._turn([OURS, THEIRS, FLOOR], number)[0] for number in range(3)]
        self.assertEqual(sorted(turns), sorted([OURS, THEIRS, FLOOR]))

    def test_quick_is_one_short_round(self) -> None:
        plan = bench.Plan(3, 3.0, True)
        self.assertEqual(plan.rounds_of(ROWS["rtt"]), 1)
        self.assertEqual(dataclasses.replace(plan, quick=False).rounds_of(ROWS["rtt"]), 5)


class Smoke(unittest.TestCase):
    """A short run of one row of each kind: the figures are there, whatever they are."""

    def test_a_quick_run_writes_its_report(self) -> None:
        rows = ["fan16", "queue", "start", "subs"]
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(HERE / "bench.py"), "--quick", "--rows", ",".join(rows),
                       "--output", folder]
            answer = subprocess.run(command, capture_output=True, text=True,
                                    timeout=SMOKE_SECONDS_MAX)
            self.assertEqual(answer.returncode, 0, answer.stdout[-3000:] + answer.stderr[-3000:])
            found = json.loads(Path(folder, "medians.json").read_text(encoding="utf-8"))["medians"]
            report = Path(folder, "report.md").read_text(encoding="utf-8")
            xml.etree.ElementTree.parse(Path(folder, "report.svg"))
        self.assertEqual(sorted(found), sorted(rows))
        for row in rows:
            self.assertIn(f"`{row}`", report)
            for name, medians in found[row].items():
                self.assertGreater(medians[ROWS[row].figure], 0, f"{row} {name}")
            self.assertEqual(set(found[row]), {OURS, THEIRS, FLOOR} if ROWS[row].has_floor
                             else {OURS, THEIRS})


class Programs(unittest.TestCase):
    """Those of C++ say what was wrong with their words."""

    def test_words_that_cannot_be_are_named(self) -> None:
        for words, said in (
            ("client_rates 127.0.0.1 99999", "PORT is '99999', not a whole number from 1 to 65535"),
            ("client_rates 127.0.0.1 x", "PORT is 'x', not a whole number"),
            ("client_rates 127.0.0.1 4222 0", "MESSAGES is '0', not a whole number from 1"),
            ("client_rates 127.0.0.1 1", "client_rates: connect: nats://127.0.0.1:1: "),
            ("in_process_rates --rounds 1.5", "--rounds is '1.5', not a whole number"),
            ("in_process_latency --messages 200", "is '200', not a whole number from 201"),
            ("in_process_latency --messages", "options: [--messages N]"),
        ):
            with self.subTest(words=words):
                name, *arguments = words.split()
                program = bench.ROOT / "build" / "release" / "bin" / name
                answer = subprocess.run([program, *arguments], capture_output=True, text=True,
                                        timeout=SMOKE_SECONDS_MAX)
                self.assertEqual(answer.returncode, 1, answer.stderr)
                self.assertIn(said, answer.stderr)


if __name__ == "__main__":
    unittest.main()
