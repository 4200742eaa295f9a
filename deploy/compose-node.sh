#!/usr/bin/env bash
# What deploy/rollout.sh replaces nodes of docker-compose.yml with: an image is a version.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
node=${1:?usage: deploy/compose-node.sh NODE [IMAGE]}
if [ $# -eq 1 ]; then
  docker inspect --format '{{.Config.Image}}' "$(docker compose ps --quiet "$node")"
else
  # SIGTERM drains it; the other node serves meanwhile.
  GATEWAY_IMAGE=$2 docker compose up --detach --no-deps --no-build "$node"
fi
