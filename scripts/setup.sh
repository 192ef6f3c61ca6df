#!/usr/bin/env bash
# Makes the virtual environment and installs the project in it; `make up` and `make test` call this.
#
#   scripts/setup.sh run|dev
#
# run: what `make up` needs. dev: also the tools of `make test`. PYTHON names the interpreter to use.
set -euo pipefail
cd "$(dirname "$0")/.."
extra=all
[ "${1:-run}" = dev ] && extra=dev
venv=${VENV:-.venv}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ] || ! is_new_enough "$python"; then
    echo "Python 3.11 or newer is needed, found ${python:-none}. On Debian 12: sudo apt-get install -y python3" >&2
    exit 1
fi

if ! { command -v mosquitto || PATH=/usr/sbin:/usr/local/sbin command -v mosquitto; } >/dev/null; then
    echo "mosquitto, the MQTT broker, is missing: installing it" >&2
    scripts/system-packages.sh mosquitto
fi

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    # Debian splits ensurepip from Python; without it `venv` fails halfway.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "python3-venv is missing: installing it" >&2
        scripts/system-packages.sh python3-venv
    fi
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

echo "installing the project with what '$extra' needs into $venv" >&2
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet --editable ".[$extra]"

touch "$venv/.set-up-for-run"
if [ "$extra" = dev ]; then
    touch "$venv/.set-up-for-dev"
fi
