#!/usr/bin/env bash
# Says hello to a gateway as a developer does, and waits for the answer: the whole path, from webhook to reply, in seconds.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

usage="smoke.sh [--url URL] [--seconds N]

  --url      the gateway; PARLEY_URL, or http://127.0.0.1:8080
  --seconds  how long to wait for the answer; 30

PARLEY_DEV_KEY is sent as X-Dev-Key where it is set. Exit codes: 0 answered, 1 not, 2 wrong usage, 69 unreachable."
seconds=30
while [ $# -gt 0 ]; do
  case $1 in
    --url) needs_value "$1" $#; PARLEY_URL=$2; shift 2 ;;
    --seconds) needs_value "$1" $#; seconds=$2; shift 2 ;;
    -h | --help) say "$usage"; exit 0 ;;
    *) die "$USAGE" "expected an option, got $1; see --help" ;;
  esac
done
[[ $seconds =~ ^[0-9]+$ ]] || die "$USAGE" "expected seconds as a number, got $seconds"
need curl jq

ask "$PARLEY_URL/health"
[ "$http" != 000 ] || die "$UNREACHABLE" "expected a gateway at $PARLEY_URL, got no answer"
if [ "$http" = 200 ]; then ok "it lives"; else fail "/health says $http: $body"; fi

# By standard input: what stands in arguments, everybody on the machine can read.
headers() {
  printf 'content-type: application/json\n'
  if [ -n "${PARLEY_DEV_KEY:-}" ]; then printf 'x-dev-key: %s\n' "$PARLEY_DEV_KEY"; fi
}
# Somebody and something new each time, so that no limit and no earlier answer is met.
id="smoke-$(date +%s)-$$"
question=$(jq -cn --arg id "$id" '{message: "hello", user: $id, conversation: $id}')
ask --max-time $((seconds + 5)) -H @<(headers) -d "$question" "$PARLEY_URL/webhooks/test?wait=$seconds"
# What is refused (paused, over a limit) has a reply, too.
reply=$(jq -r 'select(.status == "accepted") | .reply // empty' <<<"$body" 2>/dev/null || true)
if [ "$http" = 200 ] && [ -n "$reply" ]; then
  ok "it answers: ${reply%%$'\n'*}"
else
  fail "expected an answer within $seconds s, got $http: $body"
fi
verdict
