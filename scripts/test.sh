#!/usr/bin/env bash
# The whole test suite: formatting, vet, builds without cgo and for other systems, tests, and the race detector where it tells something.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; }

# A second major version of the server: moving a cluster from one to the other is tested.
scripts/install-postgres.sh --major 18 --dir .tools/postgres

step "formatting"
unformatted=$(git ls-files '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	echo "not gofmt-ed:"
	echo "$unformatted"
	exit 1
fi

step "vet"
go vet ./...
(cd internal/syntax/typescript/shim && go vet ./...)

step "build without cgo, and for other systems"
CGO_ENABLED=0 go build -o /dev/null ./cmd/manito
CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cmd/manito
CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -o /dev/null ./cmd/manito

step "tests"
go test -timeout 40m ./...
(cd internal/syntax/typescript/shim && go test ./...)

step "race detector"
# Packages that start goroutines of their own and do not bring the TypeScript compiler or a server along.
go test -race -timeout 30m ./internal/graph/... ./internal/pack ./internal/config ./internal/problem ./internal/code ./internal/source
