# Everything a developer does, by name. `make help` lists it.
SHELL := /bin/bash
BIN   := bin/manito
GOSTD  = $(shell go env GOROOT)/src
# Packages whose tests are not run with the race detector: compiling them with it costs minutes and they start no goroutine.
NORACE := typescript

.DEFAULT_GOAL := help
.PHONY: help build demo test race lint bench accuracy chaos fuzz docs verify clean deps

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

deps: ## Install what building and testing need: a C compiler, git, PostgreSQL
	@scripts/install-deps.sh

build: ## Build bin/manito
	@mkdir -p bin
	go build -trimpath -o $(BIN) ./cmd/manito

demo: deps build ## Install what is missing, build, and scan this repository and Go's standard library
	@scripts/demo.sh $(BIN) "$(GOSTD)"

test: deps ## Install what is missing and run the whole test suite
	@scripts/test.sh

lint: ## Run golangci-lint with the repository's rules
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0 run

bench: deps build ## Measure against peers and physical limits; prints tables of ratios
	@scripts/bench.sh

accuracy: ## Judge the edges of pinned packages against compilers' own answers
	go run ./bench/accuracy score

chaos: deps ## Kill migrations and scans in every phase, many times over, and keep the result
	scripts/chaos.sh

fuzz: ## Fuzz every parser for a minute each
	@scripts/fuzz.sh

docs: ## Write the generated pages of docs/
	go run ./cmd/manito docs --dir docs

clean: ## Remove what building left
	rm -rf bin
