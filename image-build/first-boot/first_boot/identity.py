"""What makes this box another one than the next: its machine id, its name, its SSH host key."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from first_boot import disk
from first_boot.place import Places

BASE: Final = "agentd"
"""Name of a box that nobody named, before its four digits."""

LABEL: Final = 63
"""Longest host name in characters (RFC 1035)."""


def settle_machine_id(places: Places) -> str:
    """This box's own id: 32 hex digits, made once, shown to every program from now on.

    Raises:
        OSError: the data partition cannot be written.
    """
    machine_id = _read_id(places.identity)
    if machine_id is None:
        # PID 1 made one for this start already; what has begun with it may go on with it.
        machine_id = _read_id(places.machine_id) or uuid.uuid4().hex
        disk.write(places.identity, f"{machine_id}\n".encode(), mode=0o444)
    if places.machine_id.exists() and _read_id(places.machine_id) != machine_id:
        # In place: /etc/machine-id is a mount of this very file.
        places.machine_id.write_text(f"{machine_id}\n")
    return machine_id


def four_digits(machine_id: str) -> str:
    """What tells one unnamed box from the next; agentd makes the same out of the same id."""
    return hashlib.sha256(f"{machine_id}\n".encode()).hexdigest()[:4]


def host_name(wanted: str, *, machine_id: str) -> str:
    """A valid host name: the wanted one, else one of this box's own."""
    label = re.sub(r"[^a-z0-9-]+", "-", wanted.lower()).strip("-")[:LABEL].strip("-")
    return label or f"{BASE}-{four_digits(machine_id)}"


def settle_host_key(path: Path, *, make: Callable[[Path], None]) -> None:
    """Make SSH's host key, unless there is one; it appears as a whole.

    Args:
        path: where the private key belongs.
        make: writes a new key pair to a path and beside it.

    Raises:
        OSError: it cannot be made.
    """
    aside = path.with_name(path.name + ".making")
    pair = (aside, aside.with_name(aside.name + ".pub"))
    for leftover in pair:
        disk.remove(leftover)
    if path.exists():
        return
    make(aside)
    data = disk.read(aside)
    if not data:
        raise OSError("ssh-keygen made no key")
    disk.write(path, data)
    for leftover in pair:
        disk.remove(leftover)


def _read_id(path: Path) -> str | None:
    try:
        text = (disk.read(path) or b"").decode("ascii", "replace").strip()
    except OSError:
        return None
    return text if re.fullmatch(r"[0-9a-f]{32}", text) else None
