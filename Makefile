# The few commands that people and CI run.

CARGO ?= cargo
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
PROGRAM := $(TARGET)/release/linly-edge

.PHONY: help build demo run test test-devices test-monitoring lint bench bench-fleet starter \
	deb deb-quick deb-arm64 cross cross-native cross-quick image-qemu image-slots image-arm64 test-slots test-arm64 test-arm64-units \
	test-package test-appliance test-power-loss test-appliance-arm64 test-yocto

help: ## print this
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "make %-20s %s\n", $$1, $$2 }'

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

test-devices: build ## try the daemon on a camera, sound cards and a screen of an emulated computer; 10 minutes
	@scripts/setup.sh devices
	@python3 tests/devices/smoke.py
	@python3 tests/devices/camera.py --program $(PROGRAM)
	@python3 tests/devices/whole.py --program $(PROGRAM)

test-monitoring: ## break devices of two federated sites and see that alerts arrive and end; 3 minutes
	@scripts/setup.sh monitoring
	@python3 tests/monitoring/check.py
	@python3 tests/monitoring/dingtalk_test.py
	@python3 tests/monitoring/whole.py --program $(PROGRAM)

test-yocto: ## the Yocto layer: its list of crates, its scripts, bundles with the real rauc, and with LAYERS=FOLDER a real bitbake
	@yocto/crates.py --check
	@yocto/tests/slots.sh
	@yocto/tests/update.sh
	@yocto/tests/rauc.sh
	@yocto/parse.sh "$(LAYERS)"

lint: ## format, clippy, documentation: warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --no-deps

deb: ## make out/packages/linly-edge_VERSION_amd64.deb, or of whatever machine this is; half an hour
	@scripts/setup.sh package
	$(CARGO) build --profile dist --locked --bin linly-edge
	@packaging/deb.sh $(TARGET)/dist/linly-edge out/packages

deb-quick: build ## the same of the program that `make build` makes, for trials and tests; a minute
	@scripts/setup.sh package
	@packaging/deb.sh $(PROGRAM) out/packages

image-qemu: deb-quick ## make out/image, a disk that boots into the kiosk in QEMU; minutes
	@scripts/setup.sh devices
	@packaging/image/build.sh out/packages/linly-edge_*_$(shell dpkg --print-architecture).deb out/image

image-slots: deb-quick ## make out/slots, a disk with two slots as the Yocto image has them, and sticks with bundles; minutes
	@scripts/setup.sh slots
	@tests/appliance/slots/build.sh out/packages/linly-edge_*_amd64.deb out/slots

test-slots: image-slots ## update that from sticks, with RAUC and GRUB, and break what comes; half an hour
	@python3 tests/appliance/slots.py

test-appliance: image-qemu ## boot that image, ask it, break it, upgrade it; 18 minutes
	@python3 tests/appliance/package.py out/packages --from $(PROGRAM)
	@python3 tests/appliance/boot.py

test-power-loss: image-qemu ## take its power away 20 times, amid of updates and writes; an hour
	@python3 tests/appliance/boot.py --power-loss 20

image-arm64: deb-arm64 ## the same of the package for Jetsons, in out/image-arm64
	@scripts/setup.sh devices-arm64
	@packaging/image/build.sh out/packages/linly-edge_*_arm64.deb out/image-arm64

test-appliance-arm64: image-arm64 ## boot that one, ask it, break it, upgrade it; an hour with its build
	@python3 tests/appliance/boot.py --image out/image-arm64

cross: ## build for Jetsons in a container, with the tool `cross`
	CROSS_CONFIG=cross.toml cross build --profile dist --locked --bin linly-edge

cross-native: ## build for Jetsons with Debian's cross compiler, without containers; half an hour
	@scripts/setup.sh cross
	@scripts/cross.sh build --profile dist --bin linly-edge

deb-arm64: cross-native ## make out/packages/linly-edge_VERSION_arm64.deb
	@packaging/deb.sh $(TARGET)/aarch64-unknown-linux-gnu/dist/linly-edge out/packages

cross-quick: ## build for Jetsons quickly, to be tried under emulation; minutes
	@scripts/setup.sh cross
	@scripts/cross.sh build --release --bin linly-edge --config scripts/emulated.toml

test-arm64: build cross-quick ## run that under emulation, and compare a turn with this machine's
	@python3 tests/appliance/arm64.py --program $(PROGRAM) --arm64 $(TARGET)/aarch64-unknown-linux-gnu/release/linly-edge

test-arm64-units: ## run the unit tests of sensors and models, built for Jetsons, under emulation; 6 minutes
	@scripts/setup.sh cross
	@scripts/cross.sh test --release --lib --package jetson-stats-rs --config scripts/emulated.toml
	@scripts/cross.sh test --release --lib --config scripts/emulated.toml --package linly-edge engine::

test-package: ## check the packages in out/packages: lintian, contents, a second build that is the same
	@scripts/setup.sh package
	@python3 tests/appliance/package.py out/packages

bench: build ## measure everything that docs/benchmarks.md tells; takes minutes
	@scripts/setup.sh bench
	python3 scripts/bench.py --program $(PROGRAM)

bench-fleet: ## serve 1,000 and 5,000 synthetic devices to one Prometheus and measure it; 7 minutes
	@scripts/setup.sh bench-fleet
	python3 tests/monitoring/bench.py --program $(PROGRAM) --write

starter: ## train the built-in models anew; takes hours
	@scripts/setup.sh train
	models/train/run.sh
