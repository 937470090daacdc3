# `make up` starts the stack on embedded storage; `make test` runs everything that CI runs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help up build test setup setup-test sdk web web-test browser fmt lint unit e2e soak bench docker-test deny clean

# tests, benches and end-to-end runs share one set of artifacts
CI := --profile ci --locked

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: setup web ## install what is missing, build, start the whole stack in one process
	cargo build --release --locked -p yc-observability
	exec target/release/yc-observability $(ARGS)

test: setup-test fmt lint build web-test unit e2e browser ## everything that CI runs

setup: ## install what a build needs
	deploy/setup.sh build

setup-test: ## install what the tests need: SDKs of Python and JavaScript, Chromium
	deploy/setup.sh test

sdk: setup-test ## the same, under the name that test failures use

web: ## the web app, when its sources changed
	deploy/web.sh

web-test: ## types, style and unit tests of the web app
	deploy/web.sh test

fmt: ## check the formatting
	cargo fmt --all --check

lint: web ## clippy, warnings are errors
	cargo clippy --workspace --all-targets $(CI) -- -D warnings

build: web ## build every binary that the tests start
	cargo build --workspace --bins $(CI)

unit: web ## unit, property and simulation tests of every crate, and the house rules
	cargo test --workspace --exclude e2e --lib --bins --tests $(CI) --no-fail-fast

e2e: web ## real processes, real SDKs, real faults
	cargo test -p e2e --lib --test it $(CI) --no-fail-fast

browser: build ## the pages in Chromium against the real stack: ways of a user, hostile data, budgets; pictures in target/browser
	tests/browser/run.sh

soak: build setup-test ## long runs: 1000 kills, ten thousand seeds of the simulations
	SIM_SEEDS=10000 LOG_SIMULATION_SEEDS=20000 OBJECTS_SEEDS=400 PROPTEST_CASES=10000 cargo test --workspace --exclude e2e --lib --tests $(CI)
	KILLS=1000 cargo test -p e2e --test it $(CI) -- kill --nocapture

bench: build ## the budgets of the design, measured on this machine
	cargo run -p bench $(CI)

docker-test: web ## the image and docker-compose.yml on a real Docker engine, with the binary built here
	deploy/docker-test.sh

deny: ## licences, advisories, sources and bans (needs cargo-deny)
	cargo deny check

clean: ## remove what was built
	cargo clean
	rm -rf dashboard-gateway/web/dist dashboard-gateway/web/node_modules
