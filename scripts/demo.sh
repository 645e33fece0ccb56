#!/usr/bin/env bash
# The main job on real input: scans this repository and Go's standard library, and asks a few questions.
set -euo pipefail
cd "$(dirname "$0")/.."
manito=$PWD/$1
std=$2
run() { printf '\n\033[1m$ manito %s\033[0m\n' "$*"; "$manito" "$@"; }

run scan . --search
run search --repo "$(basename "$PWD")" 'where is a lease renewed' --limit 3
run scan "$std" --name go
run def --repo go http.Client.Do
run callers --repo go http.Client.Do --limit 8
run impact --repo go http.Client.Do --depth 3
run cycles --repo go
run map --tokens 600
run status
