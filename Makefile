# symphony-datafeed. `make demo` and `make test` do all the set-up they need.

SHELL := /bin/bash
.DEFAULT_GOAL := help

CARGO ?= cargo
CC ?= cc
CXX ?= c++
PYTHON ?= python3
GO ?= go
CMAKE ?= cmake
export CARGO CC CXX PYTHON GO CMAKE

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
SONAME := libdatafeed.so.$(basename $(VERSION))
STAGE := target/stage
EMULATOR := target/release/datafeed-emulator
BOT := target/demo/bot

# How `make soak` goes: how long, events a second, requests of a hundred that go wrong, what the faults are drawn from.
SECONDS ?= 60
RATE ?= 20
FAULTS ?= 10
SEED ?= 1

HOST = $(shell rustc -vV | sed -n 's/^host: //p')
ASAN := target/asan

.PHONY: help
help:
	@echo "make demo [CONFIG=file]   a C bot against an emulated Symphony, or against the pod of a configuration file"
	@echo "make soak [SECONDS=60] [RATE=20] [FAULTS=10] [SEED=1] [TLS=1]"
	@echo "                          the same bot while requests go wrong at random, and a verdict on it"
	@echo "make test                 every test in every language"
	@echo "make bench                what an event costs, beside a socket loop and libcurl, and what stopping takes"
	@echo "make lint                 formatting and lints"
	@echo "make header               regenerate include/datafeed.h"
	@echo "make stage                library and header as an installed tree in $(STAGE)"
	@echo "make stage-asan           the same with AddressSanitizer, in $(ASAN)/stage"
	@echo "make emulator             the emulated Symphony, $(EMULATOR)"

# An installed tree to build against: the library under its SONAME, with the links that a linker and a loader look for.
# `install` makes a new file: to write into the old one would crash whatever runs with it.
# $(call install,TREE,FOLDER OF THE BUILD)
define install
	mkdir -p $(1)/include $(1)/lib
	cp include/datafeed.h $(1)/include/
	cp $(2)/libdatafeed.a $(1)/lib/
	install $(2)/libdatafeed.so $(1)/lib/libdatafeed.so.$(VERSION)
	ln -sf libdatafeed.so.$(VERSION) $(1)/lib/$(SONAME)
	ln -sf $(SONAME) $(1)/lib/libdatafeed.so
endef

.PHONY: stage
stage:
	@scripts/need.sh cargo cc
	$(CARGO) build --release --locked --package symphony-datafeed
	$(call install,$(STAGE),target/release)

# The library built with AddressSanitizer, which the compiler keeps for its nightly versions unless told otherwise. The
# runtime is that of the program, from the C compiler: the two have had the same interface for years.
.PHONY: stage-asan
stage-asan:
	@scripts/need.sh cargo cc asan
	RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Cforce-frame-pointers=yes" $(CARGO) build --release --locked \
		--package symphony-datafeed --target $(HOST) --target-dir $(ASAN)
	$(call install,$(ASAN)/stage,$(ASAN)/$(HOST)/release)

.PHONY: emulator
emulator:
	@scripts/need.sh cargo cc
	$(CARGO) build --release --locked --package datafeed-emulator

.PHONY: bot
bot: stage
	@mkdir -p $(dir $(BOT))
	$(CC) -std=c99 -Wall -Wextra -Wpedantic -Werror -I$(STAGE)/include examples/c/bot.c \
	    -L$(STAGE)/lib -Wl,-rpath,"$(CURDIR)/$(STAGE)/lib" -ldatafeed -o $(BOT)

.PHONY: demo
demo: bot $(if $(CONFIG),,emulator)
	@scripts/demo.sh "$(BOT)" "$(EMULATOR)" "$(CONFIG)"

.PHONY: soak
soak: bot emulator
	@scripts/need.sh python3
	@$(PYTHON) scripts/soak.py "$(EMULATOR)" "$(BOT)" --seconds $(SECONDS) --rate $(RATE) --faults $(FAULTS) \
	    --seed $(SEED) $(if $(TLS),--tls) --log target/soak.log

.PHONY: test
test:
	@scripts/need.sh cargo cc c++ asan valgrind cmake python3 go
	@$(MAKE) --no-print-directory stage stage-asan emulator
	@scripts/test.sh "$(STAGE)" "$(ASAN)/stage" "$(EMULATOR)"

.PHONY: bench
bench: stage emulator
	@benches/run.sh

.PHONY: lint
lint:
	@scripts/need.sh cargo cc python3 go
	@$(MAKE) --no-print-directory stage
	@scripts/lint.sh

# The build makes the header in its own folder; this copies it to where it is committed.
.PHONY: header
header:
	@scripts/need.sh cargo
	touch build.rs
	$(CARGO) build --locked --package symphony-datafeed
	cp "$$(ls -t target/debug/build/symphony-datafeed-*/out/datafeed.h | head -1)" include/datafeed.h
