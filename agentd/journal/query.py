"""What is asked of the journal, as SQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from agentd.journal.entry import Entry, Fault, Interrupted, Letter, Minute, Note
from agentd.journal.minute import MINUTE_S
from llmagentos.plan import Action, Stage

_COLUMNS: Final = {
    "cause": "a.cause", "at_s": "a.at_s", "device": "a.device", "action": "a.action",
    "stage": "a.stage", "rule": "a.rule", "reason": "a.reason",
    "channel": "coalesce(c.channel, '')", "who": "coalesce(c.who, '')",
    "chosen_by": "coalesce(c.chosen_by, '')", "text": "c.text", "id": "a.id", "args": "a.args",
    "ruling": "a.ruling", "state": "a.state", "before": "a.before", "area": "c.area",
    "rank": "coalesce(c.rank, 0)", "because": "coalesce(c.because, '')",
    "made_at_s": "m.at_s", "made_channel": "coalesce(m.channel, '')",
    "made_who": "coalesce(m.who, '')", "made_area": "m.area",
    "reading": "CASE WHEN r.cause IS NULL THEN '{}' ELSE json_object('device', r.device, "
    "'quantity', r.quantity, 'value', r.value, 'unit', r.unit) END",
}  # fmt: skip
"""Fields of `Entry`, and where they stand."""

_JSON: Final = ("args", "state", "before", "reading")

_ENTRIES: Final = (
    f"SELECT {', '.join(_COLUMNS.values())} FROM applied a "
    "LEFT JOIN cause c ON c.cause = a.cause LEFT JOIN cause m ON m.cause = c.because "
    "LEFT JOIN reading r ON r.cause = a.cause "
)

_DONE: Final = tuple(stage.value for stage in Stage if stage not in (Stage.REFUSED, Stage.FAILED))

Quote = Callable[[str], str | None]
"""What was said for a cause, if it is still known."""


def last(
    connection: sqlite3.Connection, *, device: str | None, limit: int, quote: Quote
) -> tuple[Entry, ...]:
    """The newest entries that changed a device; none of the sweeps unless for one device."""
    which = "a.device = ?" if device else "a.rule NOT IN ('start', 'end')"
    query = (
        f"{_ENTRIES} WHERE a.stage IN ({', '.join('?' * len(_DONE))}) AND {which} "
        "ORDER BY a.id DESC LIMIT ?"
    )
    values = [*_DONE, *([device] if device else []), limit]
    return tuple(_entry(row, quote) for row in connection.execute(query, values))


def entries(
    connection: sqlite3.Connection, wanted: Mapping[str, object], *, limit: int, quote: Quote
) -> tuple[Entry, ...]:
    """The newest entries to which each wanted condition applies, unless its value is None."""
    terms = {term: value for term, value in wanted.items() if value is not None}
    where = f"WHERE {' AND '.join(f'{term} ?' for term in terms)}" if terms else ""
    query = f"{_ENTRIES} {where} ORDER BY a.id DESC LIMIT ?"
    rows = connection.execute(query, (*terms.values(), limit))
    return tuple(_entry(row, quote) for row in rows)


def minutes(
    connection: sqlite3.Connection, *, device: str, quantity: str, since_s: float, until_s: float
) -> tuple[Minute, ...]:
    """One sensor's minutes that began within a time, oldest first."""
    query = (
        "SELECT (m.id >> 16) * ?, m.low, m.mean, m.high, m.count, s.unit "
        "FROM series s JOIN minute m ON (m.id & 65535) = s.id AND m.id BETWEEN ? AND ? "
        "WHERE s.device = ? AND s.quantity = ? ORDER BY m.id"
    )
    first, final = int(-(-since_s // MINUTE_S)), int(until_s // MINUTE_S)
    values = (MINUTE_S, first << 16, (final << 16) | 65535, device, quantity)
    return tuple(
        Minute(device, quantity, unit, float(at_s), low, mean, high, count)
        for at_s, low, mean, high, count, unit in connection.execute(query, values)
    )


def notes(
    connection: sqlite3.Connection, *, since_s: float, until_s: float, limit: int
) -> tuple[Note, ...]:
    """The newest notes within a time, newest first."""
    query = "SELECT at_s, kind, text FROM note WHERE at_s BETWEEN ? AND ? ORDER BY id DESC LIMIT ?"
    return tuple(Note(*row) for row in connection.execute(query, (since_s, until_s, limit)))


def faults(
    connection: sqlite3.Connection, *, since_s: float, until_s: float, limit: int
) -> tuple[Fault, ...]:
    """The newest faults within a time, newest first."""
    query = (
        "SELECT at_s, device, rule, reason FROM fault WHERE at_s BETWEEN ? AND ? "
        "ORDER BY id DESC LIMIT ?"
    )
    return tuple(Fault(*row) for row in connection.execute(query, (since_s, until_s, limit)))


def interrupted(connection: sqlite3.Connection, *, up_to: int) -> tuple[Interrupted, ...]:
    """Intents that were not told yet and of which an action has no applied row, oldest first."""
    query = (
        "SELECT id, cause, occasion, actions, at_s FROM intent "
        "WHERE is_told = 0 AND id <= ? ORDER BY id"
    )
    found = []
    for _, cause, occasion, actions, at_s in connection.execute(query, (up_to,)).fetchall():
        known = connection.execute("SELECT device FROM applied WHERE cause = ?", (cause,))
        left = _without(
            tuple(Action(*each) for each in json.loads(actions)), [device for (device,) in known]
        )
        if left:
            found.append(Interrupted(cause, occasion, left, at_s))
    return tuple(found)


def saved(connection: sqlite3.Connection, kind: str) -> dict[str, str]:
    """All documents of one kind, by name."""
    query = "SELECT name, body FROM document WHERE kind = ? ORDER BY name"
    return dict(connection.execute(query, (kind,)).fetchall())


def seen(connection: sqlite3.Connection) -> dict[str, float]:
    """Names of commands, and when they were begun."""
    return dict(connection.execute("SELECT key, at_s FROM seen").fetchall())


def newest(connection: sqlite3.Connection, table: str, key: str) -> int:
    """Highest number in a table; 0 when it is empty."""
    return int(connection.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()[0])


def letters(connection: sqlite3.Connection) -> tuple[Letter, ...]:
    """All events that wait, oldest first."""
    query = "SELECT number, kind, body FROM outbox ORDER BY number"
    return tuple(Letter(*row) for row in connection.execute(query))


def _without(actions: tuple[Action, ...], devices: list[str]) -> tuple[Action, ...]:
    """The actions but for one of each device; the gate may have changed what was done to it."""
    left = []
    for action in actions:
        if action.device in devices:
            devices.remove(action.device)
        else:
            left.append(action)
    return tuple(left)


def _entry(row: Sequence[Any], quote: Quote) -> Entry:
    known = dict(zip(_COLUMNS, row, strict=True))
    for name in _JSON:
        known[name] = json.loads(known[name])
    return Entry(**{**known, "text": quote(known["cause"]) or known["text"]})
