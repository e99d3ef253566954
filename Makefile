# make            what there is to make
# make demo       two devices on this machine, paired and syncing
# make test       all tests that need Go alone

VERSION ?= $(shell git describe --tags --always 2>/dev/null || echo unknown)
DEVICES ?= 2
DIR ?=
DIST ?= dist
FUZZTIME ?= 10s
ONLY ?=
NAME ?=
BENCH ?= .
N ?= 2000
SEED ?=

GOBUILD = CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

.PHONY: help need build desktop words demo test simulate lint fuzz hostile bench cross test-arm packages test-packages test-root torture measure test-desktop cross-desktop pictures measure-desktop clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

need: ## look whether Go is here, and install it where that can be done
	@.ci/need

build: need ## ./pinion for this machine, static and headless
	$(GOBUILD) -o pinion ./app

desktop: need ## ./pinion for this machine with icon and window (needs a C compiler and headers, see .ci/need-desktop)
	@.ci/need-desktop
	CGO_ENABLED=1 go build -trimpath -tags desktop -ldflags "-s -w -X main.version=$(VERSION)" -o pinion ./app

words: need ## the English catalogue, made from the code: what a translation begins with
	PINION_GOLDEN=write CGO_ENABLED=0 go test -run TestCatalogue ./tray

demo: build ## two devices on this machine, paired and syncing (DEVICES=3, DIR=a tree to sync)
	./pinion demo --devices $(DEVICES) $(DIR)

test: need ## all tests that need Go alone, with the race detector where there is a C compiler
	@.ci/test

simulate: need ## N (2000) histories of many devices in one process; SEED=… tells one again, in words, as short as it gets
	@.ci/simulate $(if $(SEED),$(SEED) 1 -sim.shrink=200,1 $(N) -sim.twice=20)

lint: need ## gofmt, shell syntax, go vet for six systems
	@.ci/lint

fuzz: need ## each fuzz target for FUZZTIME (10s)
	@.ci/fuzz $(FUZZTIME)

hostile: need ## a device gone bad attacks a real engine (ONLY=words: some of its ways)
	@.ci/hostile "$(ONLY)"

bench: need ## all benchmarks (BENCH=pattern)
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

cross: need ## the program for all systems, into dist/
	@.ci/cross $(VERSION) $(DIST)

test-desktop: need ## the desktop program in a real session, with two real engines (ONLY=words: some of its stories)
	@.ci/test-desktop $(ONLY)

cross-desktop: need ## the desktop program for Windows, into dist/, started under wine; of macOS' what can be looked at
	@.ci/cross-desktop $(VERSION) $(DIST)

pictures: need ## the pictures that the README shows, taken of the real program
	@.ci/pictures tray/pictures

measure-desktop: need ## what the desktop program costs: time to the window, memory, CPU at rest
	@.ci/measure-desktop

test-arm: need ## start the programs for ARM under qemu and let two of them sync
	@.ci/test-arm $(VERSION) $(DIST)

packages: need ## .deb and .rpm for Linux, into dist/packages/; pinion-desktop where its headers are
	@rm -rf $(DIST)/packages
	@installers/linux/build.sh $(VERSION) $(DIST)/packages

test-packages: need ## install, use, upgrade, remove and purge the package in a clean root
	@installers/linux/test/run $(DIST)/packages

torture: need ## real engines on real file systems, killed, cut off and filled up (N=rounds, SEED=, STORY=)
	@.ci/torture $(if $(findstring command,$(origin N)),$(N),1) "$(SEED)" "$(STORY)"

measure: need ## what syncing costs: memory, flushes, latency, limits, several peers (NAME="rest saves", NAME=million)
	@.ci/measure $(NAME)

test-root: need ## what needs root: other file systems, mounts, and tests without root's rights
	@.ci/test-root

clean: ## remove what was built here
	rm -rf pinion $(DIST)
