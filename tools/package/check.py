# SPDX-License-Identifier: Apache-2.0
"""Judges the packages in a folder: that they are all there, small, of one version, and that what is
native in them runs where it is promised to and keeps to itself. `--table` only shows them.

Owns: what every package must hold. Does not install anything: tests/packages does.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import contents

ROOT = Path(__file__).resolve().parents[2]
BYTES_MAX = 4_000_000

# A kind of package: its file's name, the native file in it, and what that may show and want.
PYTHON_API = r"_?Py[A-Z_]\w*"
NODE_API = r"napi_\w+|node_api_\w+"
KINDS = {
    "wheel": (r"martlet-{v}-cp(\d+)-cp\1-manylinux_2_28_x86_64\.whl",
              r"martlet/_raw\.\S+\.so", r"PyInit__raw", PYTHON_API),
    "sdist": (r"martlet-{v}\.tar\.gz", None, None, None),
    "npm": (r"martlet-{v}\.tgz", None, None, None),
    "npm addon": (r"martlet-linux-x64-{v}\.tgz", r"package/martlet\.node",
                  r"napi_register_module_v1|node_api_module_get_api_version_v1", NODE_API),
    "jar": (r"martlet-{v}\.jar", r"natives/linux-x64/libmartlet_java\.so",
            r"Java_io_martlet_raw_\w+|JNI_On(?:Load|Unload)", None),
    "sources jar": (r"martlet-{v}-sources\.jar", None, None, None),
    "javadoc jar": (r"martlet-{v}-javadoc\.jar", None, None, None),
    "pom": (r"martlet-{v}\.pom", None, None, None),
    "nupkg": (r"Martlet\.{v}\.nupkg", r"runtimes/linux-x64/native/libmartlet_csharp\.so",
              r"CSharp_\w+|martlet_(?:\w+_(?:free|release)|connection_publish)", None),
}  # fmt: skip
# Sources and what is compiled from them, without anything native.
OF_OURS_ALONE = {"sdist", "npm"}
# Of the C library and the compiler's unwinder, which every such system has.
LIBRARIES = {
    "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist")
    parser.add_argument("--floor", default="2.28", help="the oldest glibc")
    parser.add_argument("--table", action="store_true", help="only show what is there")
    options = parser.parse_args()
    if options.table:
        print_table(options.folder)
        return 0
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    faults = list(faults_of(options.folder, version, options.floor))
    for fault in faults:
        print(fault, file=sys.stderr)
    checked = len(list(options.folder.iterdir()))
    print(f"{max(checked - len(faults), 0)} passed, {len(faults)} failed")
    return 1 if faults or not checked else 0


def print_table(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        native = sum(len(data) for data in contents.natives_of(path).values()) if is_archive(
            path) else 0  # fmt: skip
        inside = f"  {native / 1e6:5.2f} MB native" if native else ""
        print(f"  {path.stat().st_size / 1e6:5.2f} MB  {path.name:55}{inside}".rstrip())


def is_archive(path: Path) -> bool:
    return path.suffix in {*contents.ZIPS, ".gz", ".tgz"}


def faults_of(folder: Path, version: str, floor: str):
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for path in sorted(folder.iterdir()):
        kind = kind_of(path.name, version)
        if kind is None:
            yield f"{path.name}: no package of version {version} is called so"
            continue
        found[kind].append(path)
        yield from faults_of_package(path, kind, floor)
    for kind, paths in found.items():
        if not paths or (len(paths) > 1 and kind != "wheel"):
            yield f"{kind}: {len(paths)} files"


def kind_of(name: str, version: str) -> str | None:
    for kind, (pattern, *_) in KINDS.items():
        if re.fullmatch(pattern.replace("{v}", re.escape(version)), name):
            return kind
    return None


def faults_of_package(path: Path, kind: str, floor: str):
    size = path.stat().st_size
    if size > BYTES_MAX:
        yield f"{path.name}: {size:,} bytes, {BYTES_MAX:,} at most"
    if not is_archive(path):
        return
    names = contents.files_of(path)
    _, native_name, exports, wants = KINDS[kind]
    natives = contents.natives_of(path)
    expected = [name for name in natives if native_name and re.fullmatch(native_name, name)]
    if set(natives) != set(expected) or (native_name and len(expected) != 1):
        yield f"{path.name}: the native files in it are {sorted(natives)}"
    for name, data in natives.items():
        for fault in faults_of_native(contents.symbols_of(data), floor, exports, wants):
            yield f"{path.name}: {name} {fault}"
    yield from faults_of_notices(path, kind, names)
    yield from faults_of_manifest(path, kind, names)


def faults_of_native(symbols: contents.Symbols, floor: str, exports: str | None, wants: str | None):
    above = contents.glibc_above(symbols.versions, floor)
    if above:
        yield f"needs {', '.join(above)}; the floor is {floor}"
    foreign = sorted(symbols.libraries - LIBRARIES)
    if foreign:
        yield f"needs the libraries {', '.join(foreign)}"
    shown = sorted(name for name in symbols.exported if not re.fullmatch(exports or "", name))
    if shown or not symbols.exported:
        yield f"shows {shown[:5]} of {len(symbols.exported)} symbols"
    wanted = sorted(n for n in symbols.unversioned if not re.fullmatch(wants or "(?!)", n))
    if wanted:
        yield f"wants {', '.join(wanted[:5])}, and nobody says of whom"


def faults_of_notices(path: Path, kind: str, names: dict[str, bytes]):
    """What has nothing of others inside has no list of that, which would be of another's build."""
    wanted = []
    if KINDS[kind][1]:
        wanted = ["LICENSE", "NOTICE", "THIRD_PARTY_LICENSES.txt", "sbom.cdx.json"]
    elif kind in OF_OURS_ALONE:
        wanted = ["LICENSE", "NOTICE"]
    present = {name.rsplit("/", 1)[-1] for name in names}
    for name in wanted:
        if name not in present:
            yield f"{path.name}: has no {name}"


def faults_of_manifest(path: Path, kind: str, names: dict[str, bytes]):
    if kind.startswith("npm"):
        manifest = json.loads(names["package/package.json"])
        for field in ("scripts", "devDependencies"):
            if field in manifest:
                yield f"{path.name}: package.json has '{field}'"
    if kind == "npm" and not any(name.endswith(".d.ts") for name in names):
        yield f"{path.name}: has no types"
    if kind == "wheel" and "martlet/py.typed" not in names:
        yield f"{path.name}: has no types"


if __name__ == "__main__":
    sys.exit(main())
