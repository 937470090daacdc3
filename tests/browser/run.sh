#!/usr/bin/env bash
# Runs the browser tests against the binary that `make build` made; arguments go to vitest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
own_node=$PWD/../../target/node/node_modules/.bin
[ ! -x "$own_node/node" ] || PATH=$own_node:$PATH
locked=$(sha256sum <package-lock.json)
if [ "$(cat node_modules/.installed 2>/dev/null)" != "$locked" ]; then
    npm ci --no-audit --no-fund --loglevel=error
    echo "$locked" >node_modules/.installed
fi
npm run --silent lint
npm run --silent test -- "$@"
