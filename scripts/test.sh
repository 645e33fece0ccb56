#!/usr/bin/env bash
# The whole test suite: formatting, vet, builds without cgo and for other systems, tests,
# the store on every version of PostgreSQL and in other schemas, and the race detector
# where it tells something.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; }

MANITO_DEPS=test scripts/install-deps.sh

# Every major version that Manito's own database may be, and 14, which the doctor and
# adoption look at. What cannot be installed ends the suite: no version is skipped.
bins=
bin() { # bin MAJOR: the folder of its programs; the distribution's where there is one
	if [ -x "/usr/lib/postgresql/$1/bin/postgres" ]; then
		echo "/usr/lib/postgresql/$1/bin"
	else
		echo "$PWD/.tools/postgres/$1/bin"
	fi
}
for major in 15 14 16 17 18; do # 15 first: it is what most tests run on
	[ "$major" = 15 ] && [ -x /usr/lib/postgresql/15/bin/postgres ] || scripts/install-postgres.sh --major $major --dir .tools/postgres
	bins=$bins${bins:+:}$(bin $major)
done
export MANITO_TEST_PG_BINS=$bins

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

# The packages whose tests start servers by themselves (migrate, doctor, adopt) have been
# on all versions above. The store and the scan come here, on each of the other versions
# and in another schema each.
for run in "16 manito_prod" "17 Odd Schema" "18 manito"; do
	major=${run%% *} schema=${run#* }
	step "tests of the store on PostgreSQL $major in the schema \"$schema\""
	MANITO_TEST_PG_BIN=$(bin "$major") MANITO_TEST_SCHEMA=$schema go test -count=1 -timeout 20m ./internal/postgres ./internal/scan ./internal/server
done

step "race detector"
# Packages that start goroutines of their own and do not bring the TypeScript compiler or a server along.
go test -race -timeout 30m ./internal/graph/... ./internal/pack ./internal/config ./internal/problem ./internal/code ./internal/source
