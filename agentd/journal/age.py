"""How long things are kept, and how much; pruned a little at a time by the writer's own thread.

Meant for an SD card of 8 GB and more. A hundred sensors and 500 actuations a day make the card
write some 25 MB and the file grow by 6 MB, so that it holds six weeks of minutes; a household
with ten sensors reaches the ages first. The file does not shrink, what is freed in it is used
again. Measured by `tests/bench_journal.py`.

A clock that was wrong for a while must not cost the history: by age, only a few of the oldest
rows go in one pass, a little more than a busy house writes between two.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from math import inf
from typing import Final

from agentd.journal.minute import MINUTE_S
from llmagentos.clock import Instant

_DAY_S: Final = 86_400.0

_PASS_S: Final = 600.0
"""Pause between two passes."""

_CHUNK: Final = 1000
"""Rows deleted in one transaction: 10 ms on a slow card."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds of the journal."""

    bytes: int = 256 * 1024 * 1024
    """Size of what is kept; beyond it the oldest minutes go, then the oldest entries."""

    rows: int = 200_000
    """Entries, and causes, kept."""

    readings_s: float = 90 * _DAY_S
    """Age of minutes."""

    entries_s: float = 365 * _DAY_S
    """Age of entries, their causes, notes and faults."""

    intents_s: float = 30 * _DAY_S
    """Age of intents: an occasion is known to have been begun for so long."""

    seen_s: float = 3600.0
    """Age of the names of commands, many times the window in which they count."""

    letters_s: float = 7 * _DAY_S
    """Age of an event that a broker has not taken."""


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    key: str
    """Column in whose order rows came; the oldest row has the lowest."""
    at_s: str
    """Expression for a row's time."""
    age: str
    """Field of `Caps` that bounds it."""
    at_once: int
    """Rows that one pass takes at most."""


_TABLES: Final = (
    _Table("minute", "id", f"(id >> 16) * {MINUTE_S}", "readings_s", 5 * _CHUNK),
    _Table("applied", "id", "at_s", "entries_s", _CHUNK),
    _Table("cause", "rowid", "at_s", "entries_s", _CHUNK),
    _Table("reading", "rowid", "at_s", "entries_s", _CHUNK),
    _Table("note", "id", "at_s", "entries_s", _CHUNK),
    _Table("fault", "id", "at_s", "entries_s", _CHUNK),
    _Table("intent", "id", "at_s", "intents_s", _CHUNK),
    _Table("seen", "key", "at_s", "seen_s", _CHUNK),
    _Table("outbox", "number", "at_s", "letters_s", _CHUNK),
)

_COUNTED: Final = ("applied", "cause", "reading", "note", "fault")
"""Tables that `Caps.rows` bounds."""

_BULK: Final = ("minute", "applied", "cause", "reading", "note", "fault")
"""What gives way to `Caps.bytes`, first to last; what was promised never does."""


class Ageing:
    """Decides what goes, and when."""

    def __init__(self, caps: Caps) -> None:
        """Nothing was looked at yet."""
        self._caps = caps
        self._looked_at_s = -inf

    def tend(self, connection: sqlite3.Connection, now: Instant) -> bool:
        """Do one small piece, in a transaction of its own; whether more is due at once."""
        if now.mono_s - self._looked_at_s < _PASS_S:
            return False
        connection.execute("BEGIN IMMEDIATE")
        has_more = self._shrink(connection)
        if not has_more:
            self._age(connection, now)
            self._looked_at_s = now.mono_s
        connection.execute("COMMIT")
        return has_more

    def _shrink(self, connection: sqlite3.Connection) -> bool:
        """Delete some of the oldest rows beyond a size; whether there were any."""
        for name in _COUNTED:
            (count,) = connection.execute(
                # In one SELECT for both it would read the whole table.
                f"SELECT coalesce((SELECT max(rowid) FROM {name}) - "
                f"(SELECT min(rowid) FROM {name}) + 1, 0)"
            ).fetchone()
            if count > self._caps.rows:
                return _delete_oldest(connection, name, min(_CHUNK, count - self._caps.rows)) > 0
        if used_bytes(connection) <= self._caps.bytes:
            return False
        return any(_delete_oldest(connection, name, _CHUNK) for name in _BULK)

    def _age(self, connection: sqlite3.Connection, now: Instant) -> None:
        for table in _TABLES:
            oldest_s = now.wall_s - getattr(self._caps, table.age)
            connection.execute(
                f"DELETE FROM {table.name} WHERE {table.key} IN ("
                f"SELECT {table.key} FROM {table.name} ORDER BY {table.key} LIMIT ?"
                f") AND {table.at_s} < ?",
                (table.at_once, oldest_s),
            )


def used_bytes(connection: sqlite3.Connection) -> int:
    """Size of what the file holds, without what is free in it."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _delete_oldest(connection: sqlite3.Connection, table: str, count: int) -> int:
    return connection.execute(
        f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} ORDER BY rowid LIMIT ?)",
        (count,),
    ).rowcount
