# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns the names and places that every part of ./dev and every suite agree on.

source_environment() {
  MARTLET_ROOT=$PWD
  MARTLET_BUILD=$MARTLET_ROOT/build/release
  MARTLET_PROGRAM=$MARTLET_BUILD/bin/martlet
  # Outside the clone: what is built once for every clone of this person (peers, compiler cache,
  # venvs).
  MARTLET_CACHE=${MARTLET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/martlet}
  MARTLET_PEERS=$MARTLET_CACHE/peers
  MARTLET_JOBS=${MARTLET_JOBS:-$(nproc)}
  CCACHE_DIR=${CCACHE_DIR:-$MARTLET_CACHE/ccache}
  # Clones in different folders share their objects: paths below the clone are made relative.
  CCACHE_BASEDIR=$MARTLET_ROOT
  CCACHE_NOHASHDIR=1
  CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-3G}
  PIP_DISABLE_PIP_VERSION_CHECK=1
  PYTHONDONTWRITEBYTECODE=1
  export MARTLET_ROOT MARTLET_BUILD MARTLET_PROGRAM MARTLET_CACHE MARTLET_PEERS MARTLET_JOBS
  export CCACHE_DIR CCACHE_BASEDIR CCACHE_NOHASHDIR CCACHE_MAXSIZE
  export PIP_DISABLE_PIP_VERSION_CHECK PYTHONDONTWRITEBYTECODE
  mkdir -p "$MARTLET_CACHE" "$MARTLET_PEERS" "$CCACHE_DIR" "$MARTLET_ROOT/build"
}
