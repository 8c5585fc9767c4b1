# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns `./dev docs`, which renders docs/ into build/docs, and what the guide's programs run on
# (docs/guide/snippets, tests/guide).

# The platform of the JUnit that bindings/java/pom.xml tests with.
JUNIT_CONSOLE=org.junit.platform:junit-platform-console-standalone:1.11.4

command_docs() {
  need_docs
  step "the pages" quietly docs env NO_MKDOCS_2_WARNING=1 "$MARTLET_DOCS_PYTHON" -m mkdocs build \
    --strict
  say "    the pages: build/docs/index.html"
}

# A Python that imports MkDocs, as $MARTLET_DOCS_PYTHON.
need_docs() {
  step "MkDocs" ensure_venv "$MARTLET_CACHE/venvs/docs" tools/dev/requirements/docs.txt
  MARTLET_DOCS_PYTHON=$VENV/bin/python
  export MARTLET_DOCS_PYTHON
}

# The guide's programs as far as they are compiled, and where the packages stand that they use:
# $GUIDE_CPP, the folder of the C++ programs; $GUIDE_JARS, Martlet's and JUnit's;
# $GUIDE_CSHARP, the command that starts a C# program by its name.
need_guide() {
  local assembly=$MARTLET_ROOT/build/csharp/bin/Guide/Guide
  need_csharp
  need_python_package
  need_node_package
  need_java_package
  step "the guide in C++" build_targets release guide_snippets
  GUIDE_JARS=$MARTLET_ROOT/build/guide/jars
  step "the guide's jars" make_guide_jars "$GUIDE_JARS"
  step "the guide in C#" quietly guide-csharp dotnet_here build -nologo -v minimal \
    -nodeReuse:false -m:1 -p:UseSharedCompilation=false tests/guide/csharp/Guide.csproj
  GUIDE_CPP=$MARTLET_ROOT/build/release/bin/guide
  GUIDE_CSHARP="env LD_LIBRARY_PATH=$DOTNET_SSL_FOLDER $DOTNET exec \
--runtimeconfig $assembly.runtimeconfig.json $assembly.dll"
  export GUIDE_CPP GUIDE_JARS GUIDE_CSHARP
}

# Martlet's jar with what its tests use, and the launcher of JUnit.
make_guide_jars() {
  make_guest_jars "$1" || return
  quietly guide-junit mvn -B -f bindings/java/pom.xml dependency:copy \
    "-Dartifact=$JUNIT_CONSOLE" -DoutputDirectory="$1"
}
