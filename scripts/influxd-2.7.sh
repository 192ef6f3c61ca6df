#!/usr/bin/env bash
# Builds InfluxDB 2.7 for the tests where Go (1.22 or newer) and Rust (1.68 or newer) are: Debian has no 2.x. Prints where it is.
#
#   scripts/influxd-2.7.sh
#
# Built once (about 8 minutes on two cores) into ~/.cache/ngonden, where the tests look for it. Without the
# web interface, which no test needs.
set -euo pipefail
version=2.7.11
place="${XDG_CACHE_HOME:-$HOME/.cache}/ngonden/influxd-$version"
if [ -x "$place/influxd" ]; then
    echo "$place/influxd"
    exit
fi

PATH="$PATH:/usr/local/go/bin:$HOME/.cargo/bin"
# A rustup would go by the toolchain that Flux names, and fetch it: the one that is here does as well.
RUSTUP_TOOLCHAIN=${RUSTUP_TOOLCHAIN:-$(cd / && rustup default 2>/dev/null | cut -d' ' -f1 || true)}
[ -z "$RUSTUP_TOOLCHAIN" ] || export RUSTUP_TOOLCHAIN

# at_least WANTED FOUND: whether the second version is the first or newer.
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}
go_version=$(go env GOVERSION 2>/dev/null | sed 's/^go//' || true)
rust_version=$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)
if ! at_least 1.22 "${go_version:-0}" || ! at_least 1.68 "${rust_version:-0}" || ! command -v cargo >/dev/null; then
    echo "InfluxDB $version is not built: it takes Go 1.22 (here: ${go_version:-none}) and Rust 1.68 (here: ${rust_version:-none}), newer or the same" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Flux, InfluxDB's query language, is a Rust library that this stand-in for pkg-config builds on the way.
GOBIN="$work" go install github.com/influxdata/pkg-config@v0.2.7 >&2
# Flux makes every warning an error, and a newer Rust has warnings of its own.
printf '#!/bin/sh\nexec "$@" --cap-lints warn\n' >rustc-wrapper
chmod +x rustc-wrapper
printf 'module influxd\n\ngo 1.22.0\n' >go.mod
go get "github.com/influxdata/influxdb/v2/cmd/influxd@v$version" >&2
mkdir -p "$place"
PKG_CONFIG="$work/pkg-config" RUSTC_WRAPPER="$work/rustc-wrapper" go build \
    -ldflags "-X main.version=v$version" -o "$work/influxd" \
    github.com/influxdata/influxdb/v2/cmd/influxd >"$work/build.log" 2>&1 ||
    {
        tail -n 40 "$work/build.log" >&2
        exit 1
    }
mv "$work/influxd" "$place/influxd"
echo "$place/influxd"
