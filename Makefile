# symphony-datafeed. `make demo` and `make test` do all the set-up they need.

SHELL := /bin/bash
.DEFAULT_GOAL := help

CARGO ?= cargo
CC ?= cc
PYTHON ?= python3
GO ?= go
CMAKE ?= cmake

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
SONAME := libdatafeed.so.$(basename $(VERSION))
STAGE := target/stage
EMULATOR := target/release/datafeed-emulator

export PYTHON GO CMAKE CC

.PHONY: help
help:
	@echo "make demo [CONFIG=file]   a C bot against an emulated Symphony, or against the pod of a configuration file"
	@echo "make test                 every test in every language"
	@echo "make bench                the C interface beside a raw socket loop and libcurl"
	@echo "make lint                 formatting and lints"
	@echo "make header               regenerate include/datafeed.h"
	@echo "make stage                library and header as an installed tree in $(STAGE)"

# An installed tree to build against: the library under its SONAME, with the links that a linker and a loader look for.
.PHONY: stage
stage: check-cargo
	$(CARGO) build --release --locked --package symphony-datafeed
	mkdir -p $(STAGE)/include $(STAGE)/lib
	cp include/datafeed.h $(STAGE)/include/
	cp target/release/libdatafeed.a $(STAGE)/lib/
	cp target/release/libdatafeed.so $(STAGE)/lib/libdatafeed.so.$(VERSION)
	ln -sf libdatafeed.so.$(VERSION) $(STAGE)/lib/$(SONAME)
	ln -sf $(SONAME) $(STAGE)/lib/libdatafeed.so

.PHONY: emulator
emulator: check-cargo
	$(CARGO) build --release --locked --package datafeed-emulator

# A missing tool is an error that names it.
.PHONY: check-cargo
check-cargo:
	@command -v $(CARGO) >/dev/null || { echo "cargo is missing: install Rust 1.88 or later"; exit 1; }
