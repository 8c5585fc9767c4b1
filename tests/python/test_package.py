# SPDX-License-Identifier: Apache-2.0
"""Goal: the package as a package: typed, documented, each exception by its name, the fixtures of
its plugin.

Method: the type checkers run over the installed package and over a program that uses it; the raw
module's surface is compared with its stub.
"""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import martlet
from martlet import _constants, _raw, aio, errors

PACKAGE = Path(martlet.__file__).parent
PROGRAM = textwrap.dedent(
    """
    import asyncio
    from typing import List, Optional
    import martlet
    from martlet import aio

    def sync() -> Optional[martlet.Headers]:
        with martlet.Server(port=0) as server, martlet.connect(server.url) as nc:
            sub = nc.subscribe("a", queue="q")
            nc.publish("a", b"x", headers={"a": ["b"]})
            data: bytes = sub.next_msg(1.0).data
            for msg in sub:
                msg.respond(data)
            reply: martlet.Msg = nc.request("a", b"", timeout=1)
            return reply.headers

    async def asynchronous() -> List[bytes]:
        async with martlet.Server() as server, await aio.connect(server) as nc:
            sub = await nc.subscribe("a")
            await nc.publish("a", b"x")
            async for msg in sub:
                await msg.respond(b"y")
            return [(await nc.request("a")).data]
    """
)
WRONG = textwrap.dedent(
    """
    import martlet
    nc = martlet.connect()
    nc.publish(5, "text")
    x: int = nc.request("a").data
    martlet.connect(nonsense=1)
    martlet.connect(name=5)
    martlet.connect(run="lent")
    martlet.Server(max_payload="x")
    nc.subscribe("a", policy="nonsense")
    """
)


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_type_checkers(checker, tmp_path):
    pytest.importorskip(checker, reason=f"{checker} is installed for the usual Python alone")
    good, wrong = tmp_path / "good.py", tmp_path / "wrong.py"
    good.write_text(PROGRAM)
    wrong.write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}/cache"]
    package = ["-p", "martlet"]
    if checker == "pyright":
        command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
        package = [str(PACKAGE)]
    for checked in ([str(good)], package):
        done = subprocess.run([*command, *checked], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([*command, str(wrong)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout
    wrong_lines = set(re.findall(r":(\d+)(?::\d+)?(?: -)?:? error", done.stdout))
    assert wrong_lines >= {"4", "5", "6", "7", "8", "9", "10"}, done.stdout


def test_it_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").exists() and (PACKAGE / "_raw.pyi").exists()


def test_the_stub_names_what_the_raw_module_has():
    stub = (PACKAGE / "_raw.pyi").read_text()
    in_stub = set(re.findall(r"^(?:class |def )?([A-Za-z]\w+)(?:\(|:)", stub, re.MULTILINE)) - {
        "from",
        "import",
    }
    in_module = {name for name in dir(_raw) if not name.startswith("_")} - {"Awaiter", "Done"}
    assert in_module == in_stub
    for name in sorted(in_module):
        value = getattr(_raw, name)
        if inspect.isclass(value):
            body = re.search(
                rf"^class {name}(?:\(\w+\))?:\n((?:    .*\n|\n)+)", stub, re.MULTILINE
            ).group(1)
            bases = [base for base in value.__mro__[1:] if base.__module__.startswith("martlet")]
            declared = set(
                re.findall(r"^    (?:async )?(?:def )?([a-z]\w+)(?:\(|:)", body, re.MULTILINE)
            )
            found = {n for n in vars(value) if not n.startswith("_")}
            for base in bases:
                found -= set(vars(base))
            assert found <= declared, (name, found - declared)


def test_everything_public_is_documented():
    for module in (martlet, aio, errors):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                assert inspect.getdoc(value), name
    for kind in (
        martlet.Connection,
        martlet.Server,
        martlet.Subscription,
        aio.Connection,
        aio.Subscription,
    ):
        for name, value in vars(kind).items():
            if inspect.isfunction(value) and not name.startswith("_"):
                assert inspect.getdoc(value), f"{kind.__name__}.{name}"


def test_each_status_has_an_exception_of_its_own():
    kinds = errors.by_status()
    assert len(kinds) == len(errors.Error.__subclasses__())
    for status, kind in kinds.items():
        with pytest.raises(kind, match="^a sentence$") as caught:
            _raw.raise_status(status, "a sentence")
        assert type(caught.value) is kind and caught.value.status == status
        assert kind.__name__ in errors.__all__ and inspect.getdoc(kind)


def test_both_clients_have_the_same_methods():
    def public(kind):
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(martlet.Connection) - public(aio.Connection) == set()
    assert public(martlet.Subscription) - public(aio.Subscription) == set()


def test_what_is_linked_in_is_told():
    versions = martlet.linked_versions()
    assert versions["OpenSSL"][0].isdigit() and versions["libevent"][0].isdigit()


def test_the_version_is_that_of_the_package():
    from importlib import metadata

    assert martlet.__version__ == metadata.version("martlet")


# What is left of it.
DAMAGES = {
    "empty": lambda whole: b"",
    "no library": lambda whole: b"no library" * 100,
    "headers alone": lambda whole: whole[:4096],
    "a third": lambda whole: whole[: len(whole) // 3],
}


@pytest.mark.parametrize("damage", ["missing", *DAMAGES])
def test_a_native_part_that_is_missing_or_damaged_is_named(damage, tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "martlet")
    native = tmp_path / "martlet" / Path(_raw.__file__).name
    whole = native.read_bytes()
    native.unlink()
    if damage in DAMAGES:
        native.write_bytes(DAMAGES[damage](whole))
    refusal = refusal_of_the_package_in(tmp_path)
    assert "_raw" in refusal and str(tmp_path) in refusal, refusal


def refusal_of_the_package_in(folder: Path) -> str:
    """What the ImportError says that its import ends with."""
    done = subprocess.run(
        [sys.executable, "-c", "import martlet"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, f"{done.returncode} {done.stderr}"
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: "), last
    return last


ABI = _constants.ABI_MAJOR, _constants.ABI_MINOR


@pytest.mark.parametrize("needed", [(ABI[0] + 1, 0), (ABI[0], ABI[1] + 1), (ABI[0] - 1, ABI[1])])
def test_a_native_part_of_another_abi_is_named(needed, tmp_path):
    """It is the usual one: the package around it was made for another header."""
    shutil.copytree(PACKAGE, tmp_path / "martlet")
    constants = tmp_path / "martlet" / "_constants.py"
    text = constants.read_text()
    for name, number in zip(("ABI_MAJOR", "ABI_MINOR"), needed):
        text, count = re.subn(rf"(?m)^{name}: Final = \d+$", f"{name}: Final = {number}", text)
        assert count == 1
    constants.write_text(text)
    refusal = refusal_of_the_package_in(tmp_path)
    native = tmp_path / "martlet" / Path(_raw.__file__).name
    versions = f"has the ABI {ABI[0]}.{ABI[1]}, this package needs {needed[0]}.{needed[1]}"
    assert f"{native} {versions}" in refusal


def test_a_native_part_that_tells_no_abi_is_named(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "martlet")
    (tmp_path / "martlet" / Path(_raw.__file__).name).unlink()
    native = tmp_path / "martlet" / "_raw.py"
    native.write_text("")
    assert f"{native} has the ABI 0.0" in refusal_of_the_package_in(tmp_path)


def test_the_plugin_gives_each_test_its_own_broker(tmp_path):
    (tmp_path / "test_inner.py").write_text(
        textwrap.dedent(
            """
            import martlet
            seen = []
            def test_one(martlet_server):
                seen.append(martlet_server)
                with martlet.connect(martlet_server.url) as nc:
                    nc.flush(5)
            def test_two(martlet_server, martlet_connection):
                assert martlet_server is not seen[0]
                martlet_connection.flush(5)
            def test_three(martlet_server_factory):
                assert martlet_server_factory(name="named").port != martlet_server_factory().port
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr
