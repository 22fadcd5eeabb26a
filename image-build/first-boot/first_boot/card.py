"""The FAT partition: small files that a person wrote, and the report that the box writes back.

It is mounted read-only and opened for writing only for as long as something is written: a FAT
file system that is cut off in the middle of a change is the one thing that can keep a Pi from
starting.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from first_boot import disk
from first_boot.errors import OwnerMistake
from first_boot.written import Written, decode

LIMIT_BYTES: Final = 256 * 1024
"""Largest file that is read: a home with 500 devices has 100 KB, and a parser must not stall the
start over a file that was put there by mistake."""

SHORT: Final = 90
"""Longest excerpt of the system's own words about a failed write, in characters."""

Open = Callable[[bool], None]
"""Makes the partition writable (True) or read-only (False); may raise OSError."""


@dataclass
class Card:
    """The owner's side of the card."""

    folder: Path
    """Where it is mounted."""

    open: Open = field(default=lambda _: None)
    """How it becomes writable."""

    failure: str = ""
    """Why the last thing could not be written; empty when all was."""

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        try:
            return (self.folder / name).is_file()
        except OSError:
            return False

    def read(self, name: str, *, limit_bytes: int = LIMIT_BYTES) -> Written | None:
        """A file's text; None when there is none.

        Raises:
            OwnerMistake: it cannot be used as text.
        """
        path = self.folder / name
        aside = path.with_name(name + disk.NEW)
        try:
            if not path.exists() and aside.exists():
                path = aside  # FAT's rename was cut between removing the old and naming the new
            if not path.exists():
                return None
            size = path.stat().st_size
            if size > limit_bytes:
                text = f"{name}: has {size} bytes; a file here has {limit_bytes} at most"
                raise OwnerMistake(text)
            return decode(disk.read(path) or b"", name=name)
        except OSError as exc:
            reason = exc.strerror or "an error"
            raise OwnerMistake(f"{name}: the card cannot be read here ({reason})") from exc

    def write(self, name: str, data: bytes) -> bool:
        """Write a file; a card that cannot be written is noted in `failure`, not raised.

        Returns:
            Whether the card now holds these bytes.
        """
        path = self.folder / name
        try:
            if disk.read(path) == data:
                return True
            self.open(True)
            try:
                disk.write(path, data, mode=None)
            finally:
                with contextlib.suppress(OSError):
                    self.open(False)  # stays writable until the next start: no reason to give up
        except OSError as exc:
            self.failure = (exc.strerror or str(exc))[:SHORT]
            return False
        return True
