# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev bench`: makes the programs and the peers, then runs the measurements
# (tests/performance/bench.py), which writes its table and its plot to build/bench. `./dev bench
# clients` measures the packages.

command_bench() {
  if [ "${1:-}" = clients ]; then
    shift
    set -- --rows client,in_process,python,node,java,csharp "$@"
  fi
  step "packages for measurements" install_packages python build test bench
  build_preset release
  need_nats_server
  # `--rows fan16,rtt` and the like want no package: see tests/performance/bench.py --help.
  if bench_wants python "$@"; then
    need_python_package
    need_bench_peers
  fi
  if bench_wants node "$@"; then
    need_nats_js
    npm_peer node_bench
    export NODE_BENCH_PEERS=$NPM_PEER/node_modules
    need_node_package
  fi
  if bench_wants java "$@"; then
    need_java_bench
  fi
  if bench_wants csharp "$@"; then
    need_csharp
  fi
  step "the measurements" python3 tests/performance/bench.py "$@"
}

# bench_wants ROW ARG...
bench_wants() {
  local row=$1
  shift
  case " $* " in
    *" --rows "* | *" --rows="*) [[ " $* " == *"$row"* ]] ;;
    *) ! [[ " $* " =~ " -h "|" --help " ]] ;;
  esac
}

# The Java package, its measurement and jnats on one class path.
need_java_bench() {
  need_java_package
  local path=$MARTLET_JAVA_BUILD/bench_class_path
  step "classes for the Java measurement" quietly java-bench \
    mvn -B -q -f bindings/java/pom.xml -Dmartlet.build="$MARTLET_JAVA_BUILD" test-compile \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath \
    -Dmdep.outputFile="$path"
  MARTLET_JAVA_BENCH=$MARTLET_ROOT/bindings/java/target/test-classes
  MARTLET_JAVA_BENCH=$MARTLET_JAVA_BENCH:$MARTLET_ROOT/bindings/java/target/classes:$(<"$path")
  add_java_peers
  export MARTLET_JAVA_BENCH
}

# The brokers that a program of Java can carry inside itself today, behind an interface of the
# measurement's.
add_java_peers() {
  local source=tests/performance/java_peers peers=$MARTLET_JAVA_BUILD/bench_peers
  step "Artemis and Moquette" quietly java-peers \
    mvn -B -q -f "$source/pom.xml" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath \
    -Dmdep.outputFile="$peers.class_path"
  MARTLET_JAVA_BENCH=$MARTLET_JAVA_BENCH:$(<"$peers.class_path")
  mkdir -p "$peers"
  step "classes for Artemis and Moquette" quietly java-peers-classes \
    javac -Xlint:all,-classfile,-processing,-try -Werror -d "$peers" -cp "$MARTLET_JAVA_BENCH" \
    "$source"/src/main/java/io/martlet/*.java
  cp -r "$source"/src/main/resources/. "$peers/"
  MARTLET_JAVA_BENCH=$MARTLET_JAVA_BENCH:$peers
}

# What the Python package is measured beside inside a process. Not in its environment: a folder that
# only the measurement sees.
need_bench_peers() {
  local requirements=tools/dev/requirements/bench_peers.txt
  PYTHON_BENCH_PEERS=$MARTLET_PEERS/python_bench-$({
    "$MARTLET_PYTHON" -c 'import sys; print(sys.version)'
    cat "$requirements"
  } | mark_of)
  export PYTHON_BENCH_PEERS
  step "pyzmq and zenoh" locked "${PYTHON_BENCH_PEERS##*/}" make_once "$PYTHON_BENCH_PEERS" \
    quietly bench-peers "$MARTLET_PYTHON" -m pip install -q --no-deps --only-binary :all: \
    --target "$PYTHON_BENCH_PEERS" -r "$requirements"
}
