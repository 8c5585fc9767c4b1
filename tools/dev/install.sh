# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns what is installed on the machine itself: Debian packages, and nothing else. Asks before
# nothing, touches nothing that is there already, and without root or sudo prints the one line to
# run.

# install_packages GROUP...: the groups of tools/dev/packages.txt, as far as they are missing.
install_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null ||
    die_asking "this needs Debian 12's packages (or their likes): $missing"
  local line="apt-get update && apt-get install -y --no-install-recommends $missing"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die_asking "as root, run: $line"
    if ! sudo -n true 2>/dev/null; then
      { [ -t 0 ] && sudo -v; } || die_asking "as root, run: $line"
    fi
    as_root=(sudo)
  fi
  say "    installing: $missing"
  if [ -z "${APT_UPDATED:-}" ]; then
    quietly apt-update "${as_root[@]}" apt-get update -q || die "apt-get update failed"
    APT_UPDATED=1
  fi
  # shellcheck disable=SC2086  # The names are words.
  quietly "apt-$1" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=600 install -q -y --no-install-recommends $missing ||
    die "these packages could not be installed: $missing"
}

missing_packages() {
  local groups=" $* " group names name missing=()
  while IFS=: read -r group names; do
    [[ $group == \#* || -z $group || $groups != *" $group "* ]] && continue
    for name in $names; do
      package_installed "$name" || missing+=("$name")
    done
  done <"$MARTLET_ROOT/tools/dev/packages.txt"
  echo "${missing[*]}"
}

# One line for each architecture; 'not-installed' is the line of a package that is only known of.
package_installed() {
  command -v dpkg-query >/dev/null &&
    grep -qx installed <<<"$(dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null)"
}

# ensure_venv FOLDER REQUIREMENTS: a virtual environment with exactly the packages of that file, in
# $VENV: a folder whose name is FOLDER and a mark made of the file and the interpreter. A clone with
# other requirements has another one, and neither pulls it away from under the other's suites.
ensure_venv() {
  install_packages python
  # The machine's own, whatever environment has been put in front of PATH since.
  : "${BASE_PYTHON:=$(command -v python3)}"
  VENV=$1-$({
    "$BASE_PYTHON" -c 'import sys; print(sys.version, sys.prefix)'
    cat "$2"
  } | mark_of)
  locked "${VENV##*/}" make_once "$VENV" quietly "venv-$(basename "$1")" make_venv "$VENV" "$2"
}

make_venv() {
  "$BASE_PYTHON" -m venv "$1" && "$1/bin/python" -m pip install -q -r "$2"
}

# What stdin says, as part of a name.
mark_of() {
  sha256sum | cut -c1-12
}

# make_once FOLDER COMMAND...: runs the command, which fills the folder, unless it has been done.
# What is half made is never taken. The caller holds the lock of that folder.
make_once() {
  local folder=$1
  shift
  [ ! -e "$folder/.ready" ] || return 0
  rm -rf "$folder"
  mkdir -p "$folder"
  "$@" || return
  : >"$folder/.ready"
}
