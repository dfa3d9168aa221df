#!/usr/bin/env bash
# Whether something is known against a package that the gateway runs with. Asks the registry of npm, so it is no part of the tests.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

usage="audit-packages.sh [--level LEVEL] [--in FOLDER]

  --level  from which severity on it is a failure: low, moderate, high, critical; high
  --in     a folder with package-lock.json; the checkout that this script is in

Only what is installed in production is looked at. Exit codes: 0 nothing is known, 1 something is, 2 wrong usage, 69 the registry
does not answer."
level=high
folder=$(dirname "$0")/../..
while [ $# -gt 0 ]; do
  case $1 in
    --level) needs_value "$1" $#; level=$2; shift 2 ;;
    --in) needs_value "$1" $#; folder=$2; shift 2 ;;
    -h | --help) say "$usage"; exit 0 ;;
    *) die "$USAGE" "expected an option, got $1; see --help" ;;
  esac
done
[[ $level =~ ^(low|moderate|high|critical)$ ]] || die "$USAGE" "expected low, moderate, high or critical, got $level"
[ -f "$folder/package-lock.json" ] || die "$USAGE" "expected package-lock.json in $folder (--in), got none"
need npm jq

# It ends with 1 for what it finds, and for a registry that is away: what it says tells which.
report=$(cd "$folder" && npm audit --omit=dev --json 2>/dev/null) || true
jq -e .metadata.vulnerabilities >/dev/null 2>&1 <<<"$report" ||
  die "$UNREACHABLE" "expected a report of the registry, got $(jq -r '.message // .error.summary // empty' <<<"$report" 2>/dev/null || true)"
jq -r '.vulnerabilities[] | "note    \(.name) \(.range): \(.severity)"' <<<"$report"
count=$(jq --arg level "$level" '.metadata.vulnerabilities as $of
  | ["low", "moderate", "high", "critical"] | .[index($level):] | map($of[.] // 0) | add' <<<"$report")
if [ "$count" -gt 0 ]; then fail "$count packages with something of $level or worse"; else ok "nothing of $level or worse is known"; fi
verdict
