# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns what is taken from Debian 11's packages without installing them: the libssl that .NET 3.1
# asks for, and the oldest Python that there are wheels for, on a machine that has none. By apt with
# lists of its own, from the archives that the machine itself uses.

# unpack_from_debian_11 FOLDER SUITES PACKAGE...: the packages into FOLDER/unpacked. SUITES:
# bullseye and bullseye-security, or one of them, in one word.
unpack_from_debian_11() {
  local folder=$1 suites=$2 options file
  shift 2
  mkdir -p "$folder/lists/partial" "$folder/archives/partial"
  debian_11_sources "$suites" >"$folder/sources.list"
  [ -s "$folder/sources.list" ] || die "no archive for $suites in the machine's apt sources"
  # Whatever is installed here, the packages are those of the suites.
  options=(-o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$folder/lists" -o Dir::State::status=/dev/null
    -o "Dir::Cache=$folder" -o APT::Sandbox::User=root)
  quietly "apt-${suites// /-}" apt-get "${options[@]}" -q update || return
  (cd "$folder" && quietly "apt-download-$1" apt-get "${options[@]}" -q download "$@") || return
  for file in "$folder"/*.deb; do
    dpkg -x "$file" "$folder/unpacked" || return
  done
  rm -rf "$folder/lists" "$folder/archives" "$folder"/*.bin "$folder"/*.deb "$folder/sources.list"
}

# A line for apt for each of the machine's archives that has one of the suites.
debian_11_sources() {
  local signed="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg check-valid-until=no]"
  local uri suite
  python3 tools/package/source_lists.py |
    sed -nE "s@.* ([a-z]+://[^ ]+) [a-z]+(-security)? .*@\1 bullseye\2@p" |
    while read -r uri suite; do
      [[ " $1 " != *" $suite "* ]] || echo "deb $signed $uri $suite main"
    done | sort -u
}

# A Python 3.9 with its headers and venv into FOLDER/unpacked. PATCHELF: the program of that name.
# Its modules look for their libraries, and venv for pip, in that folder.
make_debian_11_python() {
  local folder=$1 patchelf=$2 root=$1/unpacked library
  unpack_from_debian_11 "$folder" "bullseye bullseye-security" libffi7 libmpdec3 libpython3.9-dev \
    libpython3.9-minimal libpython3.9-stdlib libssl1.1 python3-distutils python3-lib2to3 \
    python3.9-minimal python3.9-venv python-pip-whl || return
  sed -i "s|'/usr/share/python-wheels|'$root/usr/share/python-wheels|" \
    "$root/usr/lib/python3.9/ensurepip/__init__.py" || return
  cp "$root/usr/include/x86_64-linux-gnu/python3.9/pyconfig.h" "$root/usr/include/python3.9/" ||
    return
  for library in "$root"/usr/lib/python3.9/lib-dynload/{_ssl,_hashlib,_ctypes,_decimal}.*.so \
    "$root/usr/lib/x86_64-linux-gnu/libssl.so.1.1"; do
    "$patchelf" --set-rpath "$root/usr/lib/x86_64-linux-gnu" "$library" || return
  done
}
