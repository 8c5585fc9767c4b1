# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns building the C++ parts, by the presets of CMakePresets.json.

command_build() {
  local preset=${1:-release}
  case $preset in
    release | debug | asan | tsan | fuzz) ;;
    *) die "no preset '$preset': release debug asan tsan fuzz" ;;
  esac
  case $preset in
    fuzz) build_preset fuzz fuzz_targets ;;
    *) build_preset "$preset" ;;
  esac
  if [ -x "$MARTLET_PROGRAM" ] && [ "$preset" = release ]; then
    say "    the program: build/release/bin/martlet"
  fi
}

# build_preset PRESET [TARGET...]: configures and builds it; everything when no target is named.
build_preset() {
  local preset=$1
  shift
  step "packages for $preset" install_packages python build test "$(compiler_group "$preset")"
  step "configure $preset" configure_preset "$preset"
  step "build $preset $*" build_targets "$preset" "$@"
}

compiler_group() {
  case $1 in
    asan | tsan | fuzz) echo clang ;;
    *) echo build ;;
  esac
}

configure_preset() {
  local strict=()
  [ -z "${CI:-}" ] || strict=(-DMARTLET_WERROR=ON)
  quietly "configure-$1" cmake --preset "$1" "${strict[@]}"
}

build_targets() {
  local preset=$1 targets=()
  shift
  [ $# -eq 0 ] || targets=(--target "$@")
  if [ -t 2 ]; then
    cmake --build "build/$preset" -j "$MARTLET_JOBS" "${targets[@]}" >&2
  else
    # Nobody stands beside it: goes on after an error, so that one run tells of all.
    quietly "build-$preset" cmake --build "build/$preset" -j "$MARTLET_JOBS" "${targets[@]}" -- -k 0
  fi
}
