#!/bin/sh
# Installs what building and testing Manito need and what is missing: a C compiler
# (for the tree-sitter grammars), git, and PostgreSQL's server programs. With
# MANITO_DEPS=test also what only the tests need: pgbouncer, plpgsql_check and git's HTTP server.
# Go itself must be there. Running it again changes nothing.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "install-deps: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

if ! have go; then
	say "Go is not installed; go.mod names the version: https://go.dev/dl"
	exit 1
fi

missing=
have git || missing="$missing git"
have gcc || have clang || have cc || missing="$missing gcc libc6-dev"
[ "${MANITO_DEPS:-}" != test ] || have git-http-backend || [ -x "$(git --exec-path 2>/dev/null)/git-http-backend" ] || missing="$missing git"
[ "${MANITO_DEPS:-}" != test ] || have rg || missing="$missing ripgrep" # the judge of text search
if [ "${MANITO_DEPS:-}" = test ] && ! have pgbouncer && [ ! -x /usr/sbin/pgbouncer ]; then
	missing="$missing pgbouncer"
fi

if [ -n "$missing" ]; then
	if have apt-get; then
		sudo=
		[ "$(id -u)" = 0 ] || { have sudo || { say "install by hand:$missing"; exit 1; }; sudo=sudo; }
		say "installing$missing"
		$sudo apt-get update -qq
		# shellcheck disable=SC2086 # a list of packages
		$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
		case $missing in
		*pgbouncer*) # the tests start their own; nobody asked for the service that the package starts
			! have systemctl || $sudo systemctl disable --now pgbouncer >/dev/null 2>&1 || say "the service pgbouncer could not be stopped; it is not needed"
			;;
		esac
	elif have brew; then
		case $missing in
		*pgbouncer*) brew install pgbouncer ;;
		esac
		case $missing in
		*ripgrep*) brew install ripgrep ;;
		esac
		say "installing git"
		brew install git
		have cc || { say "install the compiler with: xcode-select --install"; exit 1; }
	else
		say "install by hand:$missing"
		exit 1
	fi
fi

scripts/install-postgres.sh

# The doctor's verdicts on functions are compared with this extension's.
if [ "${MANITO_DEPS:-}" = test ] && have apt-get; then
	for dir in /usr/lib/postgresql/*/; do
		version=$(basename "$dir")
		[ -x "$dir/bin/postgres" ] && [ ! -e "$dir/lib/plpgsql_check.so" ] || continue
		say "installing postgresql-$version-plpgsql-check"
		sudo=
		[ "$(id -u)" = 0 ] || sudo=sudo
		$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "postgresql-$version-plpgsql-check" >/dev/null
	done
fi
