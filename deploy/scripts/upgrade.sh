#!/usr/bin/env bash
# Puts another version in the place of the one that runs on this host, and that one back where the new one does not come up.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

usage="upgrade.sh --package FILE --archives FOLDER [--sha256 HEX] [--program LINK] [--stop COMMAND] [--start COMMAND]
           [--user NAME] [--url URL] [--wait SECONDS] [--keep N] [--dry-run]

  --package   the new version as .tar.gz: bin/, dist/, node_modules/, package.json as they lie in the program's folder
  --sha256    what the package must have; without it FILE.sha256 says so
  --archives  where the backup from before goes, and the copy that a way back needs
  --program   where the program is; /opt/parley. It becomes a link into LINK-releases/, which has each version
  --stop      stops the gateway, and comes back when it is over; 'systemctl stop parley'
  --start     starts it, and comes back; 'systemctl start parley'
  --user      who runs the gateway: its files stay theirs. For root
  --url       the gateway; PARLEY_URL, or http://127.0.0.1:8080
  --wait      how long it may take to be ready, and to stop; 60
  --keep      how many releases stay, what runs and what ran before among them; 2
  --dry-run   look at the package and say what would be done

Needs the environment of the gateway (PARLEY_CONFIG, PARLEY_DATA_DIR) and PARLEY_ADMIN_TOKEN. In this order: checksum, backup,
upgrade-check by the new version, drain, copy of the files at rest, start, verify. Where the new version is not ready in time
the old one is started again; where that refuses what the new one has made of the database, with the copy.

Exit codes: 0 the new version runs, 1 it does not and the one before does, or nothing was changed, 2 wrong usage, 69 neither runs."
package=
sha256=
archives=
program=/opt/parley
stop='systemctl stop parley'
start='systemctl start parley'
user=
patience=60
keep=2
dry_run=
while [ $# -gt 0 ]; do
  case $1 in
    --package) needs_value "$1" $#; package=$2; shift 2 ;;
    --sha256) needs_value "$1" $#; sha256=$2; shift 2 ;;
    --archives) needs_value "$1" $#; archives=$2; shift 2 ;;
    --program) needs_value "$1" $#; program=${2%/}; shift 2 ;;
    --stop) needs_value "$1" $#; stop=$2; shift 2 ;;
    --start) needs_value "$1" $#; start=$2; shift 2 ;;
    --user) needs_value "$1" $#; user=$2; shift 2 ;;
    --url) needs_value "$1" $#; PARLEY_URL=${2%/}; shift 2 ;;
    --wait) needs_value "$1" $#; patience=$2; shift 2 ;;
    --keep) needs_value "$1" $#; keep=$2; shift 2 ;;
    --dry-run) dry_run=yes; shift ;;
    -h | --help) say "$usage"; exit 0 ;;
    *) die "$USAGE" "expected an option, got $1; see --help" ;;
  esac
done
[ -f "$package" ] || die "$USAGE" "expected --package to be a file, got ${package:-none}"
[ -n "$archives" ] || die "$USAGE" "expected --archives, got none"
[[ $patience =~ ^[0-9]+$ ]] || die "$USAGE" "expected seconds as a number, got $patience"
[[ $keep =~ ^[0-9]+$ && $keep -ge 2 ]] || die "$USAGE" "expected --keep to be at least 2, got $keep"
[ -f "$program/bin/parley.js" ] || die "$USAGE" "expected Parley in $program (--program), got no bin/parley.js there"
need curl jq node tar sha256sum flock
[ -z "$user" ] || need runuser
if [ -z "$sha256" ]; then
  [ -f "$package.sha256" ] || die "$USAGE" "expected --sha256 or $package.sha256, got neither"
  sha256=$(cut -d ' ' -f 1 "$package.sha256")
fi
[[ $sha256 =~ ^[0-9a-f]{64}$ ]] || die "$USAGE" "expected a sha256 of 64 hexadecimal digits, got $sha256"

# What a release's own `parley` does, as who runs the gateway.
parley() {
  local release=$1
  shift
  if [ -n "$user" ]; then runuser -u "$user" -- node "$release/bin/parley.js" "$@"; else node "$release/bin/parley.js" "$@"; fi
}
step() { say "--      $*"; }

found=$(sha256sum "$package" | cut -d ' ' -f 1)
[ "$found" = "$sha256" ] || die "$FAILED" "expected $package to have the sha256 $sha256, got $found; nothing was changed"
ok "$package is what it should be"
version=$(tar -xzOf "$package" package.json 2>/dev/null | jq -er .version) ||
  die "$FAILED" "expected a package.json with a version at the top of $package, got none; nothing was changed"
[[ $version =~ ^[0-9A-Za-z.+-]+$ ]] || die "$FAILED" "expected a version in $package, got $version; nothing was changed"
releases=$program-releases
new=$releases/$version-${sha256:0:12}
old=$(readlink -f "$program")
[ "$old" != "$(readlink -m "$new")" ] || die "$FAILED" "expected another version than the one that runs, got $version again"
if [ -n "$dry_run" ]; then
  step "would unpack it into $new, back up to $archives, ask it for upgrade-check"
  step "would run: $stop; put $program from $old to $new; run: $start; wait $patience s for $PARLEY_URL/ready"
  say "nothing was changed"
  exit 0
fi

umask 022
mkdir -p "$releases"
exec 9>"$releases/.lock"
flock -n 9 || die "$FAILED" "expected to be the only upgrade of $program, got another one that is under way"
if [ ! -d "$new" ]; then
  rm -rf "$releases/.unpacking"
  mkdir "$releases/.unpacking"
  tar -xzf "$package" -C "$releases/.unpacking" --no-same-owner
  [ -f "$releases/.unpacking/bin/parley.js" ] ||
    die "$FAILED" "expected bin/parley.js in $package, got none; nothing was changed"
  mv "$releases/.unpacking" "$new"
fi

step "back up to $archives"
parley "$old" backup --to "$archives" || die "$FAILED" "expected a backup, got none; nothing was changed"
step "ask $version whether it can take the place"
# By JSON, for its code says the same of a backup that is elsewhere: there is one, made just now.
findings=$(parley "$new" upgrade-check --json) || true
against=$(jq -r '.[] | select(.status == "fail" and .check != "backup") | "\(.check): \(.message)"' <<<"$findings" 2>/dev/null) ||
  die "$FAILED" "expected what $version finds, got ${findings:-nothing}; nothing was changed"
if [ -z "$findings" ] || [ -n "$against" ]; then
  die "$FAILED" "expected nothing to stand against $version, got ${against:-no answer}; nothing was changed"
fi

# The first time the folder itself is in the way of a link.
if [ ! -L "$program" ]; then
  first=$releases/$(jq -r .version "$old/package.json")-before
  [ ! -e "$first" ] || die "$FAILED" "expected $first to be free, got something there; nothing was changed"
fi

link_to() {
  ln -s "$1" "$releases/.link"
  mv -T "$releases/.link" "$program"
}
is_away() {
  local give_up=$((SECONDS + patience))
  while ask "$PARLEY_URL/health" && [ "$http" != 000 ]; do
    [ "$SECONDS" -lt "$give_up" ] || return 1
    sleep 1
  done
}
# The lock ends with this script, not with the gateway.
stop_it() { sh -c "$stop" 9>&- && is_away; }
start_it() { sh -c "$start" 9>&-; }
comes_up() { "$(dirname "$0")/verify-deployment.sh" --version "$1" --wait "$2" "$PARLEY_URL"; }

step "stop it: what runs is finished or handed back"
stop_it || die "$FAILED" "expected the gateway to end within $patience s, got one that answers; the version is as it was"
step "copy what is durable, at rest"
# Redis stays as it is: other replicas work with it, and versions side by side can read it.
if ! copy=$(parley "$old" backup --to "$archives" --no-media --no-redis --json | jq -er .path); then
  start_it || true
  die "$FAILED" "expected a copy for the way back, got none; the version is as it was"
fi
if [ -n "${first:-}" ]; then
  mv "$program" "$first"
  old=$first
fi
rm -f "$releases/.link"
link_to "$new"
step "start $version"
if start_it && comes_up "$version" "$patience"; then
  # By when they were put there; what runs and what ran before stay whatever that says.
  mapfile -t others < <(find "$releases" -mindepth 1 -maxdepth 1 -type d ! -path "$new" ! -path "$(readlink -m "$old")" -printf '%T@ %p\n' | sort -rn | cut -d ' ' -f 2-)
  for release in "${others[@]:$((keep - 2))}"; do
    rm -rf "$release"
    note "removed $release"
  done
  ok "$version runs; the way back: stop it, $program to $old, start it"
  exit 0
fi

fail "$version is not ready"
before=$(jq -r .version "$old/package.json")
stop_it || true
link_to "$old"
# Only what the old version itself finds wrong with the store: files that it can go on with are newer than any copy.
cannot_read=$(parley "$old" upgrade-check --json | jq -r '.[] | select(.check == "store" and .status == "fail" and (.message | test("STORE_(SCHEMA_NEWER|DAMAGED)|no database"))) | .message') || true
if [ -n "$cannot_read" ]; then
  step "bring back the files from before, for $before finds: $cannot_read"
  # Nothing ran any more when they were copied, so what waits in them has not been answered.
  parley "$old" restore "$copy" --no-redis --run-unfinished --yes || true
fi
step "start $before again"
# It came up before, so it is given time on a machine that is slow now.
if start_it && comes_up "$before" $((patience > 120 ? patience : 120)); then
  if [ -n "$cannot_read" ]; then
    say "$before runs again, with the files from before; what was accepted since is in before-restore-TIME of the data folder"
  else
    say "$before runs again, with all that was accepted since"
  fi
  exit "$FAILED"
fi
die "$UNREACHABLE" "expected $before to run again, got nothing that does; the copy is $copy, docs/disaster-recovery.md goes on from here"
