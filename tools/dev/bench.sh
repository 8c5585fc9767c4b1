# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev bench`: makes the programs and the peers, then runs the measurements
# (tests/performance/bench.py), which writes its table and its plot to build/bench.

command_bench() {
  step "packages for measurements" install_packages python build bench
  build_preset release
  need_python_package
  need_nats_server
  need_nats_cli
  need_nats_py
  step "the measurements" "$MARTLET_PYTHON" tests/performance/bench.py "$@"
}
