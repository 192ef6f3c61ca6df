#!/usr/bin/env bash
# Builds InfluxDB 1.8.10 for the tests where Go is on the machine: Debian has 1.6.7 alone. Prints where it is.
#
#   scripts/influxd-1.8.sh
#
# Built once (about 2 minutes on two cores) into ~/.cache/ngonden, where the tests look for it.
set -euo pipefail
version=1.8.10
place="${XDG_CACHE_HOME:-$HOME/.cache}/ngonden/influxd-$version"
if [ ! -x "$place/influxd" ]; then
    go=$(command -v go || PATH=/usr/local/go/bin command -v go || true)
    if [ -z "$go" ]; then
        echo "Go is missing, so there is no InfluxDB $version to test with: sudo apt-get install -y golang-go" >&2
        exit 1
    fi
    mkdir -p "$place"
    # Without its number the server calls itself "unknown".
    GOBIN="$place" GOFLAGS=-mod=mod "$go" install -ldflags "-X main.version=$version" \
        "github.com/influxdata/influxdb/cmd/influxd@v$version" >&2
fi
echo "$place/influxd"
