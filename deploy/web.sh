#!/usr/bin/env bash
# Builds the web app into dashboard-gateway/web/dist, with .br and .gz beside each file that shrinks; does nothing when
# neither sources nor dependencies changed since the last build. `web.sh test` then checks types, style and unit tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
own_node=$PWD/target/node/node_modules/.bin
[ ! -x "$own_node/node" ] || PATH=$own_node:$PATH
compress=$PWD/deploy/compress.mjs
cd dashboard-gateway/web

# content, not time: a checkout touches files that it does not change
hash() { sha256sum | cut -d' ' -f1; }
files() {
    find . \( -name node_modules -o -name dist -o -name test-results \) -prune -o \
        -type f ! -name '*.rs' ! -name Cargo.toml ! -name '*.tsbuildinfo' -print0 | LC_ALL=C sort -z
}
dependencies=$(cat package-lock.json | hash)
sources=$({ files | xargs -0 sha256sum; sha256sum <"$compress"; } | hash)

if [ "$(cat node_modules/.installed 2>/dev/null)" != "$dependencies" ]; then
    npm ci --no-audit --no-fund --loglevel=error
    echo "$dependencies" >node_modules/.installed
fi
if [ ! -f dist/index.html ] || [ "$(cat dist/.built 2>/dev/null)" != "$sources" ]; then
    npm run --silent build
    node "$compress" dist
    echo "$sources" >dist/.built
fi
if [ "${1:-}" = test ]; then
    npm run --silent lint
    npm run --silent test
fi
