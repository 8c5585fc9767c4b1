# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns what the word in a suite's `needs` means (tests/suites.toml): a function need_WORD that makes
# it, once, and exports what the suites ask for. Peers and toolchains are in peers.sh.

# install_packages_for NEEDS: the packages of all of them at once, before anything is made, so that
# whoever cannot become root is told of everything in one line.
install_packages_for() {
  local need groups=(python)
  for need in $1; do
    # shellcheck disable=SC2207  # The names are words.
    groups+=($(groups_of "$need"))
  done
  install_packages "${groups[@]}"
}

# The groups of packages that need_WORD asks for.
groups_of() {
  case $1 in
    release | debug) echo build test ;;
    asan | tsan | fuzz) echo build test clang ;;
    sanitized_packages) echo build clang ;;
    packages) echo "build swig package$(java_is_there || echo " java")" ;;
    bare_root) echo bare ;;
    format | swig | browser) echo "$1" ;;
    python_package | python_build | other_pythons | node_package) echo build ;;
    rust) rust_is_there || echo build rust ;;
    java | java_versions) java_is_there || echo java ;;
    csharp) echo build swig csharp ;;
    examples) echo csharp ;;
    languages) echo "build swig csharp$(java_is_there || echo " java")" ;;
    guide) groups_of languages ;;
    java_package | java_parity) echo "build swig$(java_is_there || echo " java")" ;;
  esac
}

# Of the suites that CI runs. With the shell alone: this is asked before anything is installed.
all_needs() {
  local line needs='' full=''
  while IFS= read -r line; do
    case $line in
      '[[suite]]')
        [ -n "$full" ] || echo "$needs"
        needs='' full=''
        ;;
      'needs = ['*']') needs=${line#needs = [} && needs=${needs//[\",\]]/} ;;
      'full = true') full=yes ;;
    esac
  done <tests/suites.toml
  [ -n "$full" ] || echo "$needs"
}

need_release() { build_preset release; }
need_debug() { build_preset debug; }
need_asan() { build_preset asan; }
need_tsan() { build_preset tsan; }
need_fuzz() { build_preset fuzz fuzz_targets; }
need_format() { step "clang-format" install_packages format; }
need_swig() { step "swig" install_packages swig; }

need_tools_venv() {
  step "pytest and the checkers" ensure_venv "$MARTLET_CACHE/venvs/tools" \
    tools/dev/requirements/tools.txt
  PATH=$VENV/bin:$PATH
  export PATH
}

# npm's packages and the addon stand in the clone: `npm ci` builds it by `prepare`.
need_node_package() {
  need_node
  step "packages for Node" install_packages build
  # The names of the compiler that CMake takes by itself: the compiler cache then knows the objects.
  step "npm ci" quietly npm-ci env CC=cc CXX=c++ npm ci --no-audit --no-fund
}

need_python_build() { step "packages for Python" install_packages python build; }

# The package of this checkout belongs to the clone, so its environment stands in build/.
need_python_package() {
  need_python_build
  step "Python environment" ensure_venv "$MARTLET_ROOT/build/python_venv" \
    tools/dev/requirements/python_package.txt
  step "pip install ." install_this_package
  MARTLET_PYTHON=$VENV/bin/python
  export MARTLET_PYTHON
}

# Into $VENV, which has what it is built with.
install_this_package() {
  local like_release=() define=--config-settings=cmake.define  # The pip of Debian 12 knows no -C.
  # Compiled as the release preset is: the compiler cache then has its objects.
  [ -z "${CI:-}" ] || like_release+=("$define.MARTLET_WERROR=ON")
  [ ! -e build/release/CMakeCache.txt ] || like_release+=("$define.MARTLET_FAT_OBJECTS=ON")
  # The names of the compiler that CMake takes by itself: the compiler cache then knows the objects.
  quietly pip-install env CC=cc CXX=c++ "$VENV/bin/python" -m pip install \
    -v --no-build-isolation --no-deps --force-reinstall "${like_release[@]}" .
}

# Environments of every other Python that the package is for and the machine has, or Debian 11's,
# with the package of this checkout, as $OTHER_PYTHONS. Where dist/ has just been made, its wheels.
need_other_pythons() {
  local version usual python
  need_python_build
  python_of 3.9 >/dev/null || need_oldest_python
  usual=$("${BASE_PYTHON:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  OTHER_PYTHONS=
  for version in $PACKAGE_PYTHONS; do
    [ "$version" != "$usual" ] || continue
    python=$(python_of "$version") || continue
    BASE_PYTHON=$python step "environment of Python $version" ensure_venv \
      "$MARTLET_ROOT/build/python_venv" tools/dev/requirements/other_pythons.txt
    if [ -n "${PACKAGE_PYTHON_PROGRAMS:-}" ]; then
      step "its wheel" quietly pip-install "$VENV/bin/python" -m pip install --no-deps \
        --force-reinstall dist/martlet-*-"cp${version/./}"-*.whl
    else
      step "pip install ." install_this_package
    fi
    OTHER_PYTHONS=${OTHER_PYTHONS:+$OTHER_PYTHONS:}$VENV/bin/python
  done
  [ -n "$OTHER_PYTHONS" ] || die "no Python of $PACKAGE_PYTHONS with its headers but $usual is here"
  export OTHER_PYTHONS
}

# The native library of the Java package, in a build of its own: it has what the release preset has,
# so the compiler cache knows the objects. Maven does the rest, from $MARTLET_JAVA_BUILD.
need_java_package() {
  local options=(-DMARTLET_TESTS=OFF -DMARTLET_JAVA=ON)
  [ -z "${CI:-}" ] || options+=(-DMARTLET_WERROR=ON)
  [ ! -e build/release/CMakeCache.txt ] || options+=(-DMARTLET_FAT_OBJECTS=ON)
  need_java
  step "packages for the Java package" install_packages python build swig
  MARTLET_JAVA_BUILD=$MARTLET_ROOT/build/java
  step "configure java" quietly configure-java \
    cmake --preset release -B "$MARTLET_JAVA_BUILD" "${options[@]}"
  step "build java" quietly build-java \
    cmake --build "$MARTLET_JAVA_BUILD" -j "$MARTLET_JOBS" --target martlet_java
  export MARTLET_JAVA_BUILD
}

# The Java package as classes, and its parity runner beside them.
need_java_parity() {
  need_java_package
  step "classes of the Java package" quietly java-classes \
    mvn -B -q -f bindings/java/pom.xml -Dmartlet.build="$MARTLET_JAVA_BUILD" compile
  local classes=$MARTLET_ROOT/bindings/java/target/classes
  step "Java's parity runner" quietly java-parity \
    javac -Xlint:all -Werror -d "$MARTLET_JAVA_BUILD/parity" -cp "$classes" tests/parity/java/*.java
  MARTLET_JAVA_PARITY=$classes:$MARTLET_JAVA_BUILD/parity
  export MARTLET_JAVA_PARITY
}
