# SPDX-License-Identifier: Apache-2.0
"""Goal: ./dev installs what is missing or says the one line to run, never hides a failure, and
knows every word that a suite needs.

Method: its parts are sourced in a shell whose PATH begins with stand-ins for apt-get, dpkg-query,
id and sudo that write down how they were called.
"""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAND_INS = {
    "apt-get": 'echo "apt-get $*" >>"$CALLS"',
    "dpkg-query": 'case "$4" in present*) echo installed ;; *) exit 1 ;; esac',
    "sudo": 'case "$1" in -n | -v) exit 0 ;; esac; echo "sudo $*" >>"$CALLS"; exec "$@"',
}


@pytest.fixture
def shell(tmp_path):
    """Runs a script after sourcing every part of ./dev; answers what it did."""

    def run(
        script, uid=0, without=(), packages="test: present-one missing-one\nother: missing-two"
    ):
        bin_folder = tmp_path / "bin"
        bin_folder.mkdir(exist_ok=True)
        for name, body in {**STAND_INS, "id": f"echo {uid}"}.items():
            (bin_folder / name).write_text(f"#!/bin/bash\n{body}\n")
            (bin_folder / name).chmod(0o755)
        for name in ("bash", "env", "mkdir", "grep", "tail", "tr", "cut", "sed", "sleep", "flock"):
            link(bin_folder / name)
        for name in ("date", "head", "sort", "cat", "sha256sum", "dirname", "basename", "nproc"):
            link(bin_folder / name)
        for name in without:
            (bin_folder / name).unlink()
        (tmp_path / "tools" / "dev").mkdir(parents=True, exist_ok=True)
        (tmp_path / "tools" / "dev" / "packages.txt").write_text(f"# comment: no\n\n{packages}\n")
        calls = tmp_path / "calls"
        calls.write_text("")
        parts = f"for part in {ROOT}/tools/dev/*.sh; do source $part; done; source_environment"
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{parts}\n{script}"],
            cwd=tmp_path,
            env={
                "PATH": str(bin_folder),
                "HOME": str(tmp_path),
                "MARTLET_CACHE": str(tmp_path / "cache"),
                "CALLS": str(calls),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        result.calls = calls.read_text().splitlines()
        return result

    return run


def link(path):
    if not path.exists():
        path.symlink_to(
            next(f for f in (Path("/usr/bin"), Path("/bin")) if (f / path.name).exists())
            / path.name
        )


INSTALL = "apt-get install -y --no-install-recommends missing-one"


def test_missing_packages_are_installed_after_one_update(shell):
    result = shell("install_packages test; install_packages other")
    assert result.returncode == 0, result.stderr
    updates = [call for call in result.calls if " update" in call]
    installs = [call.split()[-1] for call in result.calls if " install" in call]
    assert len(updates) == 1
    assert installs == ["missing-one", "missing-two"]


def test_nothing_is_done_when_nothing_is_missing(shell):
    result = shell("install_packages test", packages="test: present-one")
    assert result.returncode == 0
    assert result.calls == []


def test_without_root_and_sudo_the_one_line_is_printed(shell):
    result = shell("install_packages test; echo went on", uid=1000, without=["sudo"])
    assert result.returncode == 2
    assert INSTALL in result.stderr
    assert "went on" not in result.stdout
    assert result.calls == []


def test_without_root_sudo_is_used(shell):
    result = shell("install_packages test", uid=1000)
    assert result.returncode == 0, result.stderr
    assert any(
        call.startswith("sudo env") and call.endswith("missing-one") for call in result.calls
    )


def test_another_system_is_told_what_is_needed(shell):
    result = shell("install_packages test", without=["apt-get", "dpkg-query"])
    assert result.returncode == 2
    assert "present-one missing-one" in result.stderr


def test_a_failed_quiet_command_shows_its_end_and_its_status(shell):
    result = shell("quietly broken bash -c 'echo the reason; exit 7'; echo went on")
    assert result.returncode == 7
    assert "  | the reason" in result.stderr
    assert "went on" not in result.stdout


def test_the_summary_tells_each_step_once_and_which_failed(shell):
    script = """
    inner() { step "inside" true; }
    summary_at_exit "./dev something"
    step "first part" inner
    step "second part" false
    """
    result = shell(script)
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert any(re.search(r" s  first part$", line) for line in lines)
    assert any(re.search(r" s  second part \(failed\)$", line) for line in lines)
    assert any("./dev something: failed with status 1" in line for line in lines)
    assert not any(line.endswith(" s  inside") for line in lines)


def test_what_is_locked_runs_one_at_a_time(shell):
    script = """
    work() { echo "begin" >>"$CALLS"; sleep 0.2; echo "end" >>"$CALLS"; }
    for i in 1 2 3; do locked one work & done
    wait
    """
    assert shell(script).calls == ["begin", "end"] * 3


@pytest.mark.parametrize(
    ("found", "reaches"),
    [
        ("go1.26.8", True),
        ("go1.26", True),
        ("go1.27.1", True),
        ("go1.100", True),
        ("go2.0", True),
        ("go1.25.9", False),
        ("go1.3", False),
        ("", False),
        ("not found", False),
    ],
)
def test_versions_are_compared_as_numbers(shell, found, reaches):
    result = shell(f"if version_reaches 1.26 '{found}'; then echo yes; else echo no; fi")
    assert result.stdout.split() == ["yes" if reaches else "no"]


def test_a_peer_is_taken_only_in_its_version(shell, tmp_path):
    peer = tmp_path / "peer"
    peer.write_text("#!/bin/bash\necho 'peer: v2.15.2'\n")
    peer.chmod(0o755)
    for version, taken in (("2.15.2", 0), ("2.15", 1), ("2.15.20", 1), ("12.15.2", 1)):
        assert shell(f"peer_is {peer} {version}").returncode == taken, version
    assert shell(f"peer_is {tmp_path}/absent 2.15.2").returncode == 1


def test_every_need_of_a_suite_has_somebody_who_makes_it(shell):
    suites = tomllib.loads((ROOT / "tests" / "suites.toml").read_text(encoding="utf-8"))["suite"]
    needs = sorted({need for suite in suites for need in suite["needs"]})
    assert needs
    missing = shell(
        f"for n in {' '.join(needs)}; do declare -F need_$n >/dev/null || echo $n; done"
    )
    assert missing.returncode == 0
    assert missing.stdout.split() == []


@pytest.mark.parametrize("words", ["help", "--help", "-h", "build --help", "fuzz -h", "test -h"])
def test_help_is_all_that_happens(words):
    result = subprocess.run(
        [str(ROOT / "dev"), *words.split()], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0
    assert result.stdout.startswith("./dev demo ")
    assert result.stderr == "", "nothing was installed, built or run"


def test_an_unknown_command_is_refused_with_the_list():
    result = subprocess.run(
        [str(ROOT / "dev"), "tset"], capture_output=True, text=True, env={**os.environ}, timeout=60
    )
    assert result.returncode == 2
    assert "no command 'tset'" in result.stderr
    assert "./dev test [LABEL...]" in result.stderr
