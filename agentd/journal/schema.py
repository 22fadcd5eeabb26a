"""The tables, and how a file of an older version becomes one of this.

Everything is appended in the order of time, so that a minute's rows touch a few pages at the end
of each tree: that, not the number of rows, is what wears a card out.
"""

from __future__ import annotations

import sqlite3
from typing import Final

_TO_1: Final = """
CREATE TABLE IF NOT EXISTS cause (
    cause     TEXT PRIMARY KEY,
    at_s      REAL NOT NULL,
    channel   TEXT NOT NULL,
    who       TEXT NOT NULL,
    area      TEXT,
    rank      INTEGER NOT NULL,
    chosen_by TEXT NOT NULL,
    text      TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS applied (
    id     INTEGER PRIMARY KEY,
    cause  TEXT NOT NULL,
    at_s   REAL NOT NULL,
    device TEXT NOT NULL,
    action TEXT NOT NULL,
    args   TEXT NOT NULL,
    stage  TEXT NOT NULL,
    ruling TEXT NOT NULL,
    rule   TEXT NOT NULL,
    reason TEXT NOT NULL,
    state  TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS applied_by_device ON applied (device, id);
CREATE TABLE IF NOT EXISTS note (
    id   INTEGER PRIMARY KEY,
    at_s REAL NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
"""
"""Files of before there were versions hold these tables and say 0, like an empty file."""

_TO_2: Final = """
ALTER TABLE applied ADD COLUMN before TEXT NOT NULL DEFAULT '{}';
CREATE INDEX applied_by_cause ON applied (cause);
CREATE INDEX applied_by_time ON applied (at_s);
ALTER TABLE cause ADD COLUMN because TEXT NOT NULL DEFAULT '';
CREATE TABLE fault (
    id     INTEGER PRIMARY KEY,
    at_s   REAL NOT NULL,
    device TEXT NOT NULL,
    rule   TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE reading (              -- the one that caused an action, in full
    cause    TEXT PRIMARY KEY,
    at_s     REAL NOT NULL,
    device   TEXT NOT NULL,
    quantity TEXT NOT NULL,
    value    ANY NOT NULL,
    unit     TEXT NOT NULL
) STRICT;
CREATE TABLE series (
    id       INTEGER PRIMARY KEY,   -- at most 65535
    device   TEXT NOT NULL,
    quantity TEXT NOT NULL,
    unit     TEXT NOT NULL,
    UNIQUE (device, quantity, unit)
) STRICT;
CREATE TABLE minute (
    id    INTEGER PRIMARY KEY,      -- minutes since 1970 << 16 | series.id
    low   REAL NOT NULL,
    mean  REAL NOT NULL,
    high  REAL NOT NULL,
    count INTEGER NOT NULL
) STRICT;
CREATE TABLE intent (
    id       INTEGER PRIMARY KEY,
    cause    TEXT NOT NULL,
    occasion TEXT NOT NULL,
    at_s     REAL NOT NULL,
    actions  TEXT NOT NULL,
    is_told  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX intent_by_occasion ON intent (occasion) WHERE occasion <> '';
CREATE TABLE document (             -- promises, rules, the gate's counters ...
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE seen (
    key  TEXT PRIMARY KEY,
    at_s REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    at_s   REAL NOT NULL,
    kind   TEXT NOT NULL,
    body   TEXT NOT NULL
) STRICT;
"""

_STEPS: Final = (_TO_1, _TO_2)

VERSION: Final = len(_STEPS)
"""`PRAGMA user_version` of a file with all of it."""

PROMISED: Final = ("document", "intent", "outbox", "seen")
"""Tables that must not be lost: looked through at each start, and taken over out of a file that
is set aside, as far as they can be read."""


def version(connection: sqlite3.Connection) -> int:
    """The version that a file says it has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file up to this version, each step whole or not at all."""
    for number in range(version(connection), VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE;{_STEPS[number]}PRAGMA user_version = {number + 1};COMMIT;"
        )


def parts(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Every table with each of its columns, every index with an empty one."""
    query = (
        "SELECT m.name, coalesce(p.name, '') FROM sqlite_schema m "
        "LEFT JOIN pragma_table_info(m.name) p"
    )
    return set(connection.execute(query).fetchall())
