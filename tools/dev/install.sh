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
  local line="apt-get install -y --no-install-recommends $missing"
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

package_installed() {
  command -v dpkg-query >/dev/null &&
    [[ $(dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null) == *installed* ]]
}

# ensure_venv FOLDER REQUIREMENTS: a virtual environment with exactly the packages of that file. It
# is made anew when the file or the interpreter has changed, and is never seen half made.
ensure_venv() {
  install_packages python
  # The machine's own, whatever environment has been put in front of PATH since.
  : "${BASE_PYTHON:=$(command -v python3)}"
  locked "venv-$(basename "$1")" make_venv "$1" "$2"
}

make_venv() {
  local folder=$1 requirements=$2 mark
  mark=$({
    "$BASE_PYTHON" -c 'import sys; print(sys.version, sys.prefix)'
    cat "$requirements"
  } | sha256sum)
  [ "$(cat "$folder/.ready" 2>/dev/null)" != "$mark" ] || return 0
  rm -rf "$folder"
  quietly "venv-$(basename "$folder")" make_venv_now "$folder" "$requirements" || return
  echo "$mark" >"$folder/.ready"
}

make_venv_now() {
  "$BASE_PYTHON" -m venv "$1" && "$1/bin/python" -m pip install -q -r "$2"
}
