#!/usr/bin/env bash
# Installs what a fresh Debian or Ubuntu with a Rust toolchain lacks.
#   setup.sh build   what a build needs: a C compiler, and Node for the web app
#   setup.sh test    what the tests need besides: Python and Node with the OpenTelemetry SDKs, Chromium
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
what=${1:?build or test}

packages=()
need() { # need COMMAND PACKAGE...
    command -v "$1" >/dev/null || packages+=("${@:2}")
}
need cc build-essential
need git git
need node nodejs npm
need npm npm
if [ "$what" = test ]; then
    need python3 python3 python3-venv
    python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
    need chromium chromium
fi
if [ ${#packages[@]} -gt 0 ]; then
    sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing ${packages[*]}"
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
# the distribution's Node may be older than what builds the web app
node_major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
if [ "$node_major" -lt 20 ] && [ ! -x target/node/node_modules/.bin/node ]; then
    echo "installing Node 22 into target/node (the one of this system is $(node --version))"
    npm install --prefix target/node --no-audit --no-fund --loglevel=error --no-save node@22
fi
if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install a Rust toolchain (1.95 or newer) first" >&2
    exit 1
fi
if [ "$what" = test ]; then
    python=target/sdk/python
    [ -x $python/bin/python ] || python3 -m venv $python
    $python/bin/pip install --quiet --disable-pip-version-check -r tests/e2e/sdk/python/requirements.txt
    npm --prefix tests/e2e/sdk/node ci --no-audit --no-fund --loglevel=error
fi
