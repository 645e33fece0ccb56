#!/usr/bin/env bash
# Measures bin/manito beside its peers and beside Go's parser alone; prints tables.
#
#   scripts/bench.sh                 all trees; peers that take minutes only on the small tree
#   scripts/bench.sh -peers all      every peer on every tree (a quarter of an hour)
#   scripts/bench.sh -write          also keep the results and write docs/performance.md
#
# Peers that cannot be installed are named as such. The machine should be idle: each
# line on standard error tells how much other processes disturbed the measurement.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf 'bench: %s\n' "$*" >&2; }

if ! command -v ctags >/dev/null 2>&1; then
	if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
		say "installing universal-ctags"
		apt-get install -y -qq --no-install-recommends universal-ctags >/dev/null || say "universal-ctags cannot be installed"
	else
		say "universal-ctags is missing; it is left out"
	fi
fi
for tool in npm psql; do
	command -v "$tool" >/dev/null 2>&1 || say "$tool is missing; what needs it is left out or fails"
done

[ -x bin/manito ] || { mkdir -p bin && go build -trimpath -o bin/manito ./cmd/manito; }
go build -trimpath -o bin/bench-performance ./bench/performance
exec bin/bench-performance "$@"
