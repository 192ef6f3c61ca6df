#!/usr/bin/env bash
# Installs Debian packages that are missing, without starting the services they bring.
#
#   scripts/system-packages.sh [--refresh] PACKAGE...
#
# Works as root or through passwordless sudo; otherwise it prints the exact command and ends with 1.
set -euo pipefail

refresh=no
if [ "${1:-}" = --refresh ]; then
    refresh=yes
    shift
fi

missing=()
for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" != installed ]; then
        missing+=("$package")
    fi
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

say_what_to_run() {
    echo "These packages are missing: ${missing[*]}" >&2
    echo "Run this once, then the same command again:" >&2
    echo >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    echo >&2
    exit 1
}

if [ "$(id -u)" = 0 ]; then
    root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    root=(sudo -n env)
else
    say_what_to_run
fi
command -v apt-get >/dev/null || say_what_to_run

# Debian starts a service as soon as its package is unpacked, and again at boot. We run our own copies on
# ports of our own, so a policy file says no while we install, and what came new is disabled afterwards.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    "${root[@]}" sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
    trap '"${root[@]}" rm -f "$policy"' EXIT
fi

install=("${root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}")
if [ "$refresh" = yes ]; then
    "${root[@]}" apt-get update -q
    "${install[@]}"
else
    # A fresh machine has no package lists yet.
    "${install[@]}" || { "${root[@]}" apt-get update -q && "${install[@]}"; }
fi

if [ -d /run/systemd/system ]; then
    for package in "${missing[@]}"; do
        case "$package" in
            mosquitto | influxdb | postgresql | prometheus)
                "${root[@]}" systemctl disable --quiet --now "$package.service"
                echo "$package: installed, its own service is disabled (enable it with: systemctl enable --now $package)"
                ;;
        esac
    done
fi
