# SPDX-License-Identifier: Apache-2.0
"""Goal: the comparison of the parity scenarios finds what it is for.

Method: two scenarios and small runners that are right, or wrong in one way each; run.py as it is
run. Then the form of scenarios, and the configuration text that processes are given.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import comparison  # noqa: E402
import scenario_form  # noqa: E402
import server_keeper  # noqa: E402
from scenario_form import MODES  # noqa: E402

SCENARIOS = {
    "one": {
        "title": "One",
        "covers": "an echo",
        "steps": [
            {"do": "publish", "subject": "a", "data": "x"},
            {"do": "next", "on": "s", "gives": {"subject": "a", "data": "x"}},
        ],
    },
    "two": {
        "title": "Two",
        "covers": "what is skipped",
        "not_in": {"in_process": "for a reason"},
        "steps": [{"do": "flush", "gives": "ERR_TIMEOUT"}],
    },
}

# What it gives is what was published before; FAULT changes the lines that it writes.
RUNNER = """
import json, pathlib, sys
words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
lines = []
for path in sorted(pathlib.Path(words["--scenarios"]).glob("*.json")):
    scenario = json.loads(path.read_text())
    line = {"scenario": path.stem}
    if words["--mode"] in scenario.get("not_in", {}):
        line["skipped"] = scenario["not_in"][words["--mode"]]
    else:
        steps = scenario["steps"]
        data = next((step["data"] for step in steps if "data" in step), "")
        known = {"publish": "OK", "next": {"data": data, "subject": "a"}, "flush": "ERR_TIMEOUT"}
        line["transcript"] = [known[step["do"]] for step in steps]
    lines.append(line)
FAULT
pathlib.Path(words["--out"]).write_text("".join(json.dumps(line) + "\\n" for line in lines))
"""

FAULTS = {
    "a scenario left out": ("lines.pop(0)", "it did not run"),
    "nothing written": ("sys.exit(0)", "it did not run"),
    "an entry changed": ('lines[0]["transcript"][1]["data"] = "y"', "step 2 (next) gives"),
    "true for a text": ('lines[0]["transcript"][0] = True', "step 1 (publish) gives true"),
    "an entry too many": ('lines[0]["transcript"].append("OK")', "it has 2 steps"),
    "an entry too few": ('lines[0]["transcript"].pop()', "it has 2 steps"),
    "skipped without a reason of the scenario": (
        'lines[0] = {"scenario": "one", "skipped": "too hard"}',
        "it was skipped: too hard",
    ),
    "ran what is not for the mode": (
        'lines[1] = {"scenario": "two", "transcript": ["ERR_TIMEOUT"]}',
        "it ran, though",
    ),
    "a scenario of its own": (
        'lines.append({"scenario": "three", "transcript": []})',
        "there is no such scenario",
    ),
    "a scenario twice": ("lines.append(lines[0])", "it wrote one twice"),
    "a line that cannot be read": ('lines.append("?")', "cannot be read"),
    "an end with a status": (
        'pathlib.Path(words["--out"]).write_text(json.dumps(lines)); sys.exit(3)',
        "it ended with status 3",
    ),
    "words on standard output": ('print("hello", flush=True)', "what is no request"),
}


class RunTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="parity_test_")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        (self.folder / "scenarios").mkdir()
        for name, body in SCENARIOS.items():
            (self.folder / "scenarios" / f"{name}.json").write_text(json.dumps(body))

    def run_with(self, fault: str, *arguments: str, table: str = "", second: str = "other.py"):
        for name, what in (("right.py", ""), ("other.py", fault)):
            (self.folder / name).write_text(RUNNER.replace("FAULT", what))
        runners = f'languages = ["cpp", "other"]\n{table}'
        for name, file in (("cpp", "right.py"), ("other", second)):
            command = [sys.executable, str(self.folder / file)]
            runners += f'[[runner]]\nname = "{name}"\nlanguage = "{name}"\n'
            runners += f"command = {json.dumps(command)}\n"
        (self.folder / "runners.toml").write_text(runners)
        return subprocess.run(
            [sys.executable, str(HERE / "run.py"), "--mode", "in_process", "--scenarios-min", "2",
             "--scenarios", str(self.folder / "scenarios"),
             "--runners", str(self.folder / "runners.toml"), *arguments],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def test_two_that_agree_pass(self) -> None:
        done = self.run_with("")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "4 passed, 0 failed")
        self.assertIn("other in_process: 1 ran, 1 not for this mode, 0 differ", done.stdout)

    def test_each_fault_is_found(self) -> None:
        for what, (fault, expected) in FAULTS.items():
            with self.subTest(what):
                done = self.run_with(fault)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(expected, done.stdout)
                self.assertRegex(done.stdout.splitlines()[-1], r"^\d+ passed, [1-9]\d* failed$")

    def test_what_differs_from_cpp_is_said(self) -> None:
        self.assertIn("in C++", self.run_with('lines[0]["transcript"][1]["data"] = "y"').stdout)

    def test_a_missing_runner_fails(self) -> None:
        done = self.run_with("", second="absent.py")
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED other in_process", done.stdout)
        for command, said in (('"{NO_SUCH_VARIABLE}"', "$NO_SUCH_VARIABLE is not set"),
                              ('"/no/such/program"', "there is no program")):  # fmt: skip
            extra = f'[[runner]]\nname = "x"\nlanguage = "x"\ncommand = [{command}]\n'
            done = self.run_with("", table=extra)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"the runner is missing: {said}", done.stdout)

    def test_a_language_without_a_runner_fails(self) -> None:
        self.run_with("")
        table = self.folder / "runners.toml"
        table.write_text(table.read_text().replace('"other"]', '"other", "java"]', 1))
        done = subprocess.run(
            [sys.executable, str(HERE / "run.py"), "--mode", "in_process", "--scenarios-min", "2",
             "--scenarios", str(self.folder / "scenarios"), "--runners", str(table)],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED java in_process", done.stdout)

    def test_too_few_scenarios_fail(self) -> None:
        done = self.run_with("", "--scenarios-min", "3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there are 2 scenarios, 3 are wanted", done.stdout)

    def test_a_bent_scenario_turns_every_runner_red(self) -> None:
        done = self.run_with("", "--bend", "one")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "2 passed, 0 failed")

    def test_who_does_not_notice_the_bend_is_found(self) -> None:
        unmoved = 'lines[0]["transcript"] = ["OK", {"subject": "a", "data": "x"}]'
        for fault in (unmoved, "lines.pop(0)", "sys.exit(1)"):
            done = self.run_with(fault, "--bend", "one")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertEqual(done.stdout.splitlines()[-1], "1 passed, 1 failed")

    def test_a_scenario_without_a_payload_cannot_be_bent(self) -> None:
        self.assertEqual(self.run_with("", "--bend", "two").returncode, 1)


class FormTest(unittest.TestCase):
    def test_the_scenarios_are_in_form_and_many(self) -> None:
        scenarios = scenario_form.read_folder(HERE / "scenarios")
        self.assertGreaterEqual(len(scenarios), scenario_form.SCENARIOS_MIN)

    def test_every_step_is_used(self) -> None:
        text = "".join(path.read_text() for path in (HERE / "scenarios").glob("*.json"))
        for verb in {**scenario_form.FIELDS, **scenario_form.IN_HANDLER}:
            self.assertIn(f'{{"do": "{verb}"', text)

    def test_what_is_out_of_form_is_refused(self) -> None:
        wrong = {
            "a verb": lambda body: body["steps"][0].update(do="publsh"),
            "a field": lambda body: body["steps"][0].update(dta="x"),
            "a mode": lambda body: body.update(not_in={"tcp": "why"}),
            "no reason": lambda body: body.update(not_in={"martlet": " "}),
            "no mode left": lambda body: body.update(not_in=dict.fromkeys(MODES, "why")),
            "no purpose": lambda body: body.pop("covers"),
            "no steps": lambda body: body.update(steps=[]),
            "a field of its own": lambda body: body.update(note="x"),
            "a step of handlers": lambda body: body["steps"].append({"do": "hold"}),
        }  # fmt: skip
        for what, spoil in wrong.items():
            with self.subTest(what):
                body = copy.deepcopy(SCENARIOS["one"])
                scenario_form.check(body)
                spoil(body)
                with self.assertRaises(scenario_form.FormError):
                    scenario_form.check(body)

    def test_json_equality_is_strict(self) -> None:
        self.assertFalse(comparison.same(True, 1))
        self.assertFalse(comparison.same({"a": 1}, {"a": 1, "b": None}))
        self.assertTrue(comparison.same({"a": 1, "b": [2]}, {"b": [2], "a": 1}))


class RunnersTest(unittest.TestCase):
    def test_what_runs_as_built_runs_as_installed(self) -> None:
        built, installed = (
            tomllib.loads((HERE / name).read_text(encoding="utf-8"))
            for name in ("runners.toml", "runners_installed.toml")
        )
        self.assertEqual(built["languages"], installed["languages"])
        names = [[runner["name"] for runner in table["runner"]] for table in (built, installed)]
        self.assertEqual(*names)


class KeeperTest(unittest.TestCase):
    def test_options_become_configuration(self) -> None:
        text = server_keeper.configuration_of(
            {"user": "a", "password": "b", "max_payload": 1024, "ping_interval_ms": 50}
        )
        self.assertEqual(
            text,
            'authorization { user: "a", password: "b" }\n'
            'max_payload: 1024\nping_interval: "50ms"\n',
        )

    def test_what_cannot_be_told_is_an_error(self) -> None:
        keeper = server_keeper.ServerKeeper(["/no/such/program"], Path(tempfile.gettempdir()))
        for request in ({"do": "stop", "on": "absent"}, {}, {"do": "dance"}):
            self.assertIn("error", keeper.answer(request))
        with self.assertRaises(server_keeper.ServerError):
            server_keeper.configuration_of({"spin": 1})
        self.assertEqual(keeper.answer({"do": "end"}), {})


if __name__ == "__main__":
    unittest.main()
