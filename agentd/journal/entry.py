"""What is read out of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmagentos.kind import Scalar
from llmagentos.plan import Action


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing done or refused, with what started it."""

    cause: str

    at_s: float
    """Wall clock, seconds since 1970."""

    device: str
    action: str
    stage: str
    rule: str
    reason: str

    channel: str
    """Way in of the wish; empty when its plan is not known any more."""

    who: str
    chosen_by: str

    text: str | None
    """What was said; None when it was neither kept in memory nor written down."""

    id: int = 0
    """Counts up; a later entry has a higher one, whatever the clock did."""

    args: Mapping[str, Scalar] = field(default_factory=dict)
    ruling: str = ""
    """The gate's word; empty for what the gate itself ordered."""

    state: Mapping[str, Scalar] = field(default_factory=dict)
    """As read back afterwards; empty when nothing was."""

    before: Mapping[str, Scalar] = field(default_factory=dict)
    """As it was just before; empty when that is not known."""

    area: str | None = None
    """Where the speaker stood."""

    rank: int = 0
    """Of the origin, a `llmagentos.cause.Rank`."""

    because: str = ""
    """Cause of the promise that it keeps; empty for what was asked for at once."""

    made_at_s: float | None = None
    """When that promise was made, wall clock; None when that is not known."""

    made_channel: str = ""
    """Way in of that promise."""

    made_who: str = ""
    made_area: str | None = None

    reading: Mapping[str, Scalar] = field(default_factory=dict)
    """The reading that caused it: `device`, `quantity`, `value`, `unit`; empty for none."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A plan of an earlier run that may have been cut short: begun, and not known to be done."""

    cause: str
    occasion: str
    """Empty for a plan without one."""

    actions: tuple[Action, ...]
    """Those that nothing is known of."""

    at_s: float
    """When it was begun, wall clock."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What one sensor's good readings of one quantity were within one minute of the wall clock."""

    device: str
    quantity: str
    unit: str

    at_s: float
    """When the minute began, seconds since 1970."""

    low: float
    mean: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Note:
    """A start, an end, a stop, a reset ..."""

    at_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that latched."""

    at_s: float
    device: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Letter:
    """An event that must arrive, until it has."""

    number: int
    """Never used twice."""

    kind: str
    """The event's, as in `event/<kind>`."""

    body: str
    """JSON object."""
