#!/usr/bin/env bash
# Whether each replica lives, is ready, runs the version that was deployed, and all run the same.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

usage="verify-deployment.sh [--version VERSION] [--wait SECONDS] [--strict] [URL…]

  URL        a replica; PARLEY_URL, or http://127.0.0.1:8080. Name each by itself, not the load balancer before them
  --version  what each must run
  --wait     how long a replica may take until it is ready; 60
  --strict   degraded is a failure too

Exit codes: 0 all well, 1 something is not, 2 wrong usage, 69 unreachable."
version=
patience=60
strict=
urls=()
while [ $# -gt 0 ]; do
  case $1 in
    --version) needs_value "$1" $#; version=$2; shift 2 ;;
    --wait) needs_value "$1" $#; patience=$2; shift 2 ;;
    --strict) strict=yes; shift ;;
    -h | --help) say "$usage"; exit 0 ;;
    -*) die "$USAGE" "expected an option, got $1; see --help" ;;
    *) urls+=("${1%/}"); shift ;;
  esac
done
[[ $patience =~ ^[0-9]+$ ]] || die "$USAGE" "expected seconds as a number, got $patience"
need curl jq
[ ${#urls[@]} -gt 0 ] || urls=("$PARLEY_URL")

versions=()
unreachable=0
for url in "${urls[@]}"; do
  give_up=$((SECONDS + patience))
  until ask "$url/ready" && [ "$http" = 200 ]; do
    [ "$SECONDS" -lt "$give_up" ] || break
    sleep 1
  done
  if [ "$http" = 000 ]; then
    fail "$url: expected a gateway, got no answer"
    unreachable=$((unreachable + 1))
    continue
  fi
  status=$(jq -r '.status // empty' <<<"$body" 2>/dev/null || true)
  runs=$(jq -r '.version // empty' <<<"$body" 2>/dev/null || true)
  troubles=$(jq -r '.components // {} | to_entries[] | select(.value.status != "ok")
    | "\(.key) is \(.value.status): \(.value.code // "") \(.value.details // "")"' <<<"$body" 2>/dev/null || true)
  case $http/$status in
    200/ready) ok "$url is ready" ;;
    200/degraded) if [ -n "$strict" ]; then fail "$url is degraded"; else note "$url is degraded"; fi ;;
    *) fail "$url is not ready: $http ${status:-$body}" ;;
  esac
  [ -z "$troubles" ] || say "$troubles"
  ask "$url/health"
  [ "$http" = 200 ] || fail "$url/health says $http"
  if [ -n "$runs" ]; then versions+=("$runs"); fi
  if [ -n "$version" ]; then
    if [ "$runs" = "$version" ]; then ok "$url runs $runs"; else fail "$url: expected version $version, got ${runs:-none}"; fi
  fi
done
[ "$unreachable" -lt ${#urls[@]} ] || exit "$UNREACHABLE"

different=$(printf '%s\n' "${versions[@]}" | sort -u | wc -l)
[ "$different" -le 1 ] || note "they run $different versions: an upgrade is under way"
verdict
