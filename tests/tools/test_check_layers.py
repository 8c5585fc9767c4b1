# SPDX-License-Identifier: Apache-2.0
"""Goal: an include that goes up, sideways or to the operating system turns the check red.

Method: a small tree that passes, then one deliberate violation in it at a time.
"""

import check_layers
import pytest

GOOD = {
    "core/LAYERS": "# x\nbase:\nio: base\nsubject: base\nbroker: base subject\nclient: base io\n",
    "core/base/bytes.hpp": "#include <string>\n",
    "core/io/loop.hpp": '#include "base/bytes.hpp"\n',
    "core/io/linux/loop.cpp": '#include "io/loop.hpp"\n#include <sys/epoll.h>\n',
    "core/subject/subject.hpp": '#include "base/bytes.hpp"\n',
    "core/broker/routing_table.hpp": '#include "subject/subject.hpp"\n#include <atomic>\n',
    "core/client/connection.hpp": '#include "io/loop.hpp"\n#include <thread>\n'
    "std::thread::id leader{};\nstd::thread keeper_;  // Not std::thread(x).\n",
    "core/io/thread.hpp": "return std::thread(std::forward<Body>(body));\n",
    "core/io/posix/clock.cpp": "clock_gettime(id, &now);\n",
    "core/base/stopwatch.hpp": "auto begin = std::chrono::steady_clock::now();\n",
    "core/client/wait.cpp": "changed_.wait_for(lock, std::chrono::nanoseconds(left_ns));\n"
    "const Clock& clock() const { return clock_; }  // Not steady_clock::now().\n"
    "capi::system_clock, loop_.clock(), run_time(0)\n",
    "capi/include/martlet/martlet.h": '#include <stdint.h>\n#include "martlet/status.h"\n',
    "capi/include/martlet/status.h": "#include <stdint.h>\n",
    "capi/src/c_capi.cpp": '#include "client/connection.hpp"\n#include "martlet/status.h"\n',
    "python/src/module.cpp": "#include <martlet/martlet.h>\n",
    "tests/unit/io/loop_test.cpp": '#include "io/loop.hpp"\n#include <unistd.h>\n',
}


def violations(root):
    return check_layers.check(root)[0]


def test_a_good_tree_passes(plant):
    found, checked = check_layers.check(plant(GOOD))
    assert found == []
    assert checked == len([name for name in GOOD if not name.startswith("tests") and "." in name])


def test_this_repository_has_something_to_check():
    root = check_layers.Path(check_layers.__file__).resolve().parents[1]
    assert check_layers.check(root)[1] > 20


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("core/base/up.hpp", '#include "io/loop.hpp"\n', "base may not include io"),
        ("core/subject/side.hpp", '\n  #  include "io/loop.hpp"\n', "subject may not include io"),
        ("core/client/b.hpp", '#include "broker/routing_table.hpp"\n', "may not include broker"),
        ("core/broker/c.hpp", '#include "client/connection.hpp"\n', "may not include client"),
        ("core/io/near.hpp", '#include "loop.hpp"\n', "there is no core/loop.hpp"),
        ("core/io/dots.hpp", '#include "../base/bytes.hpp"\n', "without .."),
        ("core/io/angle.hpp", "#include <base/bytes.hpp>\n", "written with quotes"),
        ("core/io/os.hpp", "#include <unistd.h>\n", "only in core/io/<system>/"),
        ("core/io/event.hpp", "#include <event2/event.h>\n", "only in core/io/<system>/"),
        ("core/client/os.cpp", "#include <sys/socket.h>\n", "only in core/io/<system>/"),
        ("core/broker/t.cpp", "#include <thread>\n", "knows no clock, thread"),
        ("core/broker/a.cpp", "#include <atomic>\n", "knows no clock, thread"),
        ("core/subject/m.hpp", "#include <mutex>\n", "knows no clock, thread"),
        ("core/broker/routing_table.hpp", "#include <chrono>\n", "knows no clock, thread"),
        ("core/broker/x.cpp", '#include "tests/unit/io/x.hpp"\n', "may include tests"),
        ("core/client/capi.cpp", "#include <martlet/martlet.h>\n", "does not know the C interface"),
        ("capi/src/b.cpp", '#include "broker/routing_table.hpp"\n', "capi may not include broker"),
        ("capi/include/martlet/p.h", '#include "io/loop.hpp"\n', "includes no part of core"),
        ("capi/include/martlet/p.h", "#include <sys/types.h>\n", "nothing but C11's own"),
        ("python/src/p.cpp", '#include "client/connection.hpp"\n', "sees capi/include only"),
        ("core/client/t.cpp", "\nstd::thread worker([] {});\n", "made by io::start_thread()"),
        ("core/io/posix/t.cpp", "  keeper_ = std::thread{run};\n", "made by io::start_thread()"),
        ("core/client/j.cpp", "std::jthread worker_;\n", "made by io::start_thread()"),
        ("capi/src/p.cpp", "pthread_create(&t, 0, run, 0);\n", "made by io::start_thread()"),
        ("python/src/a.cpp", "auto f = std::async(run);\n", "made by io::start_thread()"),
        ("core/client/s.cpp", "\n  std::chrono::steady_clock::now();\n", "comes from a Clock"),
        ("core/client/s.hpp", "using std::chrono::system_clock;\n", "comes from a Clock"),
        ("core/subject/g.cpp", "clock_gettime(CLOCK_MONOTONIC, &now);\n", "comes from a Clock"),
        ("core/io/near.cpp", "high_resolution_clock::time_point at_;\n", "comes from a Clock"),
        ("core/broker/r.cpp", "srand(std::time(nullptr));\n", "comes from a Clock"),
        ("capi/src/t.cpp", "return time(0);\n", "comes from a Clock"),
        ("core/novel/n.cpp", "", "has no line in core/LAYERS"),
    ],
)
def test_a_violation_is_found(plant, path, text, expected):
    plant(GOOD)
    found = violations(plant({path: text}))
    assert len(found) == 1, found
    assert expected in found[0]
    assert found[0].startswith(path if path.split("/")[1] != "novel" else "core/novel")


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("base: io\nio: base\n", "reaches itself"),
        ("base: base\n", "reaches itself"),
        ("base: nowhere\n", "lists nowhere"),
        ("base:\nbase:\n", "twice"),
        ("base - io\n", "not 'folder"),
    ],
)
def test_wrong_layers_are_refused(plant, layers, expected):
    plant(GOOD)
    found = violations(plant({"core/LAYERS": layers}))
    assert len(found) == 1
    assert expected in found[0]


def test_the_program_fails_and_counts(plant, capsys):
    plant(GOOD)
    root = plant({"core/base/up.hpp": '#include "io/loop.hpp"\n'})
    assert check_layers.main([str(root)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "14 passed, 1 failed"


def test_an_empty_tree_fails(plant):
    assert check_layers.main([str(plant({"core/LAYERS": "base:\n"}))]) == 1
