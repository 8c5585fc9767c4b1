# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev format`: the pinned clang-format over our C and C++ (tools/format.py).

command_format() {
  step "clang-format" install_packages python format
  step "format" python3 tools/format.py "$@"
}
