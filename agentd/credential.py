"""Secrets that systemd hands to a unit as files only it can read (`LoadCredential=`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def read_credential(name: str, *, environ: Mapping[str, str] = os.environ) -> str | None:
    """The text of a credential; None when there is none, or it is empty."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    try:
        text = Path(folder, name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text or None
