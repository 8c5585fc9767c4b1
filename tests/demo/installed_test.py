# SPDX-License-Identifier: Apache-2.0
"""Goal: the programs that the other tests of examples/ start use what is in dist/, installed beside
them, and nothing of a development build.

Method: each language is asked where it takes the package from; what is native there is compared,
byte for byte, with what is in dist/.
"""

from __future__ import annotations

import glob
import os
import shlex
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1] / "tools" / "package"))

import contents  # noqa: E402
from program import EXAMPLES, SECONDS_MAX, node  # noqa: E402

DIST = HERE.parents[1] / "dist"


def said(*command: str, folder: Path) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True,
                          timeout=SECONDS_MAX).stdout.strip()


class Installed(unittest.TestCase):
    def assert_shipped(self, native: bytes, pattern: str) -> None:
        """It is the native file of one of these packages."""
        packages = list(DIST.glob(pattern))
        self.assertTrue(packages)
        shipped = [data for one in packages for data in contents.natives_of(one).values()]
        self.assertIn(native, shipped)

    def test_python(self) -> None:
        python = os.environ["EXAMPLES_PYTHON"]
        with tempfile.TemporaryDirectory() as elsewhere:
            file = said(python, "-c", "import martlet; print(martlet._raw.__file__)",
                        folder=Path(elsewhere))
        self.assertTrue(Path(file).is_relative_to(Path(python).parents[1]), file)
        self.assert_shipped(Path(file).read_bytes(), "*.whl")

    def test_node(self) -> None:
        asked = "console.log(require.resolve('martlet'))"
        file = Path(said(node(), "-e", asked, folder=EXAMPLES / "live_page"))
        modules = EXAMPLES / "live_page" / "node_modules"
        self.assertTrue(file.is_relative_to(modules / "martlet"), file)
        addon = modules / "@martlet" / "linux-x64" / "martlet.node"
        self.assert_shipped(addon.read_bytes(), "martlet-linux-x64-*.tgz")

    def test_java(self) -> None:
        jars = [jar for word in os.environ["QUOTES_CLASSES"].split(":") for jar in glob.glob(word)
                if Path(jar).name.startswith("martlet-")]
        self.assertEqual(len(jars), 1)
        self.assertIn(Path(jars[0]).read_bytes(),
                      [one.read_bytes() for one in DIST.glob("martlet-*.jar")])

    def test_csharp(self) -> None:
        for variable in ("GATEWAY_DOTNET", "GATEWAY_MONO"):
            folder = Path(shlex.split(os.environ[variable])[-1]).parent
            native = folder / "runtimes" / "linux-x64" / "native" / "libmartlet_csharp.so"
            self.assert_shipped(native.read_bytes(), "*.nupkg")
            package = contents.files_of(next(DIST.glob("*.nupkg")))
            self.assertEqual((folder / "Martlet.dll").read_bytes(),
                             package["lib/netstandard2.1/Martlet.dll"])


if __name__ == "__main__":
    unittest.main()
