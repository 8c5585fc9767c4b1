# SPDX-License-Identifier: Apache-2.0
"""Writes what a package says of what is inside it: licences, and the list in CycloneDX's form.

Owns: LICENSE, NOTICE, THIRD_PARTY_LICENSES.txt and sbom.cdx.json of each language's packages, from
tools/package/linked.toml and what the machine's packages tell of themselves. The same input gives
the same bytes: no time and no path enters.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("python", "npm", "java", "csharp")
COMMON_LICENCES = Path("/usr/share/common-licenses")
RELINKING = """\
libxcrypt is linked statically under the LGPL. Who wants another libxcrypt in its place builds the
packages again from Martlet's sources, which are complete and free, by `./dev package`.
"""


@dataclass
class Component:
    name: str
    version: str
    licence: str
    purl: str
    text: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=ROOT / "build/package/notices")
    parser.add_argument("--floor", type=Path, help="the folder of the C library linked against")
    parser.add_argument("--floor-version", default="2.28")
    options = parser.parse_args()
    if options.floor is None:
        parser.error("--floor is missing")
    for language in LANGUAGES:
        components = [
            component_of(row, options.floor, options.floor_version) for row in linked(language)
        ]
        write_notices(options.into / language, language, components)


def write_notices(folder: Path, language: str, components: list[Component]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "THIRD_PARTY_LICENSES.txt").write_text(licences(components), encoding="utf-8")
    (folder / "sbom.cdx.json").write_text(sbom(language, components), encoding="utf-8")


def linked(language: str) -> list[dict]:
    table = tomllib.loads((ROOT / "tools/package/linked.toml").read_text(encoding="utf-8"))
    return [row for row in table["library"] if language in row.get("languages", [language])]


def component_of(row: dict, floor: Path, floor_version: str) -> Component:
    if "debian" in row:
        version, purl, text = of_debian(row["debian"])
    elif "pypi" in row:
        version, purl, text = of_pypi(row["pypi"])
    elif "npm" in row:
        version, purl, text = of_npm(row["npm"])
    else:
        version, purl = floor_version, f"pkg:generic/glibc@{floor_version}"
        text = (floor / "LICENSES").read_text(encoding="utf-8")
    if "text" in row:
        text = (ROOT / row["text"]).read_text(encoding="utf-8")
    return Component(row["name"], version, row["licence"], purl, text)


def of_debian(package: str) -> tuple[str, str, str]:
    query = ["dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", package]
    answer = subprocess.run(query, check=True, capture_output=True, text=True)
    source, version = answer.stdout.split()
    copyright_file = Path("/usr/share/doc", package, "copyright")
    text = copyright_file.read_text(encoding="utf-8")
    return upstream_version(version), f"pkg:deb/debian/{source}@{version}?arch=source", text


def upstream_version(debian_version: str) -> str:
    """1:4.4.33-2 is 4.4.33, 9.1.0+ds1-2 is 9.1.0."""
    version = debian_version.split(":", 1)[-1].rpartition("-")[0]
    return re.sub(r"[+~](?:ds|dfsg|repack).*$", "", version)


def of_pypi(package: str) -> tuple[str, str, str]:
    distribution = importlib.metadata.distribution(package)
    files = [file for file in distribution.files or [] if file.name.startswith("LICENSE")]
    text = Path(str(files[0].locate())).read_text(encoding="utf-8")
    return distribution.version, f"pkg:pypi/{package}@{distribution.version}", text


def of_npm(package: str) -> tuple[str, str, str]:
    folder = ROOT / "node_modules" / package
    version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    text = next(folder.glob("LICENSE*")).read_text(encoding="utf-8")
    return version, f"pkg:npm/{package}@{version}", text


def licences(components: list[Component]) -> str:
    """Each component's own text, then once each text that several of them refer to."""
    parts = ["What is linked inside this package, and under which licences.\n\n" + RELINKING]
    for component in components:
        parts.append(f"{component.name} {component.version}: {component.licence}\n\n"
                     + component.text)  # fmt: skip
    for name in ("LGPL-2.1", "GPL-3", "Apache-2.0"):
        parts.append(f"The text of {name}\n\n" + (COMMON_LICENCES / name).read_text("utf-8"))
    return f"\n{'=' * 80}\n\n".join(part.rstrip() + "\n" for part in parts)


def sbom(language: str, components: list[Component]) -> str:
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": f"martlet-{language}",
                "name": "martlet",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": component.name,
                "name": component.name,
                "version": component.version,
                "licenses": [{"expression": component.licence}],
                "purl": component.purl,
            }
            for component in components
        ],
        "dependencies": [
            {"ref": f"martlet-{language}", "dependsOn": [one.name for one in components]},
            *({"ref": one.name} for one in components),
        ],
    }
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    main()
