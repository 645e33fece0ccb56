#!/usr/bin/env bash
# Fuzzes every parser: finds each Fuzz function and runs it for FUZZTIME (default 60s).
#
#   scripts/fuzz.sh                   all of them
#   scripts/fuzz.sh ./internal/pack   those of some packages
#   FUZZTIME=10s scripts/fuzz.sh
#
# All run, also after one has failed; the exit status is 1 then. What made a function fail
# is a file in testdata/fuzz beside it: keep it, and the ordinary tests replay it.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-60s}
[ $# -gt 0 ] || set -- ./...

failed=() ran=0
while read -r package; do
	if ! list=$(go test -list '^Fuzz' "$package" </dev/null); then
		printf '%s\n' "$list"
		failed+=("$package, which cannot be built")
		continue
	fi
	for function in $(grep '^Fuzz' <<<"$list"); do # go fuzzes one function at a time
		printf '== %s %s (%s)\n' "$package" "$function" "$time"
		ran=$((ran + 1))
		go test -run '^$' -fuzz "^$function\$" -fuzztime "$time" "$package" </dev/null || failed+=("$package $function")
	done
done < <(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{"\t"}}{{.ImportPath}}{{end}}' "$@" | while IFS=$'\t' read -r dir path; do
	grep -qs '^func Fuzz' "$dir"/*_test.go && echo "$path"
done)

if [ "$ran" = 0 ]; then
	echo "fuzz: no Fuzz function was found in $*" >&2
	exit 1
fi
printf '== %d functions were fuzzed, %d failed\n' "$ran" "${#failed[@]}"
for f in ${failed[@]+"${failed[@]}"}; do printf '   %s\n' "$f"; done
[ "${#failed[@]}" = 0 ]
