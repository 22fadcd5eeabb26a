"""Plans, deeds and readings to write down, and a look into the file from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agentd.journal import Journal
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.plan import Action, Applied, Plan, Ruling, Stage, Verdict
from llmagentos.reading import Quality, Reading

ANNA = Origin(Rank.PERSON, "cli", "anna", "kitchen")
NOW = Instant(1000.0, 1_790_000_000.0)
ON = Action("pump", "turn_on")


def plan(*actions: Action, number: int = 1, now: Instant = NOW, **more: Any) -> Plan:
    return Plan(actions or (ON,), Cause("box", "00000000", number), ANNA, now, **more)


def applied(wish: Plan, action: Action | None = None, *, now: Instant | None = None) -> Applied:
    action = action or wish.actions[0]
    verdict = Verdict(Ruling.ALLOW, action, action)
    return Applied(
        action,
        Stage.READ_BACK,
        wish.cause,
        now or wish.at,
        {"state": "on"},
        {"state": "off"},
        verdict,
    )


def do(journal: Journal, wish: Plan) -> None:
    """Record a plan and that all of it was done."""
    journal.record_plan(wish)
    for action in wish.actions:
        journal.record_applied(applied(wish, action))


def reading(value: Any, *, wall_s: float, device: str = "soil", **more: Any) -> Reading:
    quality = more.pop("quality", Quality.GOOD)
    at = Instant(wall_s, wall_s)
    return Reading(device, "moisture", value, "%", at, quality, **more)


def look(path: Path, query: str, values: Sequence[Any] = ()) -> list[Any]:
    """What is on disk, seen by somebody else."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def is_sound(path: Path) -> bool:
    return look(path, "PRAGMA integrity_check") == [("ok",)]
