# SPDX-License-Identifier: Apache-2.0
"""Goal: a page of the guide that shows something else than the files turns red, and so does a step
that lacks a language.

Method: a guide of one step in a folder of the test's own, one thing wrong at a time.
"""

import guide_snippets
import pytest

SHOWN = {".cpp": "//", ".py": "#", ".mjs": "//", ".java": "//", ".cs": "//"}
PAGE = "docs/guide/README.md"
STEP = "docs/guide/snippets/two_words"
PACKAGE_PAGE = "bindings/java/README.md"
TEST = "bindings/java/OneTest.java"


def program(ending):
    mark = SHOWN[ending]
    begin, end = f"  {mark} guide: begin\n", f"  {mark} guide: end\n"
    return f"before\n{begin}  shown {ending}\n\n    more\n{end}after\n"


@pytest.fixture
def guide(plant):
    """A guide that is right, with its folder."""
    files = {
        "README.md": "<!-- guide: two_words/two_words.mjs -->\n<!-- guide: end -->\n",
        PAGE: "# Guide\n\n<!-- guide: two_words -->\nold\n<!-- guide: end -->\n\nThe end.\n",
        f"{STEP}/expected.txt": "a line\n",
        PACKAGE_PAGE: f"# Java\n\n<!-- guide: /{TEST} -->\n<!-- guide: end -->\n",
        TEST: program(".java"),
    }
    for language in guide_snippets.LANGUAGES:
        name = language.file_of("two_words")
        files[f"docs/guide/snippets/{name}"] = program(language.ending)
    root = plant(files)
    assert guide_snippets.main([str(root)]) == 0
    return root


def found(root):
    return guide_snippets.check(root)[0]


def test_a_page_shows_every_language_and_what_they_print(guide):
    text = (guide / PAGE).read_text()
    begin = "# Guide\n\n<!-- guide: two_words -->\n<details>\n<summary>C++</summary>\n"
    assert text.startswith(begin)
    assert text.endswith("```text\na line\n```\n<!-- guide: end -->\n\nThe end.\n")
    for language in guide_snippets.LANGUAGES:
        shown = f"```{language.fence}\nshown {language.ending}\n\n  more\n```\n"
        assert f"<summary>{language.name}</summary>\n\n{shown}" in text
    assert "[The whole program](snippets/two_words/TwoWords.java)" in text


def test_one_file_alone(guide):
    text = (guide / "README.md").read_text()
    assert "-->\n```js\nshown .mjs\n\n  more\n```\n<!-- guide: end -->" in text


def test_a_part_of_a_test(guide):
    text = (guide / PACKAGE_PAGE).read_text()
    assert f"<!-- guide: /{TEST} -->\n```java\nshown .java\n\n  more\n```\n" in text


def test_what_is_right_is_written_again_as_it_is(guide):
    before = (guide / PAGE).read_text()
    assert guide_snippets.main([str(guide)]) == 0
    assert (guide / PAGE).read_text() == before


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (PAGE, "shown .py", "told .py", "does not show what"),
        (PAGE, "a line", "another", "does not show what"),
        ("README.md", "shown .mjs", "told .mjs", "does not show what"),
        (f"{STEP}/TwoWords.cs", "shown", "changed", "does not show what"),
        (f"{STEP}/expected.txt", "a line", "another", "does not show what"),
        (f"{STEP}/two_words.py", "# guide: begin", "# begin", "needs one 'guide: begin'"),
        (f"{STEP}/two_words.py", "# guide: end", "# guide: begin", "needs one 'guide: begin'"),
        (PAGE, "<!-- guide: end -->", "", "a place without its end"),
        (PAGE, "<!-- guide: two_words -->", "<!-- guide: three -->", "three.cpp:1: is missing"),
        (PAGE, "<!-- guide: two_words -->", "", "is shown 0 times"),
        ("README.md", "two_words.mjs -->", "two_words.rb -->", "is in no language"),
        (PACKAGE_PAGE, "shown .java", "told .java", f"does not show what {TEST} holds"),
        (PACKAGE_PAGE, "OneTest.java -->", "No.java -->", "bindings/java/No.java:1: is missing"),
        (PACKAGE_PAGE, "# Java", "```java\nold\n```", f"{PACKAGE_PAGE}:1: shows a program that"),
        (PAGE, "# Guide", "```csharp\nold\n```", f"{PAGE}:1: shows a program that nobody"),
    ],
)
def test_what_is_wrong_is_found(guide, path, old, new, expected):
    text = (guide / path).read_text()
    assert old in text
    (guide / path).write_text(text.replace(old, new))
    assert any(expected in violation for violation in found(guide)), found(guide)
    assert guide_snippets.main([str(guide), "--check"]) == 1


@pytest.mark.parametrize("name", ["two_words.cpp", "TwoWords.java", "expected.txt"])
def test_a_step_without_a_file(guide, name):
    (guide / STEP / name).unlink()
    assert f"{STEP}/{name}:1: is missing" in found(guide)


def test_a_file_of_no_language(guide):
    (guide / STEP / "two_words.rb").write_text("")
    assert f"{STEP}/two_words.rb:1: belongs to no language of the guide" in found(guide)


def test_a_step_that_is_shown_twice(guide):
    text = (guide / PAGE).read_text()
    (guide / PAGE).write_text(text + text)
    assert f"{STEP}:1: is shown 2 times in docs/guide, once is right" in found(guide)
