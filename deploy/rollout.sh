#!/usr/bin/env bash
# Rolls a version out to nodes, one after the other, and back by itself: deploy/rollout.sh VERSION
#
# Each node is replaced and then watched (deploy/watch.sh). When one is not well, all that were touched get back what they ran before. Ends with 0
# when VERSION runs, 1 when nothing has changed or all is as before, 2 when a node could not be brought back: look at it.
#
#   NODES="gateway-1=http://127.0.0.1:8081 gateway-2=http://127.0.0.1:8082"   names, and where each answers by itself
#   REPLACE=deploy/compose-node.sh   `$REPLACE NODE` prints what a node runs, `$REPLACE NODE VERSION` has it run another
#   and those of deploy/watch.sh
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
version=${1:?usage: deploy/rollout.sh VERSION}
read -r -a nodes <<<"${NODES:-gateway-1=http://127.0.0.1:8081 gateway-2=http://127.0.0.1:8082}"
replace=${REPLACE:-$here/compose-node.sh}
touched=()
declare -A before

say() { echo "$(date -u +%H:%M:%S) $*"; }
name_of() { echo "${1%%=*}"; }
url_of() { echo "${1#*=}"; }

roll_back() {
  trap '' INT TERM
  say "rolling back: $1"
  local node failed=0
  for ((i = ${#touched[@]} - 1; i >= 0; i--)); do
    node=${touched[$i]}
    say "$(name_of "$node") gets ${before[$node]} again"
    if ! "$replace" "$(name_of "$node")" "${before[$node]}" 9<&- ||
      ! READY_SECONDS=120 WATCH_SECONDS=2 "$here/watch.sh" "$(url_of "$node")"; then
      say "$(name_of "$node") could not be brought back"
      failed=1
    fi
  done
  ((failed == 0)) || exit 2
  say 'all is as before'
  exit 1
}

# Two at a time would take each other for the fault.
exec 9<"${BASH_SOURCE[0]}"
flock --nonblock 9 || { say 'another roll-out is under way' >&2; exit 1; }

# The others carry the load while one is replaced.
for node in "${nodes[@]}"; do
  if ! READY_SECONDS=5 WATCH_SECONDS=0 "$here/watch.sh" "$(url_of "$node")" >/dev/null; then
    say "$(name_of "$node") is not ready now: nothing was changed"
    exit 1
  fi
  before[$node]=$("$replace" "$(name_of "$node")")
done

trap 'roll_back interrupted' INT TERM
for node in "${nodes[@]}"; do
  say "$(name_of "$node"): ${before[$node]} -> $version"
  touched+=("$node")
  "$replace" "$(name_of "$node")" "$version" 9<&- || roll_back "$(name_of "$node") could not be replaced"
  "$here/watch.sh" "$(url_of "$node")" || roll_back "$(name_of "$node") is not well with $version"
done
urls=()
for node in "${nodes[@]}"; do urls+=("$(url_of "$node")"); done
"$here/watch.sh" "${urls[@]}" || roll_back "the nodes are not well with $version"
say "$version runs"
