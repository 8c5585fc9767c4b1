# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev demo`: makes the package and the peers, then runs the demonstration (demo/main.py), which
# checks its own result.

command_demo() {
  build_preset release
  need_python_package
  need_nats_py
  need_nats_js
  need_nats_cli
  step "the demonstration" "$MARTLET_PYTHON" demo/main.py "$@"
}
