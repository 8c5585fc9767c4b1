# SPDX-License-Identifier: Apache-2.0
"""Goal: each rule of tools/tidy.py turns red on a planted violation, and a tidy tree is green.

Method: a small tidy tree, one violation planted at a time. What no file may say is put together
here, because this file may not say it either.
"""

import function_sizes
import pytest
import tidy

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
OWNS = LICENCE + "//\n// Owns nothing.\n"
GOOD = {
    "README.md": "See [the tour](docs/tour.md) and [elsewhere](https://example.com/x).\n",
    "docs/tour.md": "It begins in `net/connection.cpp:on_read`.\n",
    "core/net/README.md": "`connection.hpp` feeds `io/loop.hpp`.\n",
    "core/io/README.md": "The machine; tested by `tests/unit/io/loop_test.cpp`.\n",
    "core/net/connection.hpp": OWNS,
    "core/net/connection.cpp": OWNS,
    "core/io/loop.hpp": OWNS,
    "core/io/linux/loop.cpp": OWNS,
    "tests/unit/net/connection_test.cpp": LICENCE,
    "tests/unit/io/loop_test.cpp": LICENCE,
    "tools/run_me.py": "#!/usr/bin/env python3\n# SPDX-License-Identifier: Apache-2.0\n",
    "tools/tidy_marks.toml": "",
}


def lines_of_code(count):
    return OWNS + "int i;\n" * (count - 3)


def function_of(lines, name="f"):
    return OWNS + f"void {name}() {{\n" + "  g();\n" * (lines - 2) + "}\n"


def violations(root):
    return tidy.check(root)[0]


def test_a_tidy_tree_passes(plant):
    assert violations(plant(GOOD)) == []
    assert tidy.main([str(plant({}))]) == 0


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("core/utils/connection.hpp", OWNS, "a folder 'utils' says nothing"),
        ("tests/misc/x.py", LICENCE.replace("//", "#"), "a folder 'misc' says nothing"),
        ("core/net/helpers.hpp", OWNS, "a file 'helpers' says nothing"),
        ("core/net/BadName.hpp", OWNS, "file names are snake_case"),
        ("tests/with-hyphen.py", LICENCE.replace("//", "#"), "file names are snake_case"),
        ("java/lower.java", LICENCE, "named as its class"),
        ("core/net/x.hpp", "#pragma once\n", "SPDX licence line"),
        ("cmake/x.cmake", "set(a b)\n", "SPDX licence line"),
        (
            "core/net/x.hpp",
            LICENCE + "#pragma once\n#include <string>\n",
            "says nothing of what it",
        ),
        ("core/net/x.hpp", OWNS + "// " + "x" * 98 + "\n", "101 columns"),
        ("docs/x.md", "in /wor" + "k/main\n", "a path of one machine"),
        ("docs/x.md", "in /roo" + "t/.cache\n", "a path of one machine"),
        ("docs/x.md", "in ../share" + "d/design\n", "a folder outside the repository"),
        ("docs/x.md", "from pypi" + ".org\n", "the host of a package registry"),
        ("x/package-lock.json", '"https://registry.npmjs' + '.org/x"\n', "of a package registry"),
        ("core/net/x.hpp", OWNS + "// TO" + "DO later\n", "write what is unfinished"),
        ("core/net/x.hpp", OWNS + "// TO" + "DO(now): it\n", "write what is unfinished"),
        ("core/net/x.hpp", OWNS + "// FIX" + "ME\n", "write what is unfinished"),
        ("core/net/x.hpp", lines_of_code(601), "has 601 lines, 600 at most"),
        ("core/net/x.hpp", function_of(71), "x.hpp:f has 71 lines, 70 at most"),
        ("core/net/listener.cpp", OWNS, "has no listener.hpp beside it"),
        ("core/net/listener.cpp", OWNS, "has no tests/unit/net/listener_test.cpp"),
        ("docs/x.md", "[gone](gone.md)\n", "links to gone.md, which is not there"),
        ("core/net/README.md", "`gone.hpp`\n", "names gone.hpp, which is not there"),
        ("core/net/README.md", "a line\n" * 41, "has 41 lines, 40 at most"),
        ("docs/tour.md", "then `net/gone.cpp`\n", "names net/gone.cpp, which is not there"),
    ],
)
def test_a_violation_is_found(plant, path, text, expected):
    plant(GOOD)
    root = plant({path: text})
    found = [violation for violation in violations(root) if expected in violation]
    assert found, violations(root)
    assert found[0].startswith(path)
    assert tidy.main([str(root)]) == 1


def test_a_missing_tour_is_found(plant):
    root = plant({name: text for name, text in GOOD.items() if name != "docs/tour.md"})
    assert any("docs/tour.md:1: is missing" in violation for violation in violations(root))


def test_a_folder_of_core_without_a_readme_is_found(plant):
    plant(GOOD)
    root = plant({"core/auth/permissions.hpp": OWNS})
    assert "core/auth/README.md:1: is missing" in violations(root)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("core/net/x.hpp", OWNS + "// TO" + "DO(perf): measure it\n"),
        ("core/net/x.hpp", lines_of_code(600)),
        ("core/net/x.hpp", function_of(70)),
        ("tests/fuzz/corpus/parser/BAD.c", "no licence"),
        ("capi/x.h", "/* GENERATED, not to be edited. */\n" + "x" * 200 + "\n"),
        ("python/martlet/__init__.py", ""),
    ],
)
def test_what_is_allowed_passes(plant, path, text):
    plant(GOOD)
    assert violations(plant({path: text})) == []


def marks(file_lines="", function_lines="", without_test=""):
    return (
        f"[file_lines]\n{file_lines}\n[function_lines]\n{function_lines}\n"
        f"[without_test]\n{without_test}\n"
    )


@pytest.mark.parametrize(
    ("mark", "lines", "expected"),
    [
        (700, 700, None),
        (700, 701, "grew to 701 lines; its mark is 700"),
        (700, 650, "shrank to 650 lines, its mark is 700"),
    ],
)
def test_the_ratchet_turns_one_way(plant, mark, lines, expected):
    plant(GOOD)
    plant({"tools/tidy_marks.toml": marks(file_lines=f'"core/net/x.hpp" = {mark}')})
    found = violations(plant({"core/net/x.hpp": lines_of_code(lines)}))
    assert len(found) == (1 if expected else 0), found
    assert not expected or expected in found[0]


@pytest.mark.parametrize("mark", [1, 3])
def test_wide_lines_are_held_to_their_number(plant, mark):
    plant(GOOD)
    plant({"tools/tidy_marks.toml": f'[wide_lines]\n"core/net/x.hpp" = {mark}\n'})
    found = violations(plant({"core/net/x.hpp": OWNS + ("// " + "x" * 98 + "\n") * 2}))
    assert len(found) == 1
    assert f"2 lines above 100 columns, its mark is {mark}" in found[0]
    plant({"tools/tidy_marks.toml": '[wide_lines]\n"core/net/x.hpp" = 2\n'})
    assert violations(plant({})) == []


def test_marks_of_what_is_gone_are_refused(plant):
    plant(GOOD)
    text = marks(
        file_lines='"core/net/gone.hpp" = 700',
        function_lines='"core/net/gone.hpp:f" = 90',
        without_test='"core/net/connection.cpp" = "it has one"',
    )
    found = violations(plant({"tools/tidy_marks.toml": text}))
    assert len(found) == 3
    assert all(violation.startswith("tools/tidy_marks.toml:1") for violation in found)


def test_lowering_writes_smaller_marks_only(plant):
    plant(GOOD)
    plant({"core/net/x.hpp": lines_of_code(650), "core/net/y.hpp": function_of(80)})
    plant({"core/net/z.hpp": lines_of_code(700)})
    lines = '"core/net/x.hpp" = 700\n"core/net/z.hpp" = 690\n"core/net/gone.hpp" = 800'
    root = plant({"tools/tidy_marks.toml": marks(lines, '"core/net/y.hpp:f" = 99')})
    tidy.lower_marks(root)
    lowered = '"core/net/x.hpp" = 650\n"core/net/z.hpp" = 690'
    expected = marks(lowered, '"core/net/y.hpp:f" = 80')
    assert (root / "tools/tidy_marks.toml").read_text() == expected
    assert [v for v in violations(root) if "grew" in v and "z.hpp" in v]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int f(int a) {\n  return a;\n}\n", [("f", 1, 3)]),
        ("Result<Fd> Socket::open(\n    int a) noexcept {\n}\n", [("Socket::open", 1, 3)]),
        ("namespace a {\nclass B {\n  int g() { return 1; }\n};\n}\n", [("g", 3, 1)]),
        ("struct A make() {\n}\n", [("make", 1, 2)]),
        ("struct A {\n  int x = f();\n};\n", []),
        ("A::A(int x)\n    : x_(x) {\n}\n", [("A::A", 1, 3)]),
        ("A::~A() {\n}\n", [("A::~A", 1, 2)]),
        ("TEST(Loop, Stops) {\n}\n", [("TEST(Loop, Stops)", 1, 2)]),
        ("void f() {\n  auto l = [](int a) {\n  };\n  for (;;) {\n  }\n}\n", [("f", 1, 6)]),
        ("void f() {\n  g(\"}\");  // }\n  h('}');\n}\n", [("f", 1, 4)]),
        ('void f() {\n  g(R"x(}}\n)x");\n}\n', [("f", 1, 4)]),
        ("#define A(x) { \\\n  x\nvoid f() {\n}\n", [("f", 3, 2)]),
        ("constexpr int a[] = {1, 2};\nint b{3};\n", []),
        ('extern "C" {\nint f(void) {\n}\n}\n', [("f", 2, 2)]),
        ("bool A::operator==(const A& b) const {\n}\n", [("A::operator==", 1, 2)]),
        ("int million = 1'000'000;\nvoid f() {\n}\n", [("f", 2, 2)]),
    ],
)
def test_functions_are_found(text, expected):
    assert list(function_sizes.functions(".cpp", text)) == expected


def test_python_functions_are_found():
    text = "class A:\n    def f(self):\n        return 1\n\n\nasync def g():\n    pass\n"
    assert sorted(function_sizes.functions(".py", text)) == [("f", 2, 2), ("g", 6, 2)]
