# SPDX-License-Identifier: Apache-2.0
"""Lays out the two npm packages: `martlet`, and the one with the addon for this platform.

Owns: what differs between the manifest of a checkout and that of a package. A package runs no
script when it is installed and needs nothing to build; the addon comes as an optional dependency,
which npm takes only where system, processor and C library fit.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = "linux-x64"
ADDON_PACKAGE = f"@martlet/{PLATFORM}"
ONLY_IN_A_CHECKOUT = ("scripts", "devDependencies", "private")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    built = ROOT / "build" / "package"
    parser.add_argument("--into", type=Path, default=built / "npm")
    parser.add_argument("--addon", type=Path, default=built / "lib" / "martlet.node")
    parser.add_argument("--notices", type=Path, default=built / "notices" / "npm")
    options = parser.parse_args()
    shutil.rmtree(options.into, ignore_errors=True)
    lay_out_main(options.into / "martlet")
    lay_out_addon(options.into / PLATFORM, options.addon, options.notices)


def checkout_manifest() -> dict:
    return json.loads((ROOT / "package.json").read_text(encoding="utf-8"))


def main_manifest(checkout: dict) -> dict:
    manifest = {key: value for key, value in checkout.items() if key not in ONLY_IN_A_CHECKOUT}
    manifest["optionalDependencies"] = {ADDON_PACKAGE: checkout["version"]}
    return manifest


def addon_manifest(checkout: dict) -> dict:
    return {
        "name": ADDON_PACKAGE,
        "version": checkout["version"],
        "description": f"The native part of the package martlet for {PLATFORM} with glibc",
        "license": checkout["license"],
        "engines": checkout["engines"],
        "os": ["linux"],
        "cpu": ["x64"],
        "libc": ["glibc"],
        "main": "martlet.node",
        "files": ["*"],
    }


def lay_out_main(folder: Path) -> None:
    ignored = shutil.ignore_patterns("*.node", "*.new")
    shutil.copytree(ROOT / "node" / "dist", folder / "node" / "dist", ignore=ignored)
    for name in ("LICENSE", "NOTICE", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    write(folder / "package.json", main_manifest(checkout_manifest()))


def lay_out_addon(folder: Path, addon: Path, notices: Path) -> None:
    shutil.copytree(notices, folder)
    shutil.copy(addon, folder / "martlet.node")
    (folder / "README.md").write_text(
        f"# {ADDON_PACKAGE}\n\nThe native part of `martlet`, which installs it where it fits.\n"
    )
    write(folder / "package.json", addon_manifest(checkout_manifest()))


def write(path: Path, manifest: dict) -> None:
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
