"""The file on disk: opened when it is sound, set aside when it is not."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentd.journal import schema
from agentd.journal.errors import JournalError
from llmagentos.clock import Clock

_log = logging.getLogger(__name__)

BUSY_S: Final = 1.0
"""Longest wait for somebody else who holds the file, a person's sqlite3 for example."""

_CHECKED_WHOLE_BYTES: Final = 8 * 1024 * 1024
"""A file up to this size is looked through at each start; of a larger one, whose reading would
take seconds on a card, the tables of what was promised alone. The rest is found out when it is
read."""

_OURS: Final = "vfs=unix-excl"
"""No other process can open the file while this one has it, and SQLite keeps the index of the
write-ahead file in memory: in a file of its own it would cost the card as much again as the
journal itself, for the kernel writes it out twice a minute."""

_PAGE_BYTES: Final = 1024
"""Of a new file. A commit touches a dozen pages and writes each of them whole: a day of 500
actuations costs the card 11 MB with these, 25 MB with SQLite's usual 4096."""

_TAILS: Final = ("", "-wal", "-shm")
"""The third is made by other programs that look into the file while nobody serves it."""

_WAL_MAGIC: Final = (0x377F0682, 0x377F0683)

_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""What SQLite says of a file that is not (any more) one of ours: SQLITE_ERROR is a missing table
or column."""


class Damaged(Exception):
    """The file is not sound; the text says why."""


def is_damage(exc: Exception) -> bool:
    """Whether an error means that the file itself is broken, not the disk under it."""
    return isinstance(exc, Damaged) or (
        isinstance(exc, sqlite3.Error) and getattr(exc, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
    )


class JournalFile:
    """Where the journal lies."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        """Nothing is opened yet."""
        self.path = path
        self._clock = clock
        self.set_aside: Path | None = None
        """Where a broken file was moved last; None when there was none."""
        self.why = ""
        """What was wrong with it."""

    def open(self) -> sqlite3.Connection:
        """Open it for writing; a broken one is set aside, and its promises are taken over.

        Raises:
            JournalError: the disk does not let us.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if reason := _wal_damage(self.path):
                self._move(reason, tails=("-wal", "-shm"))
            try:
                return self._connect()
            except (Damaged, sqlite3.Error) as exc:
                if not is_damage(exc):
                    raise
                self._move(str(exc), tails=_TAILS)
                connection = self._connect()
                rescue(self.set_aside, connection)
                return connection
        except (OSError, sqlite3.Error) as exc:
            raise JournalError(f"{self.path}: cannot be opened: {exc}") from exc

    @contextlib.contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection that can only read.

        Raises:
            JournalError: it cannot be read, found out here or in the block.
        """
        try:
            with contextlib.closing(_open_to_read(self.path)) as connection:
                yield connection
        except sqlite3.Error as exc:
            raise JournalError(f"{self.path}: cannot be read: {exc}") from exc

    def _connect(self) -> sqlite3.Connection:
        if self.path.is_dir():
            raise Damaged("it is a folder")
        is_new = not self.path.exists()
        if not is_new and not self.path.stat().st_size:
            raise Damaged("it is empty")
        if not is_new and not os.access(self.path, os.W_OK):
            # SQLite would open it, and never notice that the disk lets us write again.
            raise PermissionError("it may only be read")
        uri = f"{self.path.absolute().as_uri()}?{_OURS}"
        try:
            connection = sqlite3.connect(
                uri, timeout=BUSY_S, isolation_level=None, check_same_thread=False, uri=True
            )
        except sqlite3.Error as exc:  # not the file's fault
            raise OSError(str(exc)) from exc
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            if is_new:  # half a file would be taken for a broken one
                self._remove()
            raise
        if is_new:
            _sync_folder(self.path.parent)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        found = schema.version(connection)
        if found > schema.VERSION:
            text = f"it is of version {found}, this program knows {schema.VERSION} at most"
            raise Damaged(text)
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        self._check(connection)
        schema.migrate(connection)
        if missing := _expected() - schema.parts(connection):
            raise Damaged(f"it has no {'.'.join(min(missing))}")

    def _check(self, connection: sqlite3.Connection) -> None:
        names: tuple[str, ...] = ("",)
        if self.path.stat().st_size > _CHECKED_WHOLE_BYTES:
            present = {table for table, _ in schema.parts(connection)}
            names = tuple(f"('{name}')" for name in schema.PROMISED if name in present)
        for name in names:
            (word,) = connection.execute(f"PRAGMA quick_check{name}").fetchone()
            if word != "ok":
                raise Damaged(str(word))

    def _remove(self) -> None:
        for tail in _TAILS:
            Path(f"{self.path}{tail}").unlink(missing_ok=True)

    def _move(self, reason: str, *, tails: tuple[str, ...]) -> None:
        """Keep the broken file under another name, instead of one of an earlier run."""
        target = self.path.with_suffix(f".corrupt-{int(self._clock().wall_s)}")
        for old in self.path.parent.glob(f"{self.path.stem}.corrupt-*"):
            if self.set_aside is None and old.is_file():
                old.unlink()
        for tail in tails:
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}{tail}").rename(f"{target}{tail}")
        _sync_folder(self.path.parent)
        self.set_aside, self.why = Path(f"{target}{tails[0]}"), reason
        _log.error("journal %s is corrupt (%s), set aside as %s", self.path, reason,
                   self.set_aside.name)  # fmt: skip


def rescue(broken: Path | None, connection: sqlite3.Connection) -> int:
    """Take the promises over out of a file that was set aside, as far as it can be read.

    Returns:
        How many rows.
    """
    count = 0
    with contextlib.suppress(OSError, sqlite3.Error):
        if broken is None or not broken.is_file():
            return 0
        with contextlib.closing(_open_to_read(broken)) as old:
            if schema.version(old) != schema.VERSION:
                return 0
            connection.execute("BEGIN IMMEDIATE")
            count = sum(_copy(table, old, connection) for table in schema.PROMISED)
            connection.execute("COMMIT")
    return count


def _copy(table: str, old: sqlite3.Connection, new: sqlite3.Connection) -> int:
    """Row by row, up to the first that cannot be read."""
    count = 0
    with contextlib.suppress(sqlite3.Error):
        for row in old.execute(f"SELECT * FROM {table}"):
            marks = ", ".join("?" * len(row))
            count += new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row).rowcount
    return count


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Open a file to read.

    On a read-only file system SQLite does not read the write-ahead file that a death left; what
    stands in the main one, older by some hours at most, can be read as if it never changed.
    """
    uri = path.absolute().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro&{_OURS}", timeout=BUSY_S, uri=True)
    try:
        connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if os.access(path.parent, os.W_OK):
            raise
        connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", timeout=BUSY_S, uri=True)
    return connection


def _expected() -> set[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        schema.migrate(model)
        return schema.parts(model)


def _sync_folder(folder: Path) -> None:
    """Make the names in it last; the file's own bytes are SQLite's business."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _wal_damage(path: Path) -> str:
    """Why SQLite would silently pass over the write-ahead file; empty when it is sound or absent.

    A torn end is no damage: what stands there was never acknowledged.
    """
    try:
        with Path(f"{path}-wal").open("rb") as file:
            head = file.read(32)
    except FileNotFoundError:
        return ""
    if not head:
        return ""
    if len(head) < 32 or int.from_bytes(head[:4], "big") not in _WAL_MAGIC:
        return "its write-ahead file has no head"
    order = ">" if head[3] & 1 else "<"
    words = struct.unpack(f"{order}6I", head[:24])
    first = second = 0
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    is_sound = struct.unpack(">2I", head[24:]) == (first, second)
    return "" if is_sound else "the head of its write-ahead file is damaged"
