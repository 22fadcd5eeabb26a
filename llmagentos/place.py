"""Where the running box keeps its sockets and its models."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

DEVICE_RUN: Final = Path("/run/agentd")
"""Socket folder of an installed box (its RuntimeDirectory)."""

DEVICE_MODELS: Final = Path("share/llmagentos/models")
"""Models of an installed box, below the prefix that its venv stands in (/usr); `models pull` on a
box writes to /var/lib/agentd/models."""


def checkout() -> Path | None:
    """The folder that holds this Python's `.venv`, or None when it is not a development copy."""
    prefix = Path(sys.prefix)
    return prefix.parent if prefix.name == ".venv" else None


def development_run(folder: Path) -> Path:
    """The socket folder of the copy in `folder`: short, since a socket's path has 107 bytes."""
    mark = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    return Path(f"/tmp/llmagentos-{os.getuid()}-{mark}")


def run_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """The socket folder: `$LLMAGENTOS_RUN`, a running development copy's, or the device's."""
    if chosen := environ.get("LLMAGENTOS_RUN"):
        return Path(chosen)
    folder = checkout()
    if folder and development_run(folder).is_dir():
        return development_run(folder)
    return DEVICE_RUN


def model_dirs(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Folders that may hold models, the one to write to first."""
    if chosen := environ.get("LLMAGENTOS_MODELS"):
        return (Path(chosen),)
    if checkout():
        cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return (cache / "llmagentos" / "models",)
    prefix = Path(sys.prefix)  # /usr/lib/llmagentos
    home = prefix.parents[1] if prefix.parent.name == "lib" else Path("/usr")
    return (Path("/var/lib/agentd/models"), home / DEVICE_MODELS)
