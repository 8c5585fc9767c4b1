# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev test`: makes what the wanted suites need, then runs them (run_suites.py).

command_test() {
  local started needs need
  started=$(date +%s)
  unset PACKAGE_PYTHON_PROGRAMS # What it would name is not what this run makes.
  if [ "${1:-}" = --list ]; then
    step "python3" install_packages python
    python3 tools/dev/run_suites.py --list
    return
  fi
  # Without a Python nobody can say which suites are meant: then what all of them need.
  if python3 -c 'import tomllib' 2>/dev/null; then
    needs=$(python3 tools/dev/run_suites.py --needs "$@") || exit 2
  else
    needs=$(all_needs)
  fi
  step "packages" install_packages_for "$needs"
  needs=$(python3 tools/dev/run_suites.py --needs "$@") || exit 2
  for need in $needs; do
    declare -F "need_$need" >/dev/null ||
      die "tests/suites.toml: nobody makes '$need' (tools/dev/needs.sh)"
    "need_$need"
  done
  mkdir -p build/test-logs
  step "the suites" run_suites "$started" "$@"
}

run_suites() {
  local started=$1
  shift
  attended python3 tools/dev/run_suites.py --jobs "$MARTLET_JOBS" --started "$started" "$@"
}
