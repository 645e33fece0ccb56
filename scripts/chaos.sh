#!/usr/bin/env bash
# Crowds of migrators and killed ones, in full: 8 processes x 100 rounds, and more than a
# hundred kills; then kills of scans in every phase. Takes some minutes on two cores.
#
#   scripts/chaos.sh           all of it; keeps the result in internal/migrate/testdata/chaos.json and docs/chaos.md
#   scripts/chaos.sh migrate   only the migrators
#
# Continuous integration runs the same tests with a few rounds each.
set -euo pipefail
cd "$(dirname "$0")/.."
export MANITO_CHAOS=full

MANITO_CHAOS_REPORT=$PWD/internal/migrate/testdata/chaos.json \
	go test -count=1 -timeout 90m -run 'TestMigrationApplication|TestKilled' ./internal/migrate
go test -count=1 -run ChaosResult ./internal/migrate -update-chaos
[ "${1:-}" = migrate ] || go test -count=1 -timeout 60m -p 1 -run Kill ./internal/postgres ./internal/scan
