#!/bin/sh
# Makes a Cluster of these nodes, three masters with a replica each, unless they are one already; then stays, so that what
# depends on it can ask whether the Cluster is whole. Addresses, not names: CLUSTER MEET takes no others.
#   cluster.sh ADDRESS:PORT…
set -eu
[ $# -ge 6 ] || { echo "expected six nodes or more, got $#" >&2; exit 2; }

# ask NODE COMMAND…
ask() {
  address=${1%%@*}
  shift
  redis-cli -h "${address%:*}" -p "${address##*:}" "$@"
}
for node in "$@"; do
  until [ "$(ask "$node" ping 2>/dev/null)" = PONG ]; do sleep 1; done
done
# A node that knows others keeps them: one that was made already is not made again.
if ask "$1" cluster info | grep -q '^cluster_known_nodes:1.$'; then
  redis-cli --cluster create "$@" --cluster-replicas 1 --cluster-yes
  # Which of the others follow one, a node hears from them a moment later.
  until [ "$(ask "$1" cluster nodes | grep -c slave)" -ge $(($# / 2)) ]; do sleep 1; done
fi
until ask "$1" cluster info | grep -q '^cluster_state:ok'; do sleep 1; done
echo "the Cluster is whole"
# Not exec: the first process of a container ends by a signal only if it says how.
tail -f /dev/null &
trap 'kill $!; exit 0' TERM INT
wait
