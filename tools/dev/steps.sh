# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Owns how ./dev talks: steps with their times, quiet commands whose output is kept and shown on
# failure, and the summary at the end. Sourced by ./dev; does nothing by itself.

STEP_NAMES=()
STEP_SECONDS=()
STEP_DEPTH=0
SUMMARY_TITLE=""
ATTENDED_PID=""

say() { printf '%s\n' "$*" >&2; }

# Ends ./dev with a sentence. Status 2: something on this machine has to be done by its owner.
die() {
  say "./dev: $*"
  exit 1
}
die_asking() {
  say "./dev: $*"
  exit 2
}

# step NAME COMMAND...: runs it, records how long it took. A step inside a step is part of the outer
# one.
step() {
  local name=$1 start=$EPOCHREALTIME
  shift
  STEP_DEPTH=$((STEP_DEPTH + 1))
  [ "$STEP_DEPTH" -gt 1 ] || say "==> $name"
  local status=0
  "$@" || status=$?
  STEP_DEPTH=$((STEP_DEPTH - 1))
  if [ "$STEP_DEPTH" -eq 0 ]; then
    STEP_NAMES+=("$name$([ "$status" -eq 0 ] || echo ' (failed)')")
    STEP_SECONDS+=("$(seconds_since "$start")")
  fi
  return "$status"
}

seconds_since() {
  local now=${EPOCHREALTIME/[.,]/} then=${1/[.,]/}
  printf '%d.%d' $(((now - then) / 1000000)) $(((now - then) / 100000 % 10))
}

summary_at_exit() {
  SUMMARY_TITLE=${1% }
  SUMMARY_START=$EPOCHREALTIME
  trap 'at_exit $?' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

at_exit() {
  local status=$1 verdict="done" i
  end_attended
  [ "$status" -eq 0 ] || verdict="failed with status $status"
  say ""
  say "$SUMMARY_TITLE: $verdict, $(seconds_since "$SUMMARY_START") s"
  for i in "${!STEP_NAMES[@]}"; do
    printf '  %8s s  %s\n' "${STEP_SECONDS[$i]}" "${STEP_NAMES[$i]}" >&2
  done
}

# quietly NAME COMMAND...: its output goes to build/dev-logs/NAME.log. Says every few seconds where
# it stands; when it fails, shows what the log calls errors (a build goes on after one) and its end.
quietly() {
  local name=$1 log="$MARTLET_ROOT/build/dev-logs/$1.log" status=0 waited=0
  shift
  mkdir -p "${log%/*}"
  attend "$@" >"$log" 2>&1
  while kill -0 "$ATTENDED_PID" 2>/dev/null; do
    sleep 0.2
    waited=$((waited + 1))
    if [ $((waited % 75)) -eq 0 ]; then
      say "    $name: $((waited / 5)) s: $(last_words "$log")"
    fi
  done
  wait "$ATTENDED_PID" || status=$?
  ATTENDED_PID=""
  if [ "$status" -ne 0 ]; then
    say "--- errors in build/dev-logs/$name.log"
    # No such line is no failure of ours.
    { grep -n -i -A 4 -E '^FAILED:|error:' "$log" || true; } | sed -n '1,60s/^/  | /p' >&2
    say "--- the end of build/dev-logs/$name.log"
    tail -n 40 "$log" | sed 's/^/  | /' >&2
    say "--- $name failed with status $status"
  fi
  return "$status"
}

# attend COMMAND...: starts it in the background, in a process group of its own, which at_exit ends
# as a whole. Without job control it would ignore the Ctrl-C that ends this shell, and its children
# would outlive it.
attend() {
  set -m
  "$@" </dev/null &
  ATTENDED_PID=$!
  set +m
}

# attended COMMAND...: runs it so that whatever ends this shell ends it as well.
attended() {
  local status=0
  attend "$@"
  wait "$ATTENDED_PID" || status=$?
  ATTENDED_PID=""
  return "$status"
}

# Asks the group to end, and makes it after five seconds. What is locked is let go only afterwards.
# A signal may come between a start and the note of its number: the list of jobs knows it then.
end_attended() {
  local group tries=50
  group=${ATTENDED_PID:-$(jobs -pr | tail -n 1)}
  [ -n "$group" ] || return 0
  kill -TERM -- "-$group" 2>/dev/null || true
  while kill -0 -- "-$group" 2>/dev/null && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
  done
  kill -KILL -- "-$group" 2>/dev/null || true
}

last_words() {
  tail -c 2000 "$1" | tr '\r' '\n' | grep -v '^ *$' | tail -n 1 | cut -c1-90
}

# locked NAME COMMAND...: one process at a time over all clones that share the cache. In this shell,
# not in one of its own: it is this one that ends the command before it lets the lock go.
locked() {
  local name=$1 status=0
  shift
  mkdir -p "$MARTLET_CACHE/locks"
  exec 9>"$MARTLET_CACHE/locks/$name"
  attended flock 9
  "$@" 9>&- || status=$?
  exec 9>&-
  return "$status"
}
