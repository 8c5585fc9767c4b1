# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev fuzz`: builds the fuzz targets and runs them (run_fuzz.py).

command_fuzz() {
  need_fuzz
  step "fuzzing" python3 tools/dev/run_fuzz.py --jobs "$MARTLET_JOBS" \
    ${2:+--seconds "$2"} ${1:+--target "$1"}
}
