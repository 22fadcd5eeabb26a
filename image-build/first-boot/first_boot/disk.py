"""Files that are either old or new after a power cut, never half."""

from __future__ import annotations

import contextlib
import grp
import os
from pathlib import Path
from typing import Final

NEW: Final = ".new"
"""Suffix of a file that is being written; one that is found was cut short."""


def read(path: Path) -> bytes | None:
    """The file's bytes; None when there is none.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def write(path: Path, data: bytes, *, mode: int | None = 0o600, group: str = "") -> bool:
    """Write a file as a whole: aside, to the disk, then into its place.

    Args:
        path: the file; a link is replaced, not followed.
        data: all of it.
        mode: its permissions; None where the file system has none (FAT).
        group: who else may read it, when the system has such a group.

    Returns:
        False when it was that already, and nothing was written.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    if not path.is_symlink() and _is_same(path, data, mode, group):
        return False
    new = path.with_name(path.name + NEW)
    try:
        _write_aside(new, data, mode, group)
        os.replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(new)  # a full card must not lose its last bytes to a torso
        raise
    _sync_folder(path.parent)
    return True


def make_folder(path: Path, *, mode: int = 0o755) -> None:
    """Make a folder with its parents; an existing one is left as it is.

    Raises:
        OSError: it cannot be made.
    """
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent)
    os.mkdir(path, mode)
    _sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there.

    Raises:
        OSError: it is there and cannot be removed.
    """
    if not os.path.lexists(path):
        return
    os.unlink(path)
    _sync_folder(path.parent)


def _is_same(path: Path, data: bytes, mode: int | None, group: str) -> bool:
    try:
        found = path.stat()
        is_open = mode is not None and found.st_mode & 0o777 != mode
        if is_open or (mode is not None and _group_id(group) not in (None, found.st_gid)):
            return False
        return found.st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _write_aside(new: Path, data: bytes, mode: int | None, group: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode or 0o644)
    try:
        if mode is not None:
            os.fchmod(file, mode)
            if (number := _group_id(group)) is not None:
                os.fchown(file, -1, number)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def _group_id(group: str) -> int | None:
    if not group or os.geteuid() != 0:
        return None
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
