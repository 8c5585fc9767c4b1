#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make_libevent.sh VERSION FLOOR FOLDER: libevent_core.a, position independent and for the C library
# in FLOOR, into FOLDER/lib. Owns the fetching of Debian's source package of that VERSION from the
# machine's own archives, by lists of its own: the machine's apt is left as it is.
set -euo pipefail

version=$1 floor=$2 folder=$3
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$folder/work
mkdir -p "$work/lists/partial" "$work/archives/partial" "$folder/lib"
python3 "$top/tools/package/source_lists.py" >"$work/sources.list"
apt=(apt-get -q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
  -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$work" && "${apt[@]}" source --only-source "libevent=$version")
mapfile -t sources < <(find "$work" -mindepth 1 -maxdepth 1 -type d -name 'libevent-*')
[ "${#sources[@]}" -eq 1 ] || { echo "${#sources[@]} folders of sources" >&2 && exit 1; }

# It shall ask for random bytes where the rest does (cmake/glibc_floor.c): a generator of its own
# beside the declarations of a younger C library does not compile.
cmake -S "${sources[0]}" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  "-DCMAKE_TOOLCHAIN_FILE=$top/cmake/glibc_floor.cmake" "-DMARTLET_GLIBC_FLOOR=$floor" \
  -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DEVENT__HAVE_ARC4RANDOM=1 -DEVENT__HAVE_ARC4RANDOM_BUF=1 \
  -DEVENT__LIBRARY_TYPE=STATIC -DEVENT__DISABLE_TESTS=ON -DEVENT__DISABLE_BENCHMARK=ON \
  -DEVENT__DISABLE_SAMPLES=ON -DEVENT__DISABLE_REGRESS=ON -DEVENT__DISABLE_OPENSSL=ON
cmake --build "$work/build" -j "${MARTLET_JOBS:-2}" --target event_core_static
cp "$work/build/lib/libevent_core.a" "$folder/lib/"
rm -rf "$work"
