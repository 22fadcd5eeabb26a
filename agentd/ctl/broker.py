"""A private broker for development: mosquitto on loopback and on a Unix socket."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from agentd.ctl.failure import Code, Failure

PACKET_BYTES: Final = 1_048_576
"""Largest packet the broker takes; agentd itself refuses commands over 16 KiB."""

PORTS: Final = range(18830, 19830)
"""Where a free port is looked for, below the kernel's own ephemeral ports."""

SOCKET: Final = "mqtt.sock"
"""The broker's socket in the run folder."""


def wants_own_broker(config: Path) -> bool:
    """Whether `[mqtt]` of this file leaves the broker to us.

    Raises:
        Failure: the file cannot be read or is not TOML.
    """
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise Failure(f"{config}: not TOML: {exc}", code=Code.CONFIG) from exc
    table = document.get("mqtt", {})
    return not isinstance(table, dict) or table.get("broker", "own") == "own"


def find_mosquitto() -> str:
    """Path of the program; Debian keeps it where only root looks.

    Raises:
        Failure: it is not installed.
    """
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    if found := shutil.which("mosquitto", path=places):
        return found
    raise Failure("mosquitto is not installed", hint="sudo apt install mosquitto")


def free_port(ports: Iterable[int] = PORTS) -> int:
    """The first port on which nothing listens on loopback.

    Raises:
        Failure: all are taken.
    """
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise Failure("no free port for the broker")


def configuration(run: Path, *, port: int) -> str:
    """The text of a mosquitto.conf: nobody outside this machine can reach it."""
    return _CONF.format(port=port, socket=run / SOCKET, user=getpass.getuser(), bytes=PACKET_BYTES)


_CONF: Final = """\
# Written by `agentctl dev` at each start; changes here are lost.
per_listener_settings false
listener {port} 127.0.0.1
listener 0 {socket}
allow_anonymous true
set_tcp_nodelay true
max_packet_size {bytes}
persistence false
log_dest stderr
connection_messages false
user {user}
"""
