#!/usr/bin/env bash
# Whether the service level objectives hold, by what Prometheus has recorded (deploy/prometheus/slo.rules.yml).
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

usage="verify-slos.sh [--prometheus URL] [--window WINDOW]

  --prometheus  PROMETHEUS_URL, or http://127.0.0.1:9090
  --window      5m, 30m, 1h, 2h, 6h, 1d, 3d or 30d; 1h

Exit codes: 0 all hold, 1 one does not, 2 wrong usage, 69 Prometheus is away or has not recorded them."
window=1h
while [ $# -gt 0 ]; do
  case $1 in
    --prometheus) needs_value "$1" $#; PROMETHEUS_URL=${2%/}; shift 2 ;;
    --window) needs_value "$1" $#; window=$2; shift 2 ;;
    -h | --help) say "$usage"; exit 0 ;;
    *) die "$USAGE" "expected an option, got $1; see --help" ;;
  esac
done
case $window in
  5m | 30m | 1h | 2h | 6h | 1d | 3d | 30d) ;;
  *) die "$USAGE" "expected a window that is recorded (5m, 30m, 1h, 2h, 6h, 1d, 3d, 30d), got $window" ;;
esac
need curl jq

objectives=$(query 'parley:slo_budget:ratio')
[ -n "$objectives" ] || die "$UNREACHABLE" "expected parley:slo_budget:ratio in Prometheus, got nothing: is slo.rules.yml loaded?"
errors=$(query "parley:slo_errors:ratio_rate$window")

while IFS=$'\t' read -r labels budget; do
  slo=$(jq -r .slo <<<"$labels")
  share=$(awk -F'\t' -v slo="\"slo\":\"$slo\"" 'index($1, slo) { print $2 }' <<<"$errors")
  case $share in
    '') note "$slo: nothing is recorded for $window" ;;
    NaN) note "$slo: nothing has happened in $window" ;;
    *)
      line="$slo: $(awk -v a="$share" -v b="$budget" 'BEGIN { printf "%.3f %% failed in", 100 * a; printf " '"$window"', %.3f %% may", 100 * b }')"
      if awk -v a="$share" -v b="$budget" 'BEGIN { exit !(a <= b) }'; then ok "$line"; else fail "$line"; fi
      ;;
  esac
done <<<"$objectives"
verdict
