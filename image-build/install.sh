#!/usr/bin/env bash
# Puts LLMAgentOS onto a system with systemd, or takes it off again.
#
#   install.sh install | uninstall
#   install.sh files        units, configuration and settings alone, without programs and models
#   install.sh list         only prints what is copied and where to
#
# Environment: DESTDIR   folder that stands for / (default: the running system)
#              PREFIX    /usr, unless told otherwise
#              PYTHON    Python 3.11 to 3.13 that every user may run
#              MODELS=0  leaves the models out
#              APPLIANCE=1  also settings of the whole machine: log in memory, hardware watchdog
#              PURGE=1   uninstall takes /etc/agentd and /var/lib/agentd along
set -euo pipefail

cd "$(dirname "$0")/.."
DESTDIR=${DESTDIR:-}
DESTDIR=${DESTDIR%/}
PREFIX=${PREFIX:-/usr}
LIB=$PREFIX/lib/llmagentos
SHARE=$PREFIX/share/llmagentos
# systemd looks for units, users and rules below these two alone.
case $PREFIX in /usr | /usr/local) SYSTEM=$PREFIX/lib ;; *) SYSTEM=/usr/local/lib ;; esac
SERVICES=(agentd-broker agentd agentd-voice agentd-llm)
# The account that made this checkout keeps the wheel of llama.cpp and the models.
OWNER_HOME=$(getent passwd "$(stat -c %U .)" | cut -d: -f6)
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$OWNER_HOME/.cache}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# What is copied: source, then target.
FILES=(
    systemd/agentd.service         "$SYSTEM/systemd/system/agentd.service"
    systemd/agentd-voice.service   "$SYSTEM/systemd/system/agentd-voice.service"
    systemd/agentd-llm.service     "$SYSTEM/systemd/system/agentd-llm.service"
    systemd/agentd-broker.service  "$SYSTEM/systemd/system/agentd-broker.service"
    systemd/llmagentos.target      "$SYSTEM/systemd/system/llmagentos.target"
    systemd/agents.slice           "$SYSTEM/systemd/system/agents.slice"
    systemd/llmagentos.sysusers    "$SYSTEM/sysusers.d/llmagentos.conf"
    systemd/llmagentos.tmpfiles    "$SYSTEM/tmpfiles.d/llmagentos.conf"
    systemd/llmagentos.modules     "$SYSTEM/modules-load.d/llmagentos.conf"
    systemd/llmagentos.rules       "$SYSTEM/udev/rules.d/60-llmagentos.rules"
    systemd/broker.conf            "$LIB/broker.conf"
)
MACHINE_FILES=(
    systemd/appliance/journald.conf "$SYSTEM/systemd/journald.conf.d/50-llmagentos.conf"
    systemd/appliance/watchdog.conf "$SYSTEM/systemd/system.conf.d/50-llmagentos.conf"
)

main() {
    command=${1:-}
    case $command in
        install)
            require_root
            install_programs
            install_settings
            [ "${MODELS:-1}" = 0 ] || install_models
            enable_units
            ;;
        files)
            require_root
            install_settings
            enable_units
            ;;
        uninstall)
            require_root
            disable_units
            remove_files "${FILES[@]}" "${MACHINE_FILES[@]}"
            remove_programs
            [ -z "${PURGE:-}" ] || purge
            ;;
        list) printf '%s\t%s\n' "${FILES[@]}" "${MACHINE_FILES[@]}" ;;
        *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
}

require_root() {
    [ -n "$DESTDIR" ] || [ "$(id -u)" = 0 ] || fail "this changes the system, type: sudo make $command"
}

fail() {
    echo "install: $*" >&2
    exit 1
}

# programs -----------------------------------------------------------------------------------------

install_programs() {
    local venv=$DESTDIR$LIB python source llama
    python=$(find_python) || fail "no Python 3.11 to 3.13 that every user may run; name one: make install PYTHON=/opt/python/bin/python3.11"
    echo "install: programs to $venv, with $python"
    [ "$(readlink -f "$venv/bin/python" || true)" = "$(readlink -f "$python")" ] ||
        "$python" -m venv --without-pip --clear "$venv"
    llama=$(.venv/bin/python -P image-build/setup/llama_wheel.py --where)
    # Built from a copy: what an earlier build left in this folder must not get in.
    source=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder as it is called now
    trap "rm -rf '$source'" EXIT
    cp -R agentd hal models llmagentos pyproject.toml README.md LICENSE NOTICE "$source"
    .venv/bin/pip --python "$venv/bin/python" install --quiet --no-compile --use-pep517 \
        --constraint image-build/constraints.txt --find-links "$llama" "${source}[box]"
    settle_programs "$venv"
}

# Let the scripts name the place they will be at, and let the first start not compile.
settle_programs() {
    local venv=$1 script
    for script in "$venv"/bin/* "$venv/pyvenv.cfg"; do
        [ -L "$script" ] || sed -i "s|$venv|$LIB|g" "$script"
    done
    "$venv/bin/python" -P -m compileall -q -j 0 ${DESTDIR:+-s "$DESTDIR" -p /} "$venv/lib"
    install -d "$DESTDIR$PREFIX/bin"
    ln -sf "../lib/llmagentos/bin/agentctl" "$DESTDIR$PREFIX/bin/agentctl"
}

# The units run as a user of their own and cannot look into anybody's home folder.
find_python() {
    local name path
    for name in ${PYTHON:-python3.11 python3 python3.12 python3.13}; do
        for path in $(type -aP "$name"); do
            case $(readlink -f "$path") in /home/* | /root/*) continue ;; esac
            "$path" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
                2>/dev/null && echo "$path" && return
        done
    done
    return 1
}

remove_programs() {
    rm -rf "$DESTDIR${LIB:?}" "$DESTDIR${SHARE:?}"
    [ ! -L "$DESTDIR$PREFIX/bin/agentctl" ] || rm "$DESTDIR$PREFIX/bin/agentctl"
}

# files --------------------------------------------------------------------------------------------

install_settings() {
    install_files "${FILES[@]}"
    [ -z "${APPLIANCE:-}" ] || install_files "${MACHINE_FILES[@]}"
    install_configuration
}

install_files() {
    while [ $# -gt 0 ]; do
        install -D -m 644 "$1" "$DESTDIR$2"
        [ "$PREFIX" = /usr ] || sed -i "s|/usr/lib/llmagentos|$LIB|g" "$DESTDIR$2"
        shift 2
    done
}

remove_files() {
    while [ $# -gt 0 ]; do
        rm -f "$DESTDIR$2"
        shift 2
    done
}

# A file that is there already is somebody's home, whatever it says.
install_configuration() {
    [ -e "$DESTDIR/etc/agentd/agentd.toml" ] ||
        install -D -m 640 systemd/agentd.toml "$DESTDIR/etc/agentd/agentd.toml"
}

# Copied from where set-up keeps them; fetched when they are not there; verified in any case.
install_models() {
    local models=$DESTDIR$SHARE/models model
    mkdir -p "$models"
    for model in "$XDG_CACHE_HOME"/llmagentos/models/{vosk-small-en,smollm2}*; do
        [ ! -d "$model" ] || cp -R --update --no-preserve=mode,ownership "$model" "$models"
    done
    LLMAGENTOS_MODELS=$models .venv/bin/python -P -m models pull --set-up
    chmod -R u=rwX,go=rX "$models"
}

purge() {
    rm -rf "$DESTDIR/etc/agentd" "$DESTDIR/var/lib/agentd"
}

# units --------------------------------------------------------------------------------------------

enable_units() {
    if [ -n "$DESTDIR" ]; then
        systemctl --quiet --root="$DESTDIR" enable llmagentos.target 2>/dev/null ||
            echo "install: enable it there: systemctl enable llmagentos.target" >&2
        return
    fi
    systemd-sysusers "$SYSTEM/sysusers.d/llmagentos.conf"
    systemd-tmpfiles --create "$SYSTEM/tmpfiles.d/llmagentos.conf"
    [ ! -d /run/systemd/system ] || take_over
}

# A running system: what runs already is started anew, what does not is left to the person.
take_over() {
    # A kernel or container without modules or udev has nothing to be told.
    systemctl restart systemd-modules-load.service || true
    { udevadm control --reload && udevadm trigger --subsystem-match=gpio --subsystem-match=i2c-dev; } || true
    systemctl daemon-reload
    systemctl --quiet enable llmagentos.target
    if systemctl --quiet is-active mosquitto.service; then
        echo "install: mosquitto.service has port 1883, which the box's own broker wants;"
        echo "         systemctl disable --now mosquitto, or in agentd.toml: [mqtt] broker = \"localhost\""
    fi
    if systemctl --quiet is-active agentd.service; then
        systemctl restart "${SERVICES[@]/%/.service}"
    else
        echo "install: done; describe the home in /etc/agentd/agentd.toml, then type:"
        echo "         sudo systemctl start llmagentos.target"
    fi
}

disable_units() {
    if [ -n "$DESTDIR" ]; then
        systemctl --quiet --root="$DESTDIR" disable llmagentos.target 2>/dev/null || true
    elif [ -d /run/systemd/system ]; then
        systemctl --quiet disable --now llmagentos.target "${SERVICES[@]/%/.service}" 2>/dev/null || true
    fi
}

main "$@"
