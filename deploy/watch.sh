#!/usr/bin/env bash
# Watches nodes of the gateway after a change: deploy/watch.sh URL...
#
# Waits until each is ready, then looks at all of them once a second. Ends with 0 when all stayed ready and answered well, with 1 as soon
# as they did not, and says what it saw. A URL that begins with / is a path of the Kubernetes API, asked by kubectl.
#
#   READY_SECONDS=60       how long a node may take until it is ready
#   WATCH_SECONDS=30       how long it is watched then
#   MAX_ERROR_PERCENT=5    of the requests since then, all nodes together, that may be answered 5xx
#   MIN_REQUESTS=20        below which that says nothing
set -euo pipefail

[ $# -gt 0 ] || { echo 'usage: deploy/watch.sh URL...' >&2; exit 1; }
ready_seconds=${READY_SECONDS:-60}
watch_seconds=${WATCH_SECONDS:-30}
max_error_percent=${MAX_ERROR_PERCENT:-5}
min_requests=${MIN_REQUESTS:-20}

fetch() {
  case $1 in
    /*) kubectl get --raw "$1" --request-timeout=5s 2>/dev/null ;;
    *) curl --silent --fail --max-time 5 "$1" ;;
  esac
}

is_ready() { fetch "$1/readyz" >/dev/null; }

# Two numbers: requests that were answered since the process began, and those of them with 5xx.
counts() {
  fetch "$1/metrics" | awk '
    /^gateway_requests_total\{/ { all += $NF; if (/status="5[0-9][0-9]"/) failed += $NF }
    END { printf "%d %d\n", all, failed }'
}

# The same for all nodes together.
sum() {
  for url in "$@"; do counts "$url" || return 1; done | awk '{ all += $1; failed += $2 } END { print all + 0, failed + 0 }'
}

for url in "$@"; do
  until is_ready "$url"; do
    if ((SECONDS >= ready_seconds)); then
      echo "$url was not ready within $ready_seconds s" >&2
      exit 1
    fi
    sleep 1
  done
done

if ! before=$(sum "$@"); then
  echo "no metrics at $*" >&2
  exit 1
fi
read -r all_before failed_before <<<"$before"
misses=0
end=$((SECONDS + watch_seconds))
while ((SECONDS < end)); do
  sleep 1
  # One answer that did not come is none: the machine may be busy.
  missed=
  for url in "$@"; do is_ready "$url" || missed=$url; done
  if [ -n "$missed" ] || ! now=$(sum "$@"); then
    misses=$((misses + 1))
    ((misses < 3)) && continue
    echo "${missed:-a node} is not ready any more" >&2
    exit 1
  fi
  misses=0
  read -r all failed <<<"$now"
  all=$((all - all_before))
  failed=$((failed - failed_before))
  if ((all < 0)); then
    echo 'a node has started anew while it was watched' >&2
    exit 1
  fi
  if ((all >= min_requests && failed * 100 > all * max_error_percent)); then
    echo "$failed of $all requests were answered 5xx: more than $max_error_percent %" >&2
    exit 1
  fi
done
echo "ready for $watch_seconds s; ${failed:-0} of ${all:-0} requests were answered 5xx"
