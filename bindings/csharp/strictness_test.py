# SPDX-License-Identifier: Apache-2.0
"""Goal: a warning and a public thing without documentation fail the build of the C# package.
Method: the assembly is built with one more file in which something of that kind is planted; with a
file in which nothing is wrong it must build. $DOTNET is the SDK.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "bindings" / "csharp" / "Martlet" / "Martlet.csproj"
FRAME = """// SPDX-License-Identifier: Apache-2.0
namespace Martlet
{
    /// <summary>Planted.</summary>
    public static class Planted
    {
%s
    }
}
"""
DOCUMENTED = "        /// <summary>Planted.</summary>\n"


def build(member: str) -> tuple[int, str]:
    """The status of a build with the class Planted, and what it says."""
    with tempfile.TemporaryDirectory(prefix="strictness_") as name:
        folder = Path(name)
        planted = folder / "Planted.cs"
        planted.write_text(FRAME % member, encoding="utf-8")
        libraries = os.environ.get("DOTNET_SSL_FOLDER", "")
        done = subprocess.run(
            [os.environ["DOTNET"], "build", "-nologo", "-v", "minimal", "-nodeReuse:false", "-m:1",
             "-p:UseSharedCompilation=false", f"-p:MartletPlanted={planted}",
             f"-p:MartletOutput={folder}/out/", str(PROJECT)],
            env={**os.environ, "LD_LIBRARY_PATH": libraries},
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


class Strictness(unittest.TestCase):
    def refused(self, member: str, code: str) -> None:
        status, text = build(member)
        self.assertNotEqual(status, 0, text)
        self.assertIn(f"error {code}", text)

    def test_what_is_right_is_built(self) -> None:
        status, text = build(DOCUMENTED + "        public static int Number => 1;")
        self.assertEqual(status, 0, text)
        self.assertIn("0 Warning(s)", text)

    def test_missing_documentation_is_an_error(self) -> None:
        self.refused("        public static int Number => 1;", "CS1591")

    def test_an_undocumented_parameter_is_an_error(self) -> None:
        comment = DOCUMENTED + '        /// <param name="one">Documented.</param>\n'
        self.refused(comment + "        public static int Sum(int one, int two) => one + two;",
                     "CS1573")

    def test_a_warning_is_an_error(self) -> None:
        self.refused(DOCUMENTED + "        public static void Do() { int unused; }", "CS0168")

    def test_a_null_that_may_come_is_an_error(self) -> None:
        member = "        public static int Length(string? text) => text.Length;"
        comment = (
            '        /// <param name="text">One.</param>\n        /// <returns>It.</returns>\n'
        )
        self.refused(DOCUMENTED + comment + member, "CS8602")


if __name__ == "__main__":
    unittest.main()
