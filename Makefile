# haproxy_exporter: `make help` lists the targets.

NATIVE := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: \([^-]*\)-.*/\1/p')
ifneq ($(NATIVE),)
NATIVE := $(NATIVE)-unknown-linux-musl
else ifneq ($(filter-out help install-built,$(or $(MAKECMDGOALS),all)),)
$(error rustc is not in PATH: install Rust from https://rustup.rs; what another user has built, "make install-built" installs)
endif
# What to build for; make TARGET=aarch64-unknown-linux-musl cross-builds.
TARGET ?= $(NATIVE)
# TLS=1 adds https scrape URIs.
TLS ?=
BINARY := haproxy_exporter$(if $(filter-out $(NATIVE),$(TARGET)),-$(TARGET))
AARCH64 := $(if $(filter aarch64-%,$(NATIVE)),$(BINARY),target/dist/build/aarch64-unknown-linux-musl)

PREFIX ?= /usr/local
DESTDIR ?=
# What `make run` serves, as the shell reads it: ARGS='--haproxy.scrape-uri=unix:/run/haproxy/admin.sock'.
ARGS ?= '--haproxy.scrape-uri=file:$(CURDIR)/tests/fixtures/3.2.0/stat.csv'
# Time of each fuzz target in `make fuzz`, and of `make soak`.
FUZZ_SECONDS ?= 600
SOAK_SECONDS ?= 3600

CARGO ?= cargo

.PHONY: all build run demo test lint bench bench-check bench-record fuzz fuzz-smoke miri soak findings install install-built dist deb clean help

all: build

build: ## Build the static release binary (TARGET=..., TLS=1)
	tests/tools/build.sh '$(TARGET)' '$(TLS)' '$(BINARY)'

run: build ## Serve recorded statistics on :9101 (ARGS=... sets other flags)
	@$(if $(filter file,$(origin ARGS)),echo 'make run: the values are a recording and never change. "make demo" runs a real HAProxy.')
	./$(BINARY) $(ARGS)

demo: build ## Run a real HAProxy with traffic, the exporter and Prometheus until Ctrl-C
	@tests/tools/demo.sh './$(BINARY)'

# Of the tarballs, one each of 64 and of 32 bits beside this machine's; the last has the other byte order,
# no 64-bit atomics and no floating point unit.
TESTED_TARGETS := x86_64-unknown-linux-musl aarch64-unknown-linux-musl mips-unknown-linux-musl
# The reasons of tests that were skipped.
SKIPS := $(CURDIR)/target/skipped

test: ## Run all tests (as root on Debian: first apt-get installs about 30 packages)
	tests/tools/install-peers.sh
	$(MAKE) build
	rm -rf target/dist
	$(if $(filter x86_64-%,$(NATIVE)),$(MAKE) dist DIST_TARGETS='$(TESTED_TARGETS)' \
	  || [ "$$HAPROXY_EXPORTER_REQUIRE_PEERS" != 1 ])
	rm -f '$(SKIPS)'
	[ ! -f '$(AARCH64)' ] || export EXPORTER_AARCH64='$(CURDIR)/$(AARCH64)'; \
	  [ ! -f target/dist/SHA256SUMS ] || export EXPORTER_DIST='$(CURDIR)/target/dist'; \
	  HAPROXY_EXPORTER_SKIPS='$(SKIPS)' EXPORTER_STATIC='$(CURDIR)/$(BINARY)' $(CARGO) test --locked
	HAPROXY_EXPORTER_SKIPS='$(SKIPS)' $(CARGO) test --locked --features tls -- tls
	@tests/tools/skipped.sh '$(SKIPS)'

lint: ## Check formatting and run clippy, warnings are errors
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --all-targets --features tls -- -D warnings

bench: build ## Benchmark against HAProxy's exporter, the Go exporter and a baseline (BIG=1: 100,000 servers)
	EXPORTER='$(CURDIR)/$(BINARY)' $(CARGO) bench --locked --bench scrapes --target $(TARGET)

bench-check: ## Compare instruction counts with the recorded ones, under valgrind
	BENCH_TARGET=$(TARGET) tests/bench/callgrind.sh check

bench-record: ## Record new instruction counts
	BENCH_TARGET=$(TARGET) tests/bench/callgrind.sh record

fuzz: ## Run every fuzz target for FUZZ_SECONDS (600)
	tests/fuzz/run.sh $(FUZZ_SECONDS)

fuzz-smoke: ## Run every fuzz target for 30 seconds
	tests/fuzz/run.sh 30

# Tests that take Miri too long are left out; bounded in case one becomes so.
miri: ## Run the parsing modules' tests under Miri (nightly)
	MIRIFLAGS=-Zmiri-disable-isolation timeout 1200 $(CARGO) +nightly miri test --lib -- \
	  csv::tests duration::tests exposition::tests info::tests::odd server::request::tests proxy::tests \
	  net::http::tests::cut net::http::tests::how net::http::tests::st net::http::tests::the \
	  value::tests::integers \
	  --skip long_rows --skip random_texts --skip heads_at --skip cut_at_every

soak: build ## Scrape for SOAK_SECONDS (3600) without a pause while HAProxy is reloaded
	SOAK_SECONDS=$(SOAK_SECONDS) EXPORTER_STATIC='$(CURDIR)/$(BINARY)' \
	  $(CARGO) test --locked --release --test suite -- --nocapture soak::

findings: ## Run the scripts in findings/: do HAProxy and its neighbours still behave as recorded?
	@failed=; for script in findings/*.sh; do \
	  echo "== $$script"; "$$script" || failed="$$failed $$script"; \
	done; [ -z "$$failed" ] || { echo "changed:$$failed" >&2; exit 1; }

install: build install-built ## Install program, manual page, documents and service files under DESTDIR/PREFIX

SHARE := $(DESTDIR)$(PREFIX)/share
OWN := $(SHARE)/haproxy_exporter
UNIT := systemd/haproxy_exporter.service

# The texts name the paths of this installation; README's links lead to the documents as they are installed.
install-built: ## Install without building first
	install -D -m 0755 '$(BINARY)' '$(DESTDIR)$(PREFIX)/bin/haproxy_exporter'
	set -e; put() { \
	  mode=0644; [ ! -x "$$1" ] || mode=0755; \
	  install -D -m "$$mode" "$$1" "$$2"; \
	  sed -i -e 's|/usr/local/|$(PREFIX)/|g' -e 's|](src/share/|](|g' "$$2"; \
	}; \
	put src/share/haproxy_exporter.8 '$(SHARE)/man/man8/haproxy_exporter.8'; \
	for file in README.md LICENSE CHANGELOG.md; do put "$$file" "$(OWN)/$$file"; done; \
	for file in $$(cd src/share && find . -type f ! -name '*.8'); do put "src/share/$$file" "$(OWN)/$$file"; done; \
	tests/tools/completions.sh src/share/haproxy_exporter.8 '$(SHARE)'; \
	[ '$(PREFIX)' != /usr ] || put 'src/share/$(UNIT)' '$(DESTDIR)/usr/lib/$(subst systemd/,systemd/system/,$(UNIT))'

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
DIST_TARGETS ?= x86_64-unknown-linux-musl i686-unknown-linux-musl i586-unknown-linux-musl \
  aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf arm-unknown-linux-musleabi \
  armv5te-unknown-linux-musleabi mipsel-unknown-linux-musl mips-unknown-linux-musl riscv64gc-unknown-linux-musl

dist: ## Pack tarballs for other machines (DIST_TARGETS) and SHA256SUMS into target/dist
	tests/tools/dist.sh '$(VERSION)' target/dist $(DIST_TARGETS)

deb: build ## Make a Debian package in target/deb (TARGET=..., TLS=1)
	tests/tools/deb.sh '$(BINARY)' '$(VERSION)' '$(TARGET)' target/deb

clean: ## Remove what was built
	$(CARGO) clean
	rm -f haproxy_exporter haproxy_exporter-*

help: ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16
