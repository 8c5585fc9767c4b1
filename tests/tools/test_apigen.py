# SPDX-License-Identifier: Apache-2.0
"""Goal: the reader of the C headers understands all that it takes, and refuses the rest by name;
a generated file that is not fresh is named.

Method: a small header that is read, then one thing in it at a time that must not pass.
"""

import shutil
import sys

import pytest
from conftest import TOOLS

sys.path.insert(0, str(TOOLS / "apigen"))
import comments  # noqa: E402
import constants  # noqa: E402
import generate  # noqa: E402
import header  # noqa: E402
import layout  # noqa: E402
import surface  # noqa: E402

STATUS = """#ifndef MARTLET_STATUS_H
#define MARTLET_STATUS_H
#include <stdint.h>
#if defined(SWIG)
#define MARTLET_API
#else
#define MARTLET_API __attribute__((visibility("default")))
#endif
typedef int32_t martlet_status;
#define MARTLET_OK 0 /* Done. */
#define MARTLET_ERR_LOST \\
  (-7) /* Was <lost> & \\
        */

/* The colours. */
#define MARTLET_COLOUR_RED 1
#define MARTLET_COLOUR_BLUE 2 /* Blue. */

typedef struct martlet_bird martlet_bird;
typedef struct martlet_egg {
  int32_t kind; /* What it is. */
  int64_t laid_ns;
  int32_t spots;
} martlet_egg;
typedef void (*martlet_sing_fn)(void *user_data);

/* Sings.
 * song        borrowed for the call.
 * out_other   owned by caller.
 * Returns     OK.
 * Threads     any thread; blocks; not in a callback.   Since 0.2.0. */
MARTLET_API martlet_status martlet_bird_sing(const martlet_bird *self, martlet_sing_fn fn,
                                             const char *song, martlet_bird **out_other);

/* Its name.
 * Returns     borrowed from parent.
 * Threads     any thread.   Since 0.1.0. */
MARTLET_API const char *martlet_bird_name(const martlet_bird *self);
#endif
"""
UMBRELLA = '#include "martlet/status.h"\n'


def read(plant, status=STATUS, **more):
    files = {"martlet/martlet.h": UMBRELLA, "martlet/status.h": status, **more}
    return header.read(plant(files))


def test_what_a_header_says(plant):
    api = read(plant)
    sing, name = api.functions
    assert sing.declaration == (
        "martlet_status martlet_bird_sing(const martlet_bird *self, martlet_sing_fn fn, "
        "const char *song, martlet_bird **out_other)"
    )
    assert (sing.since, sing.threads) == ("0.2.0", "any thread; blocks; not in a callback")
    assert name.declaration == "const char *martlet_bird_name(const martlet_bird *self)"
    assert [(each.name, each.number, each.comment) for each in api.constants] == [
        ("OK", 0, "Done."),
        ("ERR_LOST", -7, "Was <lost> &"),
        ("COLOUR_RED", 1, "The colours."),
        ("COLOUR_BLUE", 2, "Blue."),
    ]
    assert api.statuses == {"OK": 0, "ERR_LOST": -7} and api.errors == {"ERR_LOST": -7}
    egg = {"sizeof": 24, "kind": 0, "laid_ns": 8, "spots": 16}
    assert layout.golden(api) == {"martlet_egg": egg}
    types = {each.name: each.type for each in api.typedefs}
    assert types["martlet_bird"] == "struct martlet_bird"
    assert types["martlet_status"] == "int32_t"


def test_each_language_spells_the_numbers_in_its_way(plant):
    api = read(plant)
    assert "#: Blue.\nCOLOUR_BLUE: Final = 2\n" in constants.python(api)
    assert "/** Blue. */\nexport const COLOUR_BLUE = 2;\n" in constants.typescript(api)
    java = constants.java(api)
    assert "/** Was &lt;lost&gt; &amp; */\n    public static final int ERR_LOST = -7;\n" in java
    assert "internal const int EggLaidNsOffset = 8;\n" in constants.csharp(api)
    wanted = surface.expected(api)["csharp"]
    assert wanted["functions"] == {"martlet_bird_sing": "blocks", "martlet_bird_name": ""}
    assert wanted["exceptions"] == {"ErrLost": -7}
    assert wanted["constants"] == {"Ok": 0, "ColourRed": 1, "ColourBlue": 2}
    assert wanted["layouts"]["EggBytes"] == 24


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("COLOUR_BLUE 2", "COLOUR_BLUE 2 + 1", "MARTLET_COLOUR_BLUE is no plain number"),
        ("COLOUR_BLUE 2", "COLOUR_BLUE 0x2", "MARTLET_COLOUR_BLUE"),
        ("COLOUR_BLUE 2", "COLOUR_BLUE 4294967296", "MARTLET_COLOUR_BLUE"),
        ("MARTLET_COLOUR_BLUE 2", "BLUE 2", "BLUE does not begin with MARTLET_"),
        ("int32_t spots", "char spots", "martlet_egg.spots is no int32_t"),
        ("int32_t spots", "int32_t spots[2]", "martlet_egg.spots is no int32_t"),
        ("const char *song,", "const char *,", "martlet_bird_sing has a parameter without a name"),
        ("/* Its name.", "#ifndef SWIG\n/* Its name.", "swig"),
        ("MARTLET_API const char", "#if 0\nMARTLET_API const char", "swig"),
        ("typedef void (*", "enum martlet_e { MARTLET_E };\ntypedef void (*", "enum martlet_e"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(plant, before, after, named):
    assert STATUS.count(before) == 1
    with pytest.raises(header.HeaderError, match=named):
        read(plant, STATUS.replace(before, after))


def test_a_declaration_that_swig_does_not_see_is_refused(plant):
    hidden = STATUS.replace("/* Its name.", "#ifndef SWIG\n/* Its name.") + "#endif\n"
    with pytest.raises(header.HeaderError, match="2 declarations, but 1 were understood"):
        read(plant, hidden)


def test_a_number_that_swig_does_not_see_is_refused(plant):
    number = "#ifndef SWIG\n#define MARTLET_X 1\n#endif\n"
    hidden = STATUS.replace("/* Its name.", f"{number}/* Its name.")
    with pytest.raises(header.HeaderError, match="MARTLET_X was not understood"):
        read(plant, hidden)


def test_a_header_that_the_umbrella_lacks_is_refused(plant):
    with pytest.raises(header.HeaderError, match="martlet.h does not include song.h"):
        read(plant, **{"martlet/song.h": STATUS})


def test_a_stale_file_is_named(tmp_path):
    api = header.read()
    assert set(generate.stale(api, tmp_path)) == set(generate.FILES)
    for name, text in generate.FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text(api))
    assert generate.stale(api, tmp_path) == {}
    with (tmp_path / "node/lib/constants.ts").open("a") as file:
        file.write("export const MORE = 1;\n")
    assert set(generate.stale(api, tmp_path)) == {"node/lib/constants.ts"}


SONG = " * song        borrowed for the call.\n"
OTHER = " * out_other   owned by caller.\n"
SINGS = "status.h: the comment of martlet_bird_sing "
NAMES = "status.h: the comment of martlet_bird_name "


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("Since 0.1.0.", "", NAMES + "lacks 'Threads' or 'Since'"),
        (" * Returns     OK.\n", "", SINGS + "lacks 'Returns'"),
        (" * Returns     borrowed from parent.\n", "", NAMES + "lacks 'Returns'"),
        ("borrowed from parent", "a text", NAMES + "does not say who owns what it returns"),
        (SONG, "", SINGS + "does not say who owns 'song'"),
        (SONG, " * song        in tune.\n", SINGS + "does not say who owns 'song'"),
        (SONG, " * song        unborrowed for the call.\n", SINGS + "does not say who owns 'song'"),
        (SONG + OTHER, OTHER + "The song is consumed.\n", SINGS + "does not say who owns 'song'"),
        (OTHER, "", SINGS + "does not say who owns 'out_other'"),
    ],
)
def test_what_a_comment_lacks_is_named(plant, before, after, named):
    assert STATUS.count(before) == 1
    assert comments.undocumented(read(plant, STATUS.replace(before, after))) == [named]


def test_a_comment_that_says_all_passes(plant):
    assert comments.undocumented(read(plant)) == []


def test_one_entry_may_speak_for_others_below_it(plant):
    both = SONG.replace("call.", "call, as\n *             out_other.")
    assert comments.undocumented(read(plant, STATUS.replace(SONG + OTHER, both))) == []


HUMS = """/* {refers}
 * Threads     any thread.   Since 0.1.0. */
MARTLET_API martlet_status martlet_bird_hum(const martlet_bird *self, const char *song,
                                            const char *tune);

/* Its name."""


@pytest.mark.parametrize(
    ("refers", "lacks"),
    [
        ("As martlet_bird_sing. tune is a song too.", ["does not say who owns 'tune'"]),
        ("Hums, as above.\n * tune        consumed.", []),
        ("As martlet_bird_fly.\n * tune        consumed.", ["lacks 'Returns'", "'song'"]),
        ("See martlet_bird_sing.\n * tune        consumed.", ["lacks 'Returns'", "'song'"]),
    ],
)
def test_a_comment_may_refer_to_another_by_name(plant, refers, lacks):
    text = STATUS.replace("/* Its name.", HUMS.format(refers=refers))
    found = comments.undocumented(read(plant, text))
    assert len(found) == len(lacks) and all(map(str.endswith, found, lacks)), found


def test_every_generated_file_says_so():
    for name in generate.FILES:
        text = (header.ROOT / name).read_text()
        assert "GENERATED by tools/apigen" in text[:400], name
    assert shutil.which("swig")
