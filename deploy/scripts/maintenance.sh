#!/usr/bin/env bash
# What is looked at and done each day, week and month, in one go, with a verdict. docs/maintenance.md says why.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

usage="maintenance.sh daily|weekly|monthly --archives FOLDER [--disk PERCENT] [--keep-days N] [--parley COMMAND] [--dry-run]

  daily        readiness, disk, dead letters of the day, what it cost; a backup, read back. A disk that is fuller than
               --disk: finished events go into an archive of their own, and the disk gets their room back
  weekly       the store is read through, what is past retention goes, configuration and every archive are checked
  monthly      finished events go into an archive of their own; the newest backup is restored into an empty folder, which goes
               again; the audit is read through, the compliance report stored, packages are looked up (audit-packages.sh)
  --archives   where backups are
  --disk       how full the disk of PARLEY_DATA_DIR may be; 85
  --keep-days  how long backups stay; 30
  --parley     how parley is run; parley
  --dry-run    say what would be run

Runs as the gateway's user with its environment (PARLEY_CONFIG, PARLEY_DATA_DIR, PARLEY_URL) and PARLEY_ADMIN_TOKEN. What fails
does not keep the rest from being done. Exit codes: 0 all well, 1 something is not, 2 wrong usage, 69 unreachable."
period=
archives=
disk=85
keep_days=30
command=parley
dry_run=
while [ $# -gt 0 ]; do
  case $1 in
    daily | weekly | monthly) period=$1; shift ;;
    --archives) needs_value "$1" $#; archives=$2; shift 2 ;;
    --disk) needs_value "$1" $#; disk=$2; shift 2 ;;
    --keep-days) needs_value "$1" $#; keep_days=$2; shift 2 ;;
    --parley) needs_value "$1" $#; command=$2; shift 2 ;;
    --dry-run) dry_run=yes; shift ;;
    -h | --help) say "$usage"; exit 0 ;;
    *) die "$USAGE" "expected daily, weekly, monthly or an option, got $1; see --help" ;;
  esac
done
[ -n "$period" ] || die "$USAGE" "expected daily, weekly or monthly, got none; see --help"
[ -n "$archives" ] || die "$USAGE" "expected --archives, got none"
[[ $disk =~ ^[0-9]+$ && $disk -le 100 ]] || die "$USAGE" "expected a percentage, got $disk"
[[ $keep_days =~ ^[1-9][0-9]*$ ]] || die "$USAGE" "expected days as a number, got $keep_days"
read -ra parley <<<"$command"
need curl jq df "${parley[0]}"
data=${PARLEY_DATA_DIR:-data}

# do_it WORDS COMMAND…: runs it, or says that it would; says what it said only where it fails. 0 also then: the rest goes on.
do_it() {
  local what=$1 said
  shift
  if [ -n "$dry_run" ]; then
    say "would   $*"
  elif said=$("$@" 2>&1); then
    ok "$what"
  else
    fail "$what: ${said:-it said nothing}"
  fi
}
p() { do_it "$1" "${parley[@]}" "${@:2}"; }

fullness() { df -P "$data" | awk 'NR == 2 { sub("%", "", $5); print $5 }'; }
make_room() {
  local full
  [ -d "$data" ] || die "$USAGE" "expected the data folder at $data (PARLEY_DATA_DIR), got none"
  full=$(fullness)
  if [ "$full" -le "$disk" ]; then
    ok "the disk of $data is $full % full"
    return
  fi
  note "the disk of $data is $full % full, more than $disk %"
  p "what is past retention is gone" maintain prune
  p "finished events are in an archive" maintain archive --to "$archives" --older-than 6 --keep-days 90 --yes
  p "the disk has their room back" maintain vacuum
  [ -n "$dry_run" ] || [ "$(fullness)" -le "$disk" ] || fail "the disk of $data is still fuller than $disk %"
}

newest() { find "$archives" -mindepth 1 -maxdepth 1 -type d -name 'parley-2*' 2>/dev/null | sort | tail -n 1; }
verify_all() {
  local archive
  for archive in "$archives"/parley-*/; do
    [ ! -d "$archive" ] || p "${archive%/} is whole" backup verify "${archive%/}"
  done
}
# A backup that nobody has restored is a hope.
try_restoring() {
  local archive into
  archive=$(newest)
  if [ -n "$dry_run" ]; then
    say "would   ${parley[*]} restore the newest of $archives into an empty folder"
    return
  fi
  if [ -z "$archive" ]; then
    fail "expected a backup in $archives, got none"
    return
  fi
  into=$(mktemp -d)
  # Nothing of it listens or reaches Redis.
  do_it "$archive can be restored" env PARLEY_DATA_DIR="$into" "${parley[@]}" restore "$archive" --no-redis --yes
  rm -rf "$into"
}

# Where there is a checkout, and a registry: a host without either is not unwell.
look_up_packages() {
  local audit code=0 said
  audit=$(dirname "$0")/audit-packages.sh
  if [ -n "$dry_run" ]; then
    say "would   $audit"
    return
  fi
  said=$("$audit" 2>&1) || code=$?
  case $code in
    0) ok "nothing is known against the packages" ;;
    1) fail "something is known against packages: $said" ;;
    *) note "packages could not be looked up: $said" ;;
  esac
}

ask "$PARLEY_URL/ready"
[ "$http" != 000 ] || [ -n "$dry_run" ] || die "$UNREACHABLE" "expected a gateway at $PARLEY_URL, got no answer"
case $period in
  daily)
    status=$(jq -r '.status // empty' <<<"$body" 2>/dev/null || true)
    case $http/$status in
      200/ready) ok "$PARLEY_URL is ready" ;;
      000/*) ;;
      200/*) note "$PARLEY_URL is ${status:-of another kind}: $(jq -c '[.components | to_entries[] | select(.value.status != "ok") | .key]' <<<"$body" 2>/dev/null || true)" ;;
      *) fail "$PARLEY_URL is not ready: $http ${status:-$body}" ;;
    esac
    make_room
    if [ -n "$dry_run" ]; then
      say "would   ${parley[*]} dead list --since 24h --json; ${parley[*]} usage"
    elif letters=$("${parley[@]}" dead list --since 24h --limit 1000 --json) && count=$(jq length <<<"$letters"); then
      if [ "$count" -gt 0 ]; then note "$count dead letters within a day: parley dead list --since 24h"; else ok "no dead letters within a day"; fi
      "${parley[@]}" usage || fail "expected what the day has cost"
    else
      fail "expected the dead letters of the day"
    fi
    p "there is a backup in $archives, read back" backup --to "$archives" --keep-days "$keep_days"
    ;;
  weekly)
    p "the store is whole" maintain check
    p "what is past retention is gone" maintain prune
    p "the configuration is valid" config validate
    p "what the gateway needs is there" doctor --offline
    verify_all
    ;;
  monthly)
    p "finished events are in an archive" maintain archive --to "$archives" --older-than 30 --keep-days 90 --yes
    try_restoring
    p "the audit is as it was written" audit verify
    p "compliance is as it should be" doctor --compliance --reports "$archives/compliance"
    look_up_packages
    ;;
esac
verdict
