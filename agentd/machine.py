"""What the machine says of itself: which boot this is, and what its clock on the wall shows."""

from __future__ import annotations

from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_LOCALTIME: Final = Path("/etc/localtime")


def boot_id(*, file: Path = _BOOT_ID) -> str:
    """The kernel's name for this boot; empty when it gives none, and then no two are alike."""
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def time_zone(name: str, *, localtime: Path = _LOCALTIME) -> tzinfo:
    """The zone of an IANA name, which the configuration has checked; of an empty one the system's.

    The system's is read with its summer times, for what is promised for tomorrow; UTC where the
    system has none.
    """
    try:
        if name:
            return ZoneInfo(name)
        with localtime.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return UTC
