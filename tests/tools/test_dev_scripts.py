# SPDX-License-Identifier: Apache-2.0
"""Goal: ./dev installs what is missing or says the one line to run, never hides a failure, and
knows every word that a suite needs.

Method: its parts are sourced in a shell whose PATH begins with stand-ins for apt-get, dpkg-query,
id and sudo that write down how they were called.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAND_INS = {
    "apt-get": 'echo "apt-get $*" >>"$CALLS"',
    "dpkg-query": 'case "$4" in present*) echo installed ;;'
    " known*) echo not-installed ;; *) exit 1 ;; esac",
    "sudo": 'case "$1" in -n | -v) exit 0 ;; esac; echo "sudo $*" >>"$CALLS"; exec "$@"',
}


@pytest.fixture
def start(tmp_path):
    """Starts a script after sourcing every part of ./dev, in a clone whose path has a space."""
    clone = tmp_path / "the clone"
    calls = tmp_path / "calls"
    started = []

    def begin(
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
        for name in ("rm", "touch", "ls"):
            link(bin_folder / name)
        for name in without:
            (bin_folder / name).unlink()
        (clone / "tools" / "dev").mkdir(parents=True, exist_ok=True)
        (clone / "tools" / "dev" / "packages.txt").write_text(f"# comment: no\n\n{packages}\n")
        calls.write_text("")
        dev = shlex.quote(str(ROOT / "tools" / "dev"))
        parts = f'for part in {dev}/*.sh; do source "$part"; done; source_environment'
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", f"{parts}\n{script}"],
            cwd=clone,
            env={
                "PATH": str(bin_folder),
                "HOME": str(tmp_path),
                "MARTLET_CACHE": str(tmp_path / "the cache"),
                "CALLS": str(calls),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def shell(start, tmp_path):
    """Runs a script like `start`; answers what it did."""

    def run(script, **options):
        process = start(script, **options)
        try:
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
        result = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
        result.calls = (tmp_path / "calls").read_text().splitlines()
        return result

    return run


def link(path):
    if not path.exists():
        path.symlink_to(
            next(f for f in (Path("/usr/bin"), Path("/bin")) if (f / path.name).exists())
            / path.name
        )


INSTALL = "apt-get update && apt-get install -y --no-install-recommends missing-one"


def test_missing_packages_are_installed_after_one_update(shell):
    result = shell("install_packages test; install_packages other")
    assert result.returncode == 0, result.stderr
    updates = [call for call in result.calls if " update" in call]
    installs = [call.split()[-1] for call in result.calls if " install" in call]
    assert len(updates) == 1
    assert installs == ["missing-one", "missing-two"]


def test_a_package_that_is_only_known_of_is_missing(shell):
    result = shell("install_packages test", packages="test: present-one known-one")
    assert result.returncode == 0, result.stderr
    assert [call.split()[-1] for call in result.calls if " install" in call] == ["known-one"]


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


def test_without_root_one_line_names_the_packages_of_every_need(shell):
    packages = "python: p-one\nbuild: b-one\ntest: t-one\nclang: c-one\nswig: s-one\nrust: r-one"
    script = 'install_packages_for "release asan swig"'
    result = shell(script, uid=1000, without=["sudo"], packages=packages)
    assert result.returncode == 2
    line = next(line for line in result.stderr.splitlines() if "apt-get install" in line)
    assert line.split("--no-install-recommends ")[1].split() == [
        "p-one", "b-one", "t-one", "c-one", "s-one",
    ]  # fmt: skip


def needs_of_suites(with_full):
    suites = tomllib.loads((ROOT / "tests" / "suites.toml").read_text(encoding="utf-8"))["suite"]
    wanted = [suite for suite in suites if with_full or not suite.get("full", False)]
    return sorted({need for suite in wanted for need in suite["needs"]})


def test_no_need_asks_later_for_a_package_that_was_not_gathered(shell):
    script = """
    install_packages() { echo "$need asks: $*" >>"$CALLS"; }
    quietly() { :; }
    locked() { :; }
    expose() { :; }
    go() { :; }
    node() { :; }
    need_dotnet() { DOTNET= DOTNET_SSL_FOLDER=; }
    javac() { echo "javac 17.0.2"; }
    java_home() { JAVA_FOUND=; }
    make_guest_jars() { :; }
    ln() { :; }
    chromium-headless-shell() { :; }
    make_packages() { :; }
    make_examples() { :; }
    make_bare_root() { :; }
    lay_out_sanitized() { :; }
    clang-19() { echo /dev/null; }
    version_reaches() { case $1 in "$RUST_VERSION_MIN" | "$JAVA_VERSION_MIN") false ;; esac; }
    BASE_PYTHON=true
    MARTLET_ROOT=$ROOT
    cd "$ROOT"
    for need in $NEEDS; do
      echo "$need gathers: python $(groups_of "$need")" >>"$CALLS"
      "need_$need"
    done
    """
    needs = " ".join(needs_of_suites(with_full=True))
    script = f"ROOT={shlex.quote(str(ROOT))} NEEDS='{needs}'\n{script}"
    result = shell(script)
    assert result.returncode == 0, result.stderr
    gathered, asked = {}, {}
    for line in result.calls:
        need, verb, *groups = line.replace(":", "").split()
        (gathered if verb == "gathers" else asked).setdefault(need, set()).update(groups)
    assert {need: asked[need] - gathered[need] for need in asked} == {need: set() for need in asked}
    assert {"release", "rust", "java", "format"} <= set(asked), "the stand-ins see what is asked"


def test_the_needs_of_all_suites_are_known_without_a_python(shell):
    result = shell(f"cd {shlex.quote(str(ROOT))}; all_needs")
    assert sorted(set(result.stdout.split())) == needs_of_suites(with_full=False)


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


def test_an_error_far_from_the_end_of_a_log_is_shown(shell):
    shown = "echo a.cpp:1: error: what; for i in {1..1000}; do echo number \\$i; done; exit 3"
    result = shell(f'quietly broken bash -c "{shown}"')
    assert result.returncode == 3
    assert "  | 1:a.cpp:1: error: what" in result.stderr
    assert "  | number 1000" in result.stderr


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


@pytest.mark.parametrize("to_group", [True, False], ids=["Ctrl-C", "SIGTERM to ./dev alone"])
@pytest.mark.parametrize(
    "work",
    [
        "locked one quietly work work",
        "quietly work work",
        "attended work",
        'locked one step "inside" quietly work work',
    ],
)
def test_what_is_under_way_ends_with_dev_before_its_lock_is_let_go(start, tmp_path, work, to_group):
    script = f"""
    work() {{ sleep 300 & echo $! >"$CALLS.child"; wait; }}
    summary_at_exit "./dev something"
    step "the work" {work}
    """
    process = start(script)
    child = tmp_path / "calls.child"
    await_that(lambda: child.exists() and child.read_text().strip())
    pid = int(child.read_text())
    if to_group:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    try:
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == (130 if to_group else 143)
    assert "./dev something: failed with status" in stderr
    assert not alive(pid), "ended by the time that ./dev, and its lock, are gone"


def test_who_waits_for_a_lock_can_be_ended(start, tmp_path):
    holder = start('work() { echo held >>"$CALLS"; sleep 300; }; locked one work')
    await_that(lambda: (tmp_path / "calls").read_text())
    waiting = start('summary_at_exit "./dev"; echo now >"$CALLS.waits"; locked one true')
    try:
        await_that(lambda: (tmp_path / "calls.waits").exists())
        waiting.terminate()
        waiting.communicate(timeout=60)
        assert waiting.returncode == 143
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.communicate()
        waiting.kill()


def test_a_signal_between_a_start_and_its_note_ends_what_was_started(start):
    script = """
    set -T
    trap '[[ $BASH_COMMAND != ATTENDED_PID=* ]] || kill -TERM $$' DEBUG
    summary_at_exit "./dev"
    attended sleep 300
    """
    process = start(script)
    try:
        process.communicate(timeout=60)  # A child that lives on would hold the pipes.
        assert process.returncode == 143
    finally:
        process.kill()


def test_clones_with_other_requirements_share_no_environment(shell):
    script = """
    make_venv() { echo "made for $(cat "$2")" >>"$CALLS"; }
    BASE_PYTHON=true
    echo one >"$HOME/one"; echo two >"$HOME/two"
    for file in one two one; do
      ensure_venv "$MARTLET_CACHE/venvs/tools" "$HOME/$file"
      ls "$VENV/.ready"
    done
    """
    result = shell(script, packages="python: present-one")
    assert result.returncode == 0, result.stderr
    first, second, third = result.stdout.splitlines()
    assert first == third != second
    assert result.calls == ["made for one", "made for two"]


def test_what_is_half_made_is_made_anew(shell):
    script = """
    half() { touch "$MARTLET_CACHE/x/half"; false; }
    whole() { touch "$MARTLET_CACHE/x/whole"; }
    make_once "$MARTLET_CACHE/x" half || make_once "$MARTLET_CACHE/x" whole
    ls "$MARTLET_CACHE/x"
    """
    assert shell(script).stdout.split() == ["whole"]


def await_that(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


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


def test_the_first_of_two_javas_of_a_version_is_taken(shell):
    homes = "for_each_java() { printf '%s\\n' /one; sleep 0.2; printf '%s\\n' /two; }"
    result = shell(f"{homes}; java_home 25; echo took $JAVA_FOUND")
    assert result.stdout.splitlines()[-1] == "took /one"


@pytest.mark.parametrize("uid, why", [(1000, "must be run as root"), (0, "allows no mounts")])
def test_where_no_bare_debian_can_be_only_its_suites_fail(shell, uid, why):
    script = "install_packages() { :; }; need_bare_root; echo $BARE_ROOT_PROBLEM; echo went on"
    lines = shell(script, uid=uid).stdout.splitlines()
    assert why in lines[-2] and lines[-1] == "went on"


def test_a_peer_is_taken_only_in_its_version(shell, tmp_path):
    peer = tmp_path / "peer"
    peer.write_text("#!/bin/bash\necho 'peer: v2.15.2'\n")
    peer.chmod(0o755)
    for version, taken in (("2.15.2", 0), ("2.15", 1), ("2.15.20", 1), ("12.15.2", 1)):
        assert shell(f"peer_is {peer} {version}").returncode == taken, version
    assert shell(f"peer_is {tmp_path}/absent 2.15.2").returncode == 1


def test_every_need_of_a_suite_has_somebody_who_makes_it(shell):
    needs = needs_of_suites(with_full=True)
    assert needs
    missing = shell(
        f"for n in {' '.join(needs)}; do declare -F need_$n >/dev/null || echo $n; done"
    )
    assert missing.returncode == 0
    assert missing.stdout.split() == []


def test_dev_works_in_a_folder_with_a_space(tmp_path):
    clone = tmp_path / "a clone"
    shutil.copytree(ROOT / "tools" / "dev", clone / "tools" / "dev")
    (clone / "tests").mkdir()
    shutil.copy(ROOT / "dev", clone / "dev")
    (clone / "tests" / "suites.toml").write_text(
        '[run]\ntotal_seconds = 60\n[[suite]]\nname = "one"\nlabel = "one"\nneeds = []\n'
        "command = 'cd \"{root}/tests\" && echo 1 passed, 0 failed'\n"
        'budget_seconds = 20\nclosing = "plain"\n'
    )
    environment = {**os.environ, "MARTLET_CACHE": str(tmp_path / "a cache")}
    result = subprocess.run(
        [str(clone / "dev"), "test"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1] == "1 passed, 0 failed"


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
