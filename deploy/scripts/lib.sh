# Shared by the scripts beside it; not a script of its own.
# shellcheck shell=bash

# Exit codes, as `parley` has them.
FAILED=1
USAGE=2
UNREACHABLE=69

PARLEY_URL=${PARLEY_URL:-http://127.0.0.1:8080}
PROMETHEUS_URL=${PROMETHEUS_URL:-http://127.0.0.1:9090}

failures=0

say() { printf '%s\n' "$*"; }
ok() { say "ok      $*"; }
note() { say "note    $*"; }
fail() {
  say "FAILED  $*"
  failures=$((failures + 1))
}

# Ends with a message: die CODE TEXT…
die() {
  local code=$1
  shift
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit "$code"
}

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || die "$USAGE" "expected $program to be installed, got none"
  done
}

# The value of an option: value NAME COUNT_OF_ARGUMENTS_LEFT
needs_value() { [ "$2" -ge 2 ] || die "$USAGE" "expected a value after $1, got none"; }

# 0 when all that was looked at is well, 1 otherwise.
verdict() {
  if [ "$failures" -gt 0 ]; then
    say "$failures failed"
    exit "$FAILED"
  fi
  say "all well"
}

# The status of an answer, its body in $body. 000 when there is none.
ask() {
  local file status
  file=$(mktemp)
  status=$(curl -sS --max-time 10 -o "$file" -w '%{http_code}' "$@" 2>/dev/null) || status=000
  # shellcheck disable=SC2034 # for whoever asks
  body=$(cat "$file")
  rm -f "$file"
  # shellcheck disable=SC2034
  http=$status
}

# What Prometheus says to a query, a line for each series: its labels as JSON, a tab, its value. Ends the script when it says
# nothing: no answer is not a good answer.
query() {
  local answer
  answer=$(curl -sS --max-time 30 -G --data-urlencode "query=$1" "$PROMETHEUS_URL/api/v1/query") ||
    die "$UNREACHABLE" "expected Prometheus at $PROMETHEUS_URL (PROMETHEUS_URL), got no answer"
  [ "$(jq -r .status <<<"$answer" 2>/dev/null)" = success ] ||
    die "$UNREACHABLE" "expected Prometheus to answer $1, got $answer"
  jq -r '.data.result[] | [(.metric | del(.__name__) | tojson), .value[1]] | @tsv' <<<"$answer"
}
