#!/usr/bin/env bash
# Installs the Debian packages that are missing, or names them with the command to type.
#
#   packages.sh run              what the box needs to be built and run
#   packages.sh test             what tests and checks need besides
#   packages.sh install NAME...  install exactly these
set -euo pipefail

RUN=(mosquitto mosquitto-clients libportaudio2 espeak-ng flac
    g++ cmake ninja-build pkg-config libsystemd-dev)
TEST=(flite shellcheck strace)
POLICY=/usr/sbin/policy-rc.d

main() {
    local wanted missing
    case ${1:-} in
        run) wanted="${RUN[*]} $(python_packages)" ;;
        test) wanted="${TEST[*]}" ;;
        install) shift && install_all "$@" && return ;;
        *) echo "usage: $0 run | test | install NAME..." >&2 && exit 2 ;;
    esac
    # shellcheck disable=SC2086 # a list of words
    missing=$(missing_of $wanted)
    # shellcheck disable=SC2086 # a list of words
    [ -z "$missing" ] || install_or_tell $missing
}

install_or_tell() {
    if ! command -v apt-get >/dev/null; then
        echo "set-up: no apt-get here; make sure there is what Debian calls: $*" >&2
    elif [ "$(id -u)" = 0 ]; then
        install_all "$@"
    elif sudo -n true 2>/dev/null; then
        sudo "$0" install "$@"
    else
        echo "set-up: Debian packages are missing, type: sudo $0 install $*" >&2
        exit 1
    fi
}

install_all() {
    echo "set-up: installing Debian packages: $*"
    local had_broker=yes
    is_installed mosquitto || had_broker=no
    keep_services_down
    apt_get update || echo "set-up: the package lists are not fresh, trying all the same" >&2
    apt_get install --yes --no-install-recommends "$@"
    if [ $had_broker = no ] && is_installed mosquitto; then
        leave_broker_off
    fi
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

# Debian starts a service as it installs it. A development set-up must not open a listener that
# was not there before: we start a broker of our own, on a private port, when we need one.
keep_services_down() {
    [ ! -e $POLICY ] || return 0
    trap 'rm -f $POLICY' EXIT
    printf '#!/bin/sh\nexit 101\n' >$POLICY
    chmod 755 $POLICY
}

leave_broker_off() {
    command -v systemctl >/dev/null || return 0
    systemctl --quiet disable mosquitto.service 2>/dev/null || true
    systemctl --quiet stop mosquitto.service 2>/dev/null || true
    echo "set-up: left mosquitto's system service off; systemctl enable --now mosquitto starts it"
}

# A Python from Debian keeps venv and the headers in packages of their own.
python_packages() {
    "${PYTHON:-python3}" - <<'PROBE'
import importlib.util, pathlib, sys, sysconfig
name = "python{}.{}".format(*sys.version_info)
if not importlib.util.find_spec("ensurepip"):
    print(name + "-venv")
if not (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
    print(name + "-dev")
PROBE
}

missing_of() {
    local package
    for package in "$@"; do
        is_installed "$package" || printf '%s ' "$package"
    done
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

main "$@"
