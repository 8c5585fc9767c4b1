# SPDX-License-Identifier: Apache-2.0
"""Goal: a package that needs a younger system, shows what it should hide, is too large or lacks
what it must hold is found; sources and licences are those of the machine.

Method: one deliberate fault at a time in what tools/package reads.
"""

import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "package"))

import check  # noqa: E402
import contents  # noqa: E402
import notices  # noqa: E402
import npm_packages  # noqa: E402
import source_lists  # noqa: E402

TABLE = """
/tmp/x.so:     file format elf64-x86-64

DYNAMIC SYMBOL TABLE:
0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.14) memcpy
0000000000000000      DF *UND*\t0000000000000000  GLIBC_2.25  getrandom
0000000000000000  w   D  *UND*\t0000000000000000  Base        __gmon_start__
0000000000000000      D  *UND*\t0000000000000000  Base        PyLong_FromLong
0000000000000000      D  *UND*\t0000000000000000 PyErr_Clear
0000000000035a90 g    DF .text\t0000000000000005  Base        PyInit__raw
0000000000000000 g    DO *ABS*\t0000000000000000  VERS_1      VERS_1
"""
HEADERS = "  NEEDED               libc.so.6\n  NEEDED               libgcc_s.so.1\n"


def faults(table, headers=HEADERS):
    symbols = contents.read_symbols(table, headers)
    return list(check.faults_of_native(symbols, "2.28", "PyInit__raw", check.PYTHON_API))


def test_a_good_native_is_read_and_passes():
    symbols = contents.read_symbols(TABLE, HEADERS)
    assert symbols.exported == {"PyInit__raw"}
    assert symbols.unversioned == {"PyLong_FromLong", "PyErr_Clear"}
    assert symbols.versions == {"GLIBC_2.14", "GLIBC_2.25"}
    assert symbols.libraries == {"libc.so.6", "libgcc_s.so.1"}
    assert faults(TABLE) == []


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("0000000000000000      DF *UND*\t0000000000000000  GLIBC_2.34  pthread_create", "2.34"),
        ("0000000000000000      DF *UND*\t0000000000000000  Base        arc4random", "arc4random"),
        ("0000000000035a90 g    DF .text\t0000000000000005  Base        SSL_new", "SSL_new"),
        ("0000000000035a90  w   DF .text\t0000000000000005  Base        _ZNSsC1Ev", "_ZNSsC1Ev"),
    ],
)
def test_a_symbol_too_much_is_named(line, named):
    found = faults(TABLE + line + "\n")
    assert len(found) == 1 and named in found[0]


def test_a_version_that_no_symbol_has_is_named():
    references = "Version References:\n  required from libc.so.6:\n"
    assert faults(TABLE, f"{HEADERS}{references}    0x06969197 0x00 07 GLIBC_2.17\n") == []
    line = "    0x0fd0e42f 0x00 02 GLIBC_ABI_DT_RELR\n"
    assert "GLIBC_ABI_DT_RELR" in faults(TABLE, HEADERS + references + line)[0]


def test_a_line_that_is_not_understood_is_no_pass():
    with pytest.raises(ValueError, match="not understood"):
        faults(TABLE + "0000000000035a90 nonsense\n")


def test_a_library_that_a_system_may_lack_is_named():
    assert "libcrypto.so.3" in faults(TABLE, HEADERS + "  NEEDED   libcrypto.so.3\n")[0]


def test_what_shows_nothing_is_no_module():
    table = "\n".join(line for line in TABLE.splitlines() if "PyInit" not in line)
    assert "of 0 symbols" in faults(table)[0]


def test_versions_are_compared_as_numbers():
    versions = {"GLIBC_2.4", "GLIBC_2.28", "GLIBC_2.29", "GLIBC_2.100", "GCC_3.0"}
    assert contents.glibc_above(versions, "2.28") == ["GLIBC_2.100", "GLIBC_2.29"]


def test_a_folder_without_packages_and_with_a_stranger_fails(tmp_path):
    (tmp_path / "martlet-9.9.9.tgz").write_bytes(b"")
    found = list(check.faults_of(tmp_path, "0.1.0", "2.28"))
    assert found[0].startswith("martlet-9.9.9.tgz: no package of version 0.1.0")
    assert {fault.split(":")[0] for fault in found[1:]} == set(check.KINDS)


def test_a_jar_without_a_native_and_licences_fails(tmp_path):
    jar = tmp_path / "martlet-0.1.0.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "")
    found = " ".join(check.faults_of_package(jar, "jar", "2.28"))
    for wanted in ("native files", "LICENSE", "NOTICE", "THIRD_PARTY_LICENSES", "sbom.cdx.json"):
        assert wanted in found


def test_sources_without_licences_fail(tmp_path):
    sdist = tmp_path / "martlet-0.1.0.tar.gz"
    (tmp_path / "LICENSE").write_text("Apache-2.0")
    for there, lacks in (((), {"LICENSE", "NOTICE"}), (("LICENSE",), {"NOTICE"})):
        with tarfile.open(sdist, "w:gz") as archive:
            for name in there:
                archive.add(tmp_path / name, f"martlet-0.1.0/{name}")
        found = list(check.faults_of_package(sdist, "sdist", "2.28"))
        assert {fault.rsplit(" ", 1)[-1] for fault in found} == lacks


def test_a_package_that_is_too_large_fails(tmp_path):
    pom = tmp_path / "martlet-0.1.0.pom"
    pom.write_bytes(b"x" * (check.BYTES_MAX + 1))
    assert "at most" in list(check.faults_of_package(pom, "pom", "2.28"))[0]


def test_an_npm_package_with_a_script_or_without_types_fails():
    manifest = json.dumps({"scripts": {"prepare": "x"}}).encode()
    found = list(
        check.faults_of_manifest(Path("m.tgz"), "npm", {"package/package.json": manifest})
    )
    assert len(found) == 2


def test_npm_manifests_name_the_addon_in_their_own_version_and_run_nothing():
    checkout = npm_packages.checkout_manifest()
    main, addon = npm_packages.main_manifest(checkout), npm_packages.addon_manifest(checkout)
    assert main["optionalDependencies"] == {addon["name"]: addon["version"]}
    assert main["version"] == addon["version"] == checkout["version"]
    assert not {"scripts", "devDependencies"} & (main.keys() | addon.keys())
    raw = (ROOT / "node" / "lib" / "raw.ts").read_text(encoding="utf-8")
    assert "require.resolve(`@martlet/${platform}/martlet.node`)" in raw
    assert addon["name"] == "@martlet/linux-x64"


@pytest.mark.parametrize(
    ("debian", "upstream"),
    [
        ("1:4.4.33-2", "4.4.33"),
        ("9.1.0+ds1-2", "9.1.0"),
        ("2.1.12-stable-8+deb12u1", "2.1.12-stable"),
        ("3.0.22-1~deb12u2", "3.0.22"),
        ("1.81.0-5+b1", "1.81.0"),
    ],
)
def test_the_version_before_debians(debian, upstream):
    assert notices.upstream_version(debian) == upstream


def test_each_language_lists_the_core_and_its_own():
    names = {
        language: {row["name"] for row in notices.linked(language)}
        for language in ("python", "npm", "java", "csharp")
    }
    assert names["java"] == names["csharp"] >= {"OpenSSL", "libevent", "libxcrypt"}
    assert names["python"] - names["java"] == {"pybind11"}
    assert names["npm"] - names["java"] == {"node-addon-api"}


def test_sources_of_both_forms_of_apts_lists():
    old = "# no\ndeb [signed-by=/k] http://a/ x main\ndeb-src http://b y main\n\n"
    assert source_lists.from_list(old) == [
        "deb-src [signed-by=/k] http://a/ x main", "deb-src http://b y main",
    ]  # fmt: skip
    new = (
        "Types: deb\nURIs: http://a http://b\nSuites: x y\nComponents: main\nSigned-By: /k\n\n"
        "Types: deb\nURIs: http://c\nSuites: x\nComponents: main\nEnabled: no\n"
    )
    assert source_lists.from_stanzas(new) == [
        f"deb-src [signed-by=/k] http://{host} {suite} main" for host in "ab" for suite in "xy"
    ]
