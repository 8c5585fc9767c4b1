# SPDX-License-Identifier: Apache-2.0
"""Goal: the file VERSION is the one place where the version is decided. What has to write it down
once more – npm and Maven cannot read it – writes the same."""

import json
import re
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()


def test_it_is_three_numbers():
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_npm_has_it():
    assert json.loads((ROOT / "package.json").read_text())["version"] == VERSION
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert lock["version"] == lock["packages"][""]["version"] == VERSION


def test_maven_has_it():
    project = ElementTree.parse(ROOT / "bindings" / "java" / "pom.xml").getroot()
    assert project.findtext("{http://maven.apache.org/POM/4.0.0}version") == VERSION


def test_the_examples_ask_for_it():
    page = json.loads((ROOT / "examples" / "live_page" / "package.json").read_text())
    assert page["dependencies"] == {"martlet": VERSION}
    quotes = ElementTree.parse(ROOT / "examples" / "quotes" / "pom.xml").getroot()
    maven = "{http://maven.apache.org/POM/4.0.0}"
    assert [each.findtext(f"{maven}version") for each in quotes.iter(f"{maven}dependency")] == [
        VERSION
    ]
    gateway = ElementTree.parse(ROOT / "examples" / "sensor_gateway" / "SensorGateway.csproj")
    asked = [each.attrib for each in gateway.iter("PackageReference")]
    assert asked == [{"Include": "Martlet", "Version": VERSION}]


def test_the_others_read_it():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in pyproject["project"]["dynamic"]
    assert pyproject["tool"]["scikit-build"]["metadata"]["version"]["input"] == "VERSION"
    project = (ROOT / "bindings/csharp/Martlet/Martlet.csproj").read_text(encoding="utf-8")
    assert re.search(r"<MartletVersion [^>]*>\$\(\[System\.IO\.File\]::ReadAllText\(", project)
    assert VERSION not in (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
