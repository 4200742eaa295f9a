#!/usr/bin/env bash
# Applies an overlay with an image, watches the new pods, and undoes it by itself: deploy/kubernetes/rollout.sh OVERLAY IMAGE
#
# Ends with 0 when IMAGE runs, 1 when the pods are those from before again, 2 when that did not work: look at them. Only the Deployment is undone, and with it
# its ConfigMap; other objects of the overlay stay as they were applied.
#
#   STATUS_SECONDS=300   how long all pods together may take until they are ready
#   and those of deploy/watch.sh
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
overlay=${1:?usage: deploy/kubernetes/rollout.sh OVERLAY IMAGE}
image=${2:?usage: deploy/kubernetes/rollout.sh OVERLAY IMAGE}
patience=${STATUS_SECONDS:-300}s

objects=$(kubectl kustomize "$here/overlays/$overlay")
namespace=$(awk '/^  namespace: / { print $2; exit }' <<<"$objects")
in_namespace() { kubectl --namespace "$namespace" "$@"; }

roll_back() {
  echo "rolling back: $1" >&2
  if in_namespace rollout undo deployment/gateway && in_namespace rollout status deployment/gateway --timeout="$patience"; then
    echo 'the pods are those from before' >&2
    exit 1
  fi
  exit 2
}

sed -E "s|^( *(- )?image: )([^ ]*/)?trivium(:[^ ]*)?\$|\1$image|" <<<"$objects" | kubectl apply --filename -
in_namespace rollout status deployment/gateway --timeout="$patience" || roll_back 'the new pods are not ready'

paths=()
while read -r pod; do
  paths+=("/api/v1/namespaces/$namespace/pods/$pod:8080/proxy")
done < <(in_namespace get pods --selector app.kubernetes.io/name=trivium --field-selector status.phase=Running \
  --output 'jsonpath={range .items[?(!@.metadata.deletionTimestamp)]}{.metadata.name}{"\n"}{end}')
"$here/../watch.sh" "${paths[@]}" || roll_back "the pods are not well with $image"
echo "$image runs"
