# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns the packages for Python and Node with AddressSanitizer inside: copies of what python_package
# and node_package have made, with another extension module and another addon. The interpreters are
# the usual ones; the sanitizer's own library has to be loaded before all else (SANITIZER_RUNTIME).

need_sanitized_packages() {
  local build=$MARTLET_ROOT/build/asan_packages strict=() runtime=libclang_rt.asan-x86_64.so
  [ -z "${CI:-}" ] || strict=(-DMARTLET_WERROR=ON)
  step "packages for asan" install_packages build clang
  # With the flags of the preset: the compiler cache has its objects where that was built before.
  step "configure sanitized packages" quietly configure-asan-packages \
    cmake --preset asan -B "$build" "${strict[@]}" -DMARTLET_TESTS=OFF -DMARTLET_PYTHON=ON \
    -DMARTLET_NODE=ON -DPython_EXECUTABLE="$MARTLET_PYTHON" \
    -Dpybind11_DIR="$("$MARTLET_PYTHON" -m pybind11 --cmakedir)"
  step "build sanitized packages" quietly build-asan-packages \
    cmake --build "$build" -j "$MARTLET_JOBS" --target _raw martlet_node
  step "copies of the packages" lay_out_sanitized "$build"
  SANITIZER_RUNTIME=$(clang-19 -print-file-name="$runtime")
  [ -e "$SANITIZER_RUNTIME" ] || die "clang-19 has no $runtime"
  SANITIZED_PYTHON=$build/python_copy
  SANITIZED_NODE=$build/node_copy
  export SANITIZER_RUNTIME SANITIZED_PYTHON SANITIZED_NODE
}

lay_out_sanitized() {
  local python=$1/python_copy node=$1/node_copy
  rm -rf "$python" "$node" &&
    mkdir -p "$python" "$node/node" "$node/tests" &&
    cp -r python/martlet "$python/martlet" &&
    cp "$1"/python/_raw.*.so "$python/martlet/" &&
    cp -r package.json "$node/" &&
    cp -r node/dist "$node/node/dist" &&
    cp -r tests/node "$node/tests/node" &&
    cp "$1/lib/martlet.node" "$node/node/dist/martlet.node" &&
    ln -s "$MARTLET_ROOT/node_modules" "$node/node_modules" &&
    grep -q __asan_init "$python"/martlet/_raw.*.so "$node/node/dist/martlet.node"
}
