#!/usr/bin/env bash
# Whether what was just deployed does its work, by what Prometheus has scraped in the last minutes. For the moment after an
# upgrade, and for each step of a canary.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

usage="check-deployment-metrics.sh [--prometheus URL] [--minutes N] [--instance REGEX]

  --prometheus  PROMETHEUS_URL, or http://127.0.0.1:9090
  --minutes     how far back to look; 5
  --instance    replicas, by their label instance, such as those of a canary; all

Exit codes: 0 all well, 1 something is not, 2 wrong usage, 69 Prometheus is away or scrapes none of them."
minutes=5
instance='.+'
while [ $# -gt 0 ]; do
  case $1 in
    --prometheus) needs_value "$1" $#; PROMETHEUS_URL=${2%/}; shift 2 ;;
    --minutes) needs_value "$1" $#; minutes=$2; shift 2 ;;
    --instance) needs_value "$1" $#; instance=$2; shift 2 ;;
    -h | --help) say "$usage"; exit 0 ;;
    *) die "$USAGE" "expected an option, got $1; see --help" ;;
  esac
done
[[ $minutes =~ ^[1-9][0-9]*$ ]] || die "$USAGE" "expected minutes as a number, got $minutes"
need curl jq

# In a selector of PromQL a backslash and a quote have a meaning of their own.
escaped=${instance//\\/\\\\}
of="instance=~\"${escaped//\"/\\\"}\""
up=$(query "up{job=\"parley\",$of}")
[ -n "$up" ] || die "$UNREACHABLE" "expected Prometheus to scrape job parley ($instance), got no target"
while IFS=$'\t' read -r labels value; do
  name=$(jq -r .instance <<<"$labels")
  if [ "$value" = 1 ]; then ok "$name is scraped"; else fail "$name cannot be scraped"; fi
done <<<"$up"

# limit NAME MOST QUERY: every series of the query is at most that. None, or NaN, is nothing that has happened.
limit() {
  local lines
  lines=$(query "$3")
  if [ -z "$lines" ]; then
    note "$1: nothing has happened"
    return
  fi
  while IFS=$'\t' read -r labels value; do
    local what="$1 ${labels#\{\}}: $value, at most $2"
    if [ "$value" = NaN ]; then
      note "$1 ${labels#\{\}}: nothing has happened"
    elif awk -v a="$value" -v b="$2" 'BEGIN { exit !(a <= b) }'; then
      ok "$what"
    else
      fail "$what"
    fi
  done <<<"$lines"
}

w="[${minutes}m]"
limit "webhooks that were not stored" 0 "sum(increase(parley_webhooks_total{outcome=\"unavailable\",$of}$w))"
limit "share of HTTP answers that are 5xx" 0.05 "sum(rate(parley_http_requests_total{status=~\"5..\",$of}$w)) / sum(rate(parley_http_requests_total{$of}$w))"
limit "seconds to acknowledge, P95" 0.5 "histogram_quantile(0.95, sum by (le) (rate(parley_webhook_ack_duration_seconds_bucket{$of}$w)))"
limit "share of runs that fail" 0.05 "sum(rate(parley_run_attempts_total{outcome=~\"failed|retried\",$of}$w)) / sum(rate(parley_run_attempts_total{outcome!~\"aborted|parked\",$of}$w))"
limit "share of replies that fail" 0.05 "sum by (platform) (rate(parley_replies_total{outcome=~\"retry|rejected|refused|unknown\",$of}$w)) / sum by (platform) (rate(parley_replies_total{outcome!=\"in_doubt\",$of}$w))"
limit "open breakers" 0 "sum by (kind, name) (parley_breaker_state{$of} == bool 2)"
limit "seconds that the oldest message waits" 60 "max(parley_queue_oldest_age_seconds{$of})"
verdict
