"""The box's own id, when nobody gave it a name."""

from __future__ import annotations

import hashlib
import re
import socket
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")


def node_name(chosen: str | None, *, machine_id: Path = _MACHINE_ID) -> str:
    """The configured name, else the host's with 4 hex digits that stay the same on this machine.

    A host that was named so already, as the card image does it, gets no second set of digits.
    """
    if chosen:
        return chosen
    host = re.sub(r"[^a-z0-9_-]+", "-", socket.gethostname().lower()).strip("-") or "box"
    try:
        seed = machine_id.read_text(encoding="ascii")
    except OSError:
        seed = host
    digits = hashlib.sha256(seed.encode()).hexdigest()[:4]
    return host if host.endswith(f"-{digits}") else f"{host[:40]}-{digits}"
