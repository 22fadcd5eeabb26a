"""A rule as data: a trigger, conditions, what is done, and when it keeps quiet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from llmagentos.kind import Scalar
from llmagentos.plan import Action


@dataclass(frozen=True, slots=True)
class Takes:
    """A reading becomes a value, and stays so for a while."""

    device: str
    value: Scalar
    quantity: str | None = None
    """None means whichever quantity the device sends."""
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Crosses:
    """A reading goes over a bound, and stays beyond it for a while.

    It sets the rule off when it is first seen beyond the bound, and again once it has been back.
    """

    device: str
    bound: float
    """In the sensor's unit."""
    is_above: bool
    """Which side is beyond."""
    quantity: str | None = None
    """None means the main one."""
    hysteresis: float = 0.0
    """How far it must come back, in the sensor's unit."""
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AtTime:
    """The home's clock shows a time."""

    at: time
    weekdays: tuple[int, ...] = ()
    """0 for Monday to 6 for Sunday; empty for every day."""
    late_s: float = 600.0
    """How late it may still be kept, in seconds."""


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again."""

    seconds: float


Trigger = Takes | Crosses | AtTime | Every


@dataclass(frozen=True, slots=True)
class Is:
    """A device's value is this one."""

    device: str
    value: Scalar
    quantity: str | None = None


@dataclass(frozen=True, slots=True)
class InRange:
    """A device's number lies in a range, its ends included."""

    device: str
    low: float | None
    high: float | None
    quantity: str | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """From one time of day until just before another, over midnight where the end comes first."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class During:
    """The home's clock shows a time within hours, on certain days."""

    hours: Hours | None
    weekdays: tuple[int, ...] = ()
    """0 for Monday to 6 for Sunday; empty for every day."""


Condition = Is | InRange | During


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a rule does."""

    action: Action
    for_s: float | None = None
    """After so many seconds `back` is done; None leaves it so."""
    back: Action | None = None
    """The opposite of `action`, where `for_s` or a lease needs one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the interpreter runs."""

    id: str
    when: Trigger
    do: tuple[Deed, ...] = ()
    say: str = ""
    """What is said when it runs; empty for nothing."""
    only_if: tuple[Condition, ...] = ()
    """All must hold, and be known."""
    quiet: Hours | None = None
    """When it does not run."""
    cooldown_s: float = 0.0
    """Shortest pause between two runs."""
    lease_s: float | None = None
    """What it did is undone after so long, unless it runs again before."""
    is_enabled: bool = True
    written: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Its table as it was written, JSON-able."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What it does, in order."""
        return tuple(deed.action for deed in self.do)

    @property
    def devices(self) -> frozenset[str]:
        """The outputs that it touches."""
        return frozenset(deed.action.device for deed in self.do)
