#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make_glibc_floor.sh PYTHON VERSION FOLDER: the libraries of glibc VERSION, as far as a linker
# needs them, into FOLDER. Owns nothing of their making: PyPI's ziglang, which PYTHON imports, makes
# them when it links something for that version.
set -euo pipefail

python=$1 version=$2 folder=$3
export ZIG_GLOBAL_CACHE_DIR=$folder/zig ZIG_LOCAL_CACHE_DIR=$folder/zig
echo 'int martlet_floor(void) { return 0; }' >"$folder/empty.c"
"$python" -m ziglang cc -target "x86_64-linux-gnu.$version" -shared -fPIC \
  -o "$folder/empty.so" "$folder/empty.c"

# one NAME: the only file of that name among what zig has made.
one() {
  local found
  mapfile -t found < <(find "$folder/zig" -name "$1")
  [ "${#found[@]}" -eq 1 ] || { echo "$1: ${#found[@]} files, 1 was expected" >&2 && exit 1; }
  echo "${found[0]}"
}

for library in libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1 libld.so.2 \
  libc_nonshared.a; do
  cp "$(one "$library")" "$folder/"
done
# As in the C library's own libc.so: what is always linked statically, and the loader's own symbols.
echo 'GROUP ( libc.so.6 libc_nonshared.a AS_NEEDED ( libld.so.2 ) )' >"$folder/libc.so"
for library in libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1; do
  ln -s "$library" "$folder/${library%%.so*}.so"
done
zig_folder=$("$python" -c 'import ziglang; print(ziglang.__path__[0])')
cp "$zig_folder/lib/libc/glibc/LICENSES" "$folder/LICENSES"
rm -rf "$folder/zig" "$folder"/empty.*
