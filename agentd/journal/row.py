"""Values as rows of the journal's tables, and the statements that write them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from agentd.journal.minute import Row
from agentd.journal.writer import Job
from llmagentos.cause import Cause
from llmagentos.plan import Action, Applied, Plan
from llmagentos.reading import Reading

CAUSE: Final = "INSERT OR IGNORE INTO cause VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
APPLIED: Final = "INSERT INTO applied VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
READING: Final = "INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?, ?, ?)"
FAULT: Final = "INSERT INTO fault VALUES (NULL, ?, ?, ?, ?)"
NOTE: Final = "INSERT INTO note VALUES (NULL, ?, ?, ?)"
SEEN: Final = "INSERT OR REPLACE INTO seen VALUES (?, ?)"
DOCUMENT: Final = "INSERT OR REPLACE INTO document VALUES (?, ?, ?)"
NO_DOCUMENT: Final = "DELETE FROM document WHERE kind = ? AND name = ?"
TOLD: Final = "UPDATE intent SET is_told = 1 WHERE is_told = 0 AND id <= ?"

INTENT: Final = (
    "INSERT INTO intent (cause, occasion, at_s, actions) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (occasion) WHERE occasion <> '' DO NOTHING"
)
"""Changes nothing where the occasion is known."""

_SERIES: Final = "INSERT OR IGNORE INTO series (device, quantity, unit) VALUES (?, ?, ?)"

_MINUTE: Final = (
    "INSERT INTO minute SELECT (? << 16) | id, ?, ?, ?, ? FROM series "
    "WHERE device = ? AND quantity = ? AND unit = ? ON CONFLICT (id) DO UPDATE SET "
    "low = min(low, excluded.low), high = max(high, excluded.high), "
    "mean = (mean * count + excluded.mean * excluded.count) / (count + excluded.count), "
    "count = count + excluded.count"
)
"""A minute that comes in two parts becomes one."""

Values = tuple[object, ...]


def write(sql: str, values: Values, connection: sqlite3.Connection) -> None:
    """Carry out one statement."""
    connection.execute(sql, values)


def of_plan(plan: Plan, *, keeps_text: bool) -> Values:
    """For `CAUSE`."""
    origin = plan.origin
    return (
        str(plan.cause), plan.at.wall_s, origin.channel, origin.who, origin.area,
        int(origin.rank), plan.chosen_by, plan.text if keeps_text else None,
        str(plan.because) if plan.because else "",
    )  # fmt: skip


def of_applied(applied: Applied) -> Values:
    """For `APPLIED`."""
    verdict = applied.verdict
    return (
        str(applied.cause), applied.at.wall_s, applied.action.device, applied.action.name,
        json.dumps(dict(applied.action.args)), applied.stage.value,
        verdict.ruling.value if verdict else "", verdict.rule if verdict else "",
        applied.reason, json.dumps(dict(applied.state)), json.dumps(dict(applied.before)),
    )  # fmt: skip


def of_reading(reading: Reading, *, cause: Cause) -> Values:
    """For `READING`."""
    at_s = reading.at.wall_s
    return str(cause), at_s, reading.device, reading.quantity, reading.value, reading.unit


def of_intent(plan: Plan, actions: Sequence[Action]) -> Values:
    """For `INTENT`."""
    text = json.dumps([[each.device, each.name, dict(each.args)] for each in actions])
    return str(plan.cause), plan.occasion, plan.at.wall_s, text


def minutes(rows: Sequence[Row]) -> Job:
    """What writes minutes that have ended."""

    def write_minutes(connection: sqlite3.Connection) -> None:
        connection.executemany(_SERIES, [each[5:] for each in rows])
        connection.executemany(_MINUTE, rows)

    return Job(write_minutes, weight=len(rows), is_dispensable=True)
