#!/usr/bin/env bash
# CPU seconds to compile packages ice and vod with their dependencies in the
# build cache. A comment that is new each time makes exactly these two stale.
set -euo pipefail
cd "$(dirname "$0")/../.."
go build ./ice ./vod
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for run in 1 2 3; do
  for pkg in ice vod; do
    { cat "$pkg/client.go"; echo "// $RANDOM$RANDOM$$"; } >"$tmp/$pkg.go"
  done
  printf '{"Replace":{"%s/ice/client.go":"%s/ice.go","%s/vod/client.go":"%s/vod.go"}}' "$PWD" "$tmp" "$PWD" "$tmp" >"$tmp/overlay.json"
  TIMEFORMAT="run $run: user %U s + sys %S s, real %R s"
  time go build -overlay "$tmp/overlay.json" ./ice ./vod
done
