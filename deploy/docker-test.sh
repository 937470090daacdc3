#!/usr/bin/env bash
# Tries deploy/Dockerfile and docker-compose.yml on a real Docker engine, with the binary that `make build` made.
# Needs a running engine and a `debian:bookworm-slim` image that it has or can pull.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compose=(docker-compose); command -v docker-compose >/dev/null || compose=(docker compose)

cargo build --release --locked -p yc-observability
mkdir -p target/docker && cp target/release/yc-observability target/docker/
export BINARY=target/docker/yc-observability
docker build -q --build-arg BINARY=$BINARY -f deploy/Dockerfile -t yc-observability:dev .
trap '"${compose[@]}" logs --no-color | tail -n 50; "${compose[@]}" down -v' ERR
"${compose[@]}" up -d --no-build

user=$(docker inspect -f '{{.Config.User}}' yc-observability:dev)
[ "$user" = 65532:65532 ] || { echo "the image runs as $user" >&2; false; }

trace=$(printf '%032x' $((RANDOM * RANDOM + 1)))
now=$(date +%s)000000000
until curl -fsS -o /dev/null http://127.0.0.1:13133/ 2>/dev/null; do
    [ $((tries = ${tries:-0} + 1)) -lt 60 ] || { echo "the collector is not healthy after a minute" >&2; false; }
    sleep 1
done
curl -fsS http://127.0.0.1:4318/v1/traces -H 'content-type: application/json' -d '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"docker-test"}}]},"scopeSpans":[{"spans":[{"traceId":"'"$trace"'","spanId":"00000000000000a1","name":"compose","startTimeUnixNano":"'"$now"'","endTimeUnixNano":"'"$now"'"}]}]}]}'
until curl -fsS "http://127.0.0.1:16686/api/traces/$trace" 2>/dev/null | grep -q '"compose"'; do
    [ $((reads = ${reads:-0} + 1)) -lt 20 ] || { echo "the span did not come out of query-api" >&2; false; }
    sleep 1
done
cookie=$(curl -fsS -o /dev/null -D - http://127.0.0.1:3001/login -H 'content-type: application/json' -d '{"user":"admin","password":"admin"}' | sed -n 's/^set-cookie: \([^;]*\).*/\1/pI')
curl -fsS -b "$cookie" "http://127.0.0.1:3001/api/datasources/proxy/uid/traces/api/traces/$trace" | grep -q '"compose"' || { echo "the span did not come through dashboard-gateway" >&2; false; }
"${compose[@]}" down -v
echo "1 passed, 0 failed"
