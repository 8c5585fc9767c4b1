# SPDX-License-Identifier: Apache-2.0
"""Goal: what README.md shows of the program, of C and of C++ runs as it is written.

Method: its code blocks are taken out of the text. Those of the shell are run one after the other,
each when the one before is ready; of their words only the ports are changed, for any test takes
free ones, and clients hear of them by $NATS_URL. Those of C and C++ are compiled inside a function.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MARTLET_BUILD", ROOT / "build" / "release"))
PROGRAM = "build/release/bin/martlet"
INCLUDE = ROOT / "capi" / "include"
LIBRARIES = BUILD / "lib"
SECONDS_MAX = 60
C_FRAME = """#include <martlet/martlet.h>
#include <stdio.h>
int main(void) {
%s
  printf("status %%d\\n", (int)status);
  return status == MARTLET_OK ? 0 : 1;
}
"""
CPP_FRAME = """#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/server.hpp>
#include <cstdio>
int main() {
%s
  std::puts("published");
}
"""


def blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Snippets(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="snippets-")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def begin(self, snippet: str, environment: dict[str, str]) -> subprocess.Popen:
        link = self.folder / PROGRAM
        if not link.parent.exists():
            link.parent.mkdir(parents=True)
            link.symlink_to(BUILD / "bin" / "martlet")
        self.assertIn(PROGRAM, snippet)
        process = subprocess.Popen(
            ["bash", "-euc", f"exec {snippet}"], cwd=self.folder, text=True,
            env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def await_page(self, url: str, ready) -> None:
        end = time.monotonic() + SECONDS_MAX
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(url, timeout=5) as page:
                    if ready(json.load(page)):
                        return
            time.sleep(0.02)
        self.fail(f"{url} did not come to that")

    def test_the_program(self) -> None:
        serve, *others = [block for block in blocks("sh") if PROGRAM in block]
        self.assertEqual(len(others), 2)
        for number in ("4222", "8222"):
            self.assertIn(f" {number}", serve)
        port, monitoring = free_port(), free_port()
        serve = serve.replace("4222", str(port)).replace("8222", str(monitoring))
        self.begin(serve.replace(" serve ", " serve -a 127.0.0.1 "), {})
        page = f"http://127.0.0.1:{monitoring}/varz"
        self.await_page(page, lambda varz: True)
        before = self.subscriptions(page)
        environment = {"NATS_URL": f"nats://127.0.0.1:{port}"}
        listening = self.begin(others[0], environment)
        self.await_page(page, lambda varz: varz["subscriptions"] > before)
        speaking = self.begin(others[1], environment)
        told, _ = speaking.communicate(timeout=SECONDS_MAX)
        self.assertEqual(speaking.returncode, 0, told)
        heard = ""
        for line in listening.stdout:
            heard += line
            if "on time" in line:
                break
        self.assertIn("flight.AA.JFK.LAX", heard)
        self.assertIn("on time", heard)

    def subscriptions(self, url: str) -> int:
        with urllib.request.urlopen(url, timeout=5) as page:
            return json.load(page)["subscriptions"]

    def compile_and_run(self, name: str, text: str, *compiler: str) -> str:
        source = self.folder / name
        source.write_text(text, encoding="utf-8")
        program = self.folder / "program"
        built = subprocess.run(
            [*compiler, "-Wall", "-Wextra", "-Werror", "-I", INCLUDE, source, "-L", LIBRARIES,
             "-lmartlet", f"-Wl,-rpath,{LIBRARIES}", "-o", program],
            capture_output=True, text=True)  # fmt: skip
        self.assertEqual(built.returncode, 0, built.stderr)
        ran = subprocess.run([program], capture_output=True, text=True, timeout=SECONDS_MAX)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertEqual(ran.stderr, "")
        return ran.stdout

    def test_c(self) -> None:
        (snippet,) = blocks("c")
        text = C_FRAME % snippet
        self.assertEqual(self.compile_and_run("snippet.c", text, "cc", "-std=c11"), "status 0\n")

    def test_cpp(self) -> None:
        (snippet,) = blocks("cpp")
        text = CPP_FRAME % snippet
        told = self.compile_and_run("snippet.cpp", text, "c++", "-std=c++20")
        self.assertEqual(told, "published\n")


if __name__ == "__main__":
    unittest.main()
