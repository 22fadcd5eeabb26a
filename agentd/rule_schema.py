"""A rule's table as types: the same for `[[rule]]` in agentd.toml and for rules added later."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from agentd.schema import ActionTable, Id, Seconds

ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Hours = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")
]
"""22:00-06:00 goes over midnight."""
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Sentence = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Pause = Annotated[float, Meta(ge=0)]


class TriggerTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`when`: exactly one of `value`, `above`, `below`, `at` and `every_s`."""

    device: Id | None = None
    """Whose reading starts it."""
    quantity: str | None = None
    """Which of its quantities; None means its main one."""
    value: str | int | float | bool | None = None
    """It becomes this (pressed, on)."""
    above: float | None = None
    """It rises above this, in the sensor's unit."""
    below: float | None = None
    """It falls below this, in the sensor's unit."""
    hysteresis: Pause = 0.0
    """How far it must go back beyond the bound before it can set the rule off again."""
    for_s: Pause = 0.0
    """How long it must stay so, in seconds."""
    at: ClockTime | None = None
    """A time of day, HH:MM in the home's time zone."""
    days: tuple[Day, ...] = ()
    """Days of the week for `at`; none means every day."""
    late_s: Pause = 600.0
    """How late `at` may still be kept, in seconds, when the box was away or the clock jumped."""
    every_s: Annotated[float, Meta(ge=1)] | None = None
    """Again and again, with so many seconds in between."""


class ConditionTable(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of `only_if`: a device's `value` or range, or a time of day."""

    device: Id | None = None
    quantity: str | None = None
    """Which of its quantities; None means its main one, or an output's state."""
    value: str | int | float | bool | None = None
    """It must be this."""
    min: float | None = None
    """It must be at least this."""
    max: float | None = None
    """It must be at most this."""
    between: Hours | None = None
    """Only within these hours."""
    days: tuple[Day, ...] = ()
    """Only on these days; the hours after midnight belong to the day that has begun."""


class DeedTable(ActionTable, frozen=True, forbid_unknown_fields=True):
    """One row of `do`."""

    for_s: Seconds | None = None
    """After so many seconds the opposite is done; None leaves it so."""


class RuleTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[rule]]`"""

    id: Id
    when: TriggerTable
    do: tuple[DeedTable, ...] = ()
    say: Sentence = ""
    """What the box says when it runs."""
    only_if: tuple[ConditionTable, ...] = ()
    """All of them must hold, and be known, or it does not run."""
    quiet_hours: Hours | None = None
    """When it does not run."""
    cooldown_s: Pause = 0.0
    """Shortest pause between two runs, in seconds."""
    lease_s: Seconds | None = None
    """What it did is undone after so many seconds, unless it runs again before."""
    enabled: bool = True
