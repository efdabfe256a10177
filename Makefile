# The few commands that people and CI run.

CARGO ?= cargo
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
PROGRAM := $(TARGET)/release/linly-edge

.PHONY: help build demo run test test-devices test-monitoring test-yocto lint bench bench-fleet starter

help: ## print this
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "make %-15s %s\n", $$1, $$2 }'

build: ## build the program
	@scripts/setup.sh build
	$(CARGO) build --release --locked

demo: build ## a visitor asks, the avatar answers, the video lies in out/demo
	@$(PROGRAM) talk --wav tests/data/audio/visitor.wav --out out/demo

run: build ## run the daemon in the foreground until Ctrl-C; then open http://127.0.0.1:9090
	@exec $(PROGRAM) run

test: ## run the tests
	@scripts/setup.sh test
	@if $(CARGO) nextest --version >/dev/null 2>&1; \
	then $(CARGO) nextest run --release --locked --no-fail-fast; \
	else $(CARGO) test --release --locked --no-fail-fast; fi

test-devices: build ## try the daemon on a camera, sound cards and a screen of an emulated computer; minutes
	@scripts/setup.sh devices
	@python3 tests/devices/smoke.py
	@python3 tests/devices/whole.py --program $(PROGRAM)

test-monitoring: ## break devices of two federated sites and see that alerts arrive and end; 3 minutes
	@scripts/setup.sh monitoring
	@python3 tests/monitoring/check.py
	@python3 tests/monitoring/dingtalk_test.py
	@python3 tests/monitoring/whole.py --program $(PROGRAM)

test-yocto: ## the Yocto layer: its list of crates, its scripts, and with LAYERS=FOLDER a real bitbake
	@yocto/crates.py --check
	@yocto/tests/slots.sh
	@yocto/tests/update.sh
	@yocto/parse.sh "$(LAYERS)"

lint: ## format, clippy, documentation: warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --no-deps

bench: build ## measure everything that docs/benchmarks.md tells; takes minutes
	@scripts/setup.sh bench
	python3 scripts/bench.py --program $(PROGRAM)

bench-fleet: ## serve 1,000 and 5,000 synthetic devices to one Prometheus and measure it; 7 minutes
	@scripts/setup.sh bench-fleet
	python3 tests/monitoring/bench.py --program $(PROGRAM) --write

starter: ## train the built-in models anew; takes hours
	@scripts/setup.sh train
	models/train/run.sh
