# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns what the word in a suite's `needs` means (tests/suites.toml): a function need_WORD that makes
# it, once, and exports what the suites ask for. Peers and toolchains are in peers.sh.

need_release() { build_preset release; }
need_debug() { build_preset debug; }
need_asan() { build_preset asan; }
need_tsan() { build_preset tsan; }
need_fuzz() { build_preset fuzz fuzz_targets; }
need_format() { step "clang-format" install_packages format; }
need_swig() { step "swig" install_packages swig; }

need_tools_venv() {
  local folder=$MARTLET_CACHE/venvs/tools
  step "pytest and the checkers" ensure_venv "$folder" tools/dev/requirements/tools.txt
  PATH=$folder/bin:$PATH
  export PATH
}

# The package of this checkout belongs to the clone, so its environment stands in build/.
need_python_package() {
  local folder=$MARTLET_ROOT/build/python_venv strict=()
  # As strict as the release preset, whose objects the compiler cache then knows.
  [ -z "${CI:-}" ] || strict=(-C cmake.define.MARTLET_WERROR=ON)
  step "packages for Python" install_packages python build
  step "Python environment" ensure_venv "$folder" tools/dev/requirements/python_package.txt
  # The names of the compiler that CMake takes by itself: the compiler cache then knows the objects.
  step "pip install ." quietly pip-install env CC=cc CXX=c++ "$folder/bin/python" -m pip install \
    -v --no-build-isolation --no-deps --force-reinstall "${strict[@]}" .
  MARTLET_PYTHON=$folder/bin/python
  export MARTLET_PYTHON
}
