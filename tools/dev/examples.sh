# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns what the suite `examples` runs: copies of the programs of examples/ that stand for
# themselves, in build/examples ($MARTLET_EXAMPLES), each with the package of dist/ as its
# language's installer takes it; and the clients that know nothing of Martlet. No development build
# has a part in it.

# After need_packages, which makes dist/.
need_examples() {
  step "packages for the examples" install_packages python csharp
  MARTLET_EXAMPLES=$MARTLET_ROOT/build/examples
  export MARTLET_EXAMPLES
  make_examples
}

make_examples() {
  [ -d dist ] || die "tests/suites.toml: 'examples' stands behind 'packages' (dist/ is not there)"
  rm -rf "$MARTLET_EXAMPLES"
  mkdir -p "$MARTLET_EXAMPLES"
  cp -r examples/worker_pool examples/live_page examples/quotes examples/sensor_gateway \
    "$MARTLET_EXAMPLES/"
  # What somebody who has followed their READMEs has made there is not what is tried.
  find "$MARTLET_EXAMPLES" -type d -regex '.*/\(node_modules\|target\|bin\|obj\)' \
    -prune -exec rm -rf {} +
  example_worker_pool
  step "the live page" example_live_page "$MARTLET_EXAMPLES/live_page"
  step "the quote service" locked maven_repository example_quotes "$MARTLET_EXAMPLES/quotes"
  step "the sensor gateway" example_sensor_gateway "$MARTLET_EXAMPLES/sensor_gateway"
}

# $EXAMPLES_PYTHON: one with the wheel, and nats-py beside it for the tests.
example_worker_pool() {
  step "Python of the examples" ensure_venv "$MARTLET_ROOT/build/examples_python" \
    tools/dev/requirements/nats_py.txt
  EXAMPLES_PYTHON=$VENV/bin/python
  export EXAMPLES_PYTHON
  step "the wheel" quietly example-wheel "$EXAMPLES_PYTHON" -m pip install --no-index \
    --find-links dist --only-binary :all: --force-reinstall martlet
}

# No registry has them yet, so both packages are named.
example_live_page() {
  local version
  version=$(cat VERSION)
  quietly example-npm npm install --prefix "$1" --offline --no-audit --no-fund \
    "$MARTLET_ROOT/dist/martlet-$version.tgz" "$MARTLET_ROOT/dist/martlet-linux-x64-$version.tgz"
}

# $QUOTES_CLASSES: the service, the jar that Maven took for it, and the client on jnats.
example_quotes() {
  local version kept=$MARTLET_PEERS/maven_repository client=$MARTLET_ROOT/build/examples_quotes
  version=$(cat VERSION)
  rm -rf "$kept/io/martlet" "$client"
  quietly example-jar mvn -B -ntp "-Dmaven.repo.local=$kept" install:install-file \
    "-Dfile=dist/martlet-$version.jar" "-DpomFile=dist/martlet-$version.pom" || return
  quietly example-quotes mvn -B -ntp "-Dmaven.repo.local=$kept" -f "$1/pom.xml" \
    compile dependency:copy-dependencies || return
  quietly example-jnats mvn -B -ntp "-Dmaven.repo.local=$kept" -f tests/interop/java/pom.xml \
    dependency:copy-dependencies "-DoutputDirectory=$client/jars" || return
  quietly example-client javac -Werror -Xlint:all,-try,-classfile,-processing -d "$client/classes" \
    -cp "$client/jars/*" tests/demo/java/*.java || return
  QUOTES_CLASSES=$1/target/classes:$1/target/dependency/*:$client/classes:$client/jars/*
  export QUOTES_CLASSES
}

# $GATEWAY_DOTNET, $GATEWAY_MONO: the commands that start it. The folder that NuGet unpacks into is
# new each time: else it would take what it has of that version.
example_sensor_gateway() {
  local packages=$MARTLET_ROOT/build/examples_nuget out=$1/out
  rm -rf "$packages"
  NUGET_PACKAGES=$packages quietly example-gateway dotnet_here build -nologo -v minimal \
    -nodeReuse:false -m:1 -p:UseSharedCompilation=false --source "$MARTLET_ROOT/dist" \
    -o "$out" "$1/SensorGateway.csproj" || return
  GATEWAY_DOTNET="env LD_LIBRARY_PATH=$DOTNET_SSL_FOLDER $DOTNET exec \
--runtimeconfig $out/SensorGateway.runtimeconfig.json $out/SensorGateway.dll"
  GATEWAY_MONO="mono $out/SensorGateway.dll"
  export GATEWAY_DOTNET GATEWAY_MONO
}
