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

STAGE := target/stage
EMULATOR := target/release/datafeed-emulator
BOT := target/demo/bot

# Where `make install` installs; DESTDIR, if given, stands before it.
PREFIX ?= /usr/local

# How `make soak` goes: how long, events a second, requests of a hundred that go wrong, what the faults are drawn from.
SECONDS ?= 60
RATE ?= 20
FAULTS ?= 10
SEED ?= 1

HOST = $(shell rustc -vV | sed -n 's/^host: //p')
# How many events each row of `make storm` gets; it is drawn from SEED too.
EVENTS ?= 100000

ASAN := target/asan

.PHONY: help
help:
	@echo "make demo [CONFIG=file]   a C bot against an emulated Symphony, or against the pod of a configuration file"
	@echo "make soak [SECONDS=60] [RATE=20] [FAULTS=10] [SEED=1] [TLS=1]"
	@echo "                          the same bot while requests go wrong at random, and a verdict on it"
	@echo "make storm [SEED=1] [EVENTS=100000]"
	@echo "                          bots that are killed behind connections that are damaged, and a verdict on each promise"
	@echo "make test                 every test in every language"
	@echo "make bench                what an event costs, beside the limit and what else there is, and what waiting and stopping takes"
	@echo "make lint                 formatting and lints"
	@echo "make header               regenerate include/datafeed.h"
	@echo "make install [PREFIX=/usr/local] [DESTDIR=]"
	@echo "                          libraries and headers for C and C++, found by CMake and pkg-config"
	@echo "make stage                the same in $(STAGE)"
	@echo "make stage-asan           the same with AddressSanitizer, in $(ASAN)/stage"
	@echo "make emulator             the emulated Symphony, $(EMULATOR)"

# There is one description of what is installed: CMakeLists.txt. CMake's own make is none of this one's: it would tell
# each folder that it enters.
# $(call install,FOLDER TO BUILD IN,PREFIX,CMAKE OPTION...)
define install
	$(CMAKE) -S . -B $(1) -DCMAKE_INSTALL_PREFIX="$(2)" $(3) >/dev/null
	env -u MAKEFLAGS -u MAKELEVEL $(CMAKE) --build $(1)
	$(CMAKE) --install $(1) >/dev/null
endef

.PHONY: install
install:
	@scripts/need.sh cargo cc cmake
	$(call install,target/cmake/install,$(PREFIX),-DDATAFEED_CARGO_TARGET_DIR=target)

# An installed tree to build against.
.PHONY: stage
stage: export DESTDIR =
stage:
	@scripts/need.sh cargo cc cmake
	$(call install,target/cmake/stage,$(CURDIR)/$(STAGE),-DCMAKE_INSTALL_LIBDIR=lib -DDATAFEED_CARGO_TARGET_DIR=target)

# The library built with AddressSanitizer, which the compiler keeps for its nightly versions unless told otherwise. The
# runtime is that of the program, from the C compiler: the two have had the same interface for years.
.PHONY: stage-asan
stage-asan: export RUSTC_BOOTSTRAP = 1
stage-asan: export RUSTFLAGS = -Zsanitizer=address -Cforce-frame-pointers=yes
stage-asan: export DESTDIR =
stage-asan:
	@scripts/need.sh cargo cc cmake asan
	$(call install,$(ASAN)/cmake,$(CURDIR)/$(ASAN)/stage,-DCMAKE_INSTALL_LIBDIR=lib \
	    -DDATAFEED_CARGO_TARGET_DIR=$(ASAN) -DDATAFEED_RUST_TARGET=$(HOST))

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

.PHONY: storm
storm:
	@scripts/need.sh cargo cc
	$(CARGO) build --release --locked --package datafeed-storm
	@target/release/storm --seed $(SEED) --events $(EVENTS)

.PHONY: test
test:
	@scripts/need.sh cargo cc c++ asan valgrind cmake pkg-config libcurl jansson nlohmann_json python3 go
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
