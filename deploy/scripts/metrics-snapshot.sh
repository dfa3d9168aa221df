#!/usr/bin/env bash
# Keeps what a gateway measures and says of itself right now, for an incident or to compare with later.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

usage="metrics-snapshot.sh [--url URL] [--metrics URL] [--into FOLDER]

  --url      the gateway; PARLEY_URL, or http://127.0.0.1:8080
  --metrics  where /metrics is, if elsewhere (PARLEY_METRICS_PORT); PARLEY_METRICS_URL
  --into     where the snapshot goes; .

Makes FOLDER/parley-TIME/ with metrics.txt and ready.json, for this user alone, and prints its name. PARLEY_METRICS_TOKEN is sent
where it is set. Exit codes: 0 kept, 1 refused, 2 wrong usage, 69 unreachable."
metrics=${PARLEY_METRICS_URL:-}
into=.
while [ $# -gt 0 ]; do
  case $1 in
    --url) needs_value "$1" $#; PARLEY_URL=${2%/}; shift 2 ;;
    --metrics) needs_value "$1" $#; metrics=${2%/}; shift 2 ;;
    --into) needs_value "$1" $#; into=$2; shift 2 ;;
    -h | --help) say "$usage"; exit 0 ;;
    *) die "$USAGE" "expected an option, got $1; see --help" ;;
  esac
done
metrics=${metrics:-$PARLEY_URL}
[ -d "$into" ] || die "$USAGE" "expected a folder, got $into"
need curl jq
umask 077

headers() { if [ -n "${PARLEY_METRICS_TOKEN:-}" ]; then printf 'authorization: Bearer %s\n' "$PARLEY_METRICS_TOKEN"; fi; }
ask -H @<(headers) "$metrics/metrics"
[ "$http" != 000 ] || die "$UNREACHABLE" "expected metrics at $metrics/metrics, got no answer"
[ "$http" = 200 ] || die "$FAILED" "expected metrics at $metrics/metrics, got $http: $body"
grep -q '^parley_build_info' <<<"$body" || die "$FAILED" "expected metrics of Parley at $metrics/metrics, got others"
scraped=$body
ask "$PARLEY_URL/ready"
ready=$body
jq -e .status >/dev/null 2>&1 <<<"$ready" || die "$FAILED" "expected readiness at $PARLEY_URL/ready, got $http: $ready"

# Whole or not there: what has a name is complete.
name="$into/parley-$(date -u +%Y%m%dT%H%M%SZ)"
[ ! -e "$name" ] || name="$name-$$"
made=$(mktemp -d "$into/.parley-XXXXXX")
printf '%s\n' "$scraped" >"$made/metrics.txt"
jq . <<<"$ready" >"$made/ready.json"
mv "$made" "$name"
say "$name"
