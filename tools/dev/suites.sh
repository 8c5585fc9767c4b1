# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev test`: makes what the wanted suites need, then runs them (run_suites.py).

command_test() {
  local started needs need
  started=$(date +%s)
  step "python3" install_packages python
  if [ "${1:-}" = --list ]; then
    python3 tools/dev/run_suites.py --list
    return
  fi
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
  python3 tools/dev/run_suites.py --jobs "$MARTLET_JOBS" --started "$started" "$@"
}
