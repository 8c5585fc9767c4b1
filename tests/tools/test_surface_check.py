# SPDX-License-Identifier: Apache-2.0
"""Goal: what a package's raw layer lacks, or says wrongly, turns the right check red.

Method: a dump that has all, then one deliberate fault in it at a time. Each package that is there
must have its suites.
"""

import copy
import json
import subprocess
import sys
import tomllib

import pytest
from conftest import TOOLS

ROOT = TOOLS.parent
sys.path.insert(0, str(ROOT / "tests" / "surface"))
import canary  # noqa: E402
import surface  # noqa: E402
import surface_check  # noqa: E402

WANTED = surface_check.expected("python")
GOOD = {
    "language": "python",
    "version": "1.0.0",
    "functions": {name: ["x"] for name in WANTED["functions"] if name != "martlet_connection_rtt"},
    "instead": {
        "martlet_connection_rtt": {"raw": ["rtt"], "through": ["martlet_connection_flush_start"]}
    },
    "exceptions": {name: f"E{number}" for name, number in WANTED["exceptions"].items()},
    "base_exception": "E",
    "numbers": {**WANTED["exceptions"], **WANTED["constants"], **WANTED["layouts"]},
}


def findings(change) -> dict[str, list[str]]:
    dump = copy.deepcopy(GOOD)
    change(dump)
    found = surface_check.compare(WANTED, dump)
    return {check: sentences for check, sentences in found.items() if sentences}


def test_a_dump_that_has_all_passes():
    assert findings(lambda dump: None) == {}


@pytest.mark.parametrize(
    ("check", "change", "sentence"),
    [
        (
            "surface",
            lambda dump: dump["functions"].pop("martlet_server_url"),
            "martlet_server_url: nothing in the raw layer stands for it",
        ),
        (
            "surface",
            lambda dump: dump["functions"].update(martlet_server_url=[]),
            "martlet_server_url: nothing in the raw layer stands for it",
        ),
        (
            "surface",
            lambda dump: dump["functions"].update(martlet_server_sing=["x"]),
            "martlet_server_sing: the headers have no such function",
        ),
        (
            "surface",
            lambda dump: dump["functions"].update(martlet_connection_rtt=["x"]),
            "martlet_connection_rtt: is called, and replaced as well",
        ),
        (
            "surface",
            lambda dump: dump["instead"]["martlet_connection_rtt"].update(raw=[]),
            "martlet_connection_rtt: is replaced by nothing",
        ),
        (
            "surface",
            lambda dump: dump["instead"]["martlet_connection_rtt"].update(through=["martlet_x"]),
            "martlet_connection_rtt: is replaced by martlet_x, which is not called",
        ),
        (
            "exceptions",
            lambda dump: dump["exceptions"].pop("ERR_TIMEOUT"),
            "ERR_TIMEOUT: has no exception of its own",
        ),
        (
            "exceptions",
            lambda dump: dump["exceptions"].update(ERR_TIMEOUT="E"),
            "ERR_TIMEOUT: has no exception of its own",
        ),
        (
            "exceptions",
            lambda dump: dump["exceptions"].update(ERR_TIMEOUT="E-7"),
            "ERR_TIMEOUT: shares E-7 with ERR_LIMIT",
        ),
        (
            "exceptions",
            lambda dump: dump["numbers"].update(ERR_TIMEOUT=-9),
            "ERR_TIMEOUT: is -9, not -8",
        ),
        (
            "exceptions",
            lambda dump: dump["exceptions"].update(ERR_SUNG="E-99"),
            "ERR_SUNG: the headers have no such status",
        ),
        (
            "constants",
            lambda dump: dump["numbers"].pop("KIND_REPLY"),
            "KIND_REPLY: is missing, not 2",
        ),
        (
            "constants",
            lambda dump: dump["numbers"].update(KIND_SUNG=9),
            "KIND_SUNG: the headers have no such number",
        ),
        (
            "layouts",
            lambda dump: dump["numbers"].update(DESCRIPTOR_SID_OFFSET=16),
            "DESCRIPTOR_SID_OFFSET: is 16, not 12",
        ),
    ],
)
def test_one_fault_turns_one_check_red(check, change, sentence):
    assert findings(change) == {check: [sentence]}


def test_only_what_blocks_or_retains_may_be_replaced():
    def replace(name):
        def change(dump):
            del dump["functions"][name]
            dump["instead"][name] = {"raw": ["x"], "through": ["martlet_queue_free"]}

        return findings(change)

    assert replace("martlet_connection_flush") == replace("martlet_batch_retain") == {}
    assert replace("martlet_server_url") == {
        "surface": [
            "martlet_server_url: only what blocks or retains may be replaced by other functions"
        ]
    }


def test_an_omission_excuses_one_gap_and_must_be_one():
    found = {"surface": ["martlet_a_b: is gone"], "exceptions": [], "constants": [], "layouts": []}
    gap = {"language": "python", "check": "surface", "name": "martlet_a_b", "reason": "Not yet so."}

    def left(**change):
        return surface_check.without_omissions("python", found, [{**gap, **change}])["surface"]

    assert left() == []
    assert left(language="java") == found["surface"]
    assert left(reason="") != []
    assert left(name="martlet_c_d")[1:] == [
        "martlet_c_d: omissions.toml excuses what is no gap, or gives no reason"
    ]


def test_a_table_that_lies_is_found(tmp_path):
    (tmp_path / "x.c").write_text(
        "void martlet_server_url(void);\nvoid martlet_queue_poll(void);\n"
        "void martlet_own(void) { martlet_server_url(); martlet_queue_poll(); }\n"
    )
    subprocess.run(["gcc", "-c", "x.c"], cwd=tmp_path, check=True)
    used = surface_check.references([tmp_path / "x.o"])
    assert used == {"martlet_server_url", "martlet_queue_poll"}
    dump = {"functions": {"martlet_server_url": ["x"], "martlet_server_free": ["x"]}}
    assert surface_check.compare_references(WANTED, dump, used) == [
        "martlet_server_free: the module says that it calls it, and refers to it nowhere",
        "martlet_queue_poll: the module refers to it, and does not say so",
    ]


@pytest.mark.parametrize("text", ["", "{}", "[]", json.dumps({**GOOD, "more": 1}), "not JSON"])
def test_what_is_no_dump_fails(tmp_path, text, capsys):
    (tmp_path / "dump").write_text(text)
    assert surface_check.main(["python", "--", "cat", str(tmp_path / "dump")]) == 1
    assert capsys.readouterr().out.endswith("0 passed, 1 failed\n")


def test_a_dump_is_judged_as_a_whole(tmp_path, capsys):
    (tmp_path / "dump").write_text(json.dumps(GOOD))
    assert surface_check.main(["python", "--", "cat", str(tmp_path / "dump")]) == 0
    bad = {**GOOD, "exceptions": {}}
    (tmp_path / "dump").write_text(json.dumps(bad))
    assert surface_check.main(["python", "--", "cat", str(tmp_path / "dump")]) == 1
    assert f", {len(WANTED['exceptions'])} failed" in capsys.readouterr().out


def test_the_canary_passes_only_if_each_check_sees_what_is_planted(tmp_path, monkeypatch):
    (tmp_path / "dump").write_text(json.dumps(GOOD))
    command = ["cat", str(tmp_path / "dump")]
    assert canary.language_faults("python", command) == [[], [], [], []]
    real = surface_check.compare
    for check in ("surface", "exceptions", "layouts"):
        monkeypatch.setattr(
            surface_check, "compare", lambda wanted, dump: {**real(wanted, dump), check: []}
        )
        faults = canary.language_faults("python", command)
        assert [bool(each) for each in faults] == [
            False,
            *(plant.check == check for plant in canary.PLANTS),
        ]
        assert f"was not seen by {check}" in str(faults)


def test_the_canary_passes_only_if_nothing_else_turns_red(tmp_path):
    (tmp_path / "dump").write_text(json.dumps({**GOOD, "functions": {}}))
    faults = canary.language_faults("python", ["cat", str(tmp_path / "dump")])
    assert "red with nothing planted" in faults[0][0]
    assert all("turned surface red" in str(each) for each in faults[2:])


def test_each_package_has_its_suites():
    suites = tomllib.loads((ROOT / "tests" / "suites.toml").read_text())["suite"]
    names = {suite["name"] for suite in suites}
    manifests = {
        "python": [ROOT / "pyproject.toml"],
        "node": [ROOT / "package.json"],
        "java": [ROOT / "bindings" / "java" / "pom.xml"],
        "csharp": list((ROOT / "bindings" / "csharp").glob("*.sln*")),
    }
    there = {language for language, paths in manifests.items() if any(p.exists() for p in paths)}
    assert "python" in there
    for language in there:
        assert {f"surface_{language}", f"canary_{language}"} <= names, language


def test_the_canary_is_one_label():
    suites = tomllib.loads((ROOT / "tests" / "suites.toml").read_text())["suite"]
    labelled = {suite["name"] for suite in suites if suite["label"] == "canary"}
    languages = {f"canary_{language}" for language in surface.LANGUAGES}
    assert labelled == {"canary_headers", "parity_bent"} | languages
