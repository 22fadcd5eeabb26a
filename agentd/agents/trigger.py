"""When a trigger sets a rule off. Pure: what it remembers goes in and comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from agentd.agents import due as dues
from agentd.agents.due import Due
from agentd.agents.rule import AtTime, Crosses, Every, Takes, Trigger
from agentd.agents.schedule import Occurrence, next_occurrence
from agentd.agents.sight import Sight, Unknown
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.reading import Quality

DAY_S: Final = 86_400.0

_AHEAD_S: Final = 26 * 3600.0
"""A time of day that was kept so far in the future was kept by a clock that was wrong."""

_BACK_S: Final = 9 * DAY_S
"""No further back than this are times of day looked for that were missed."""


_DAYS: Final = 8
"""Clocks are put by hours, seldom by days."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a rule remembers from one instant to the next."""

    value: Scalar = None
    """The last good value; None before the first."""
    is_armed: bool = True
    """Whether going over the bound sets it off: it has been back since the last time."""
    beyond_since: Instant | None = None
    """Since when the reading is as waited for; None when it is not."""
    next: Due | None = None
    """When it comes again, for what comes again and again."""
    kept_s: float | None = None
    """Wall clock up to which times of day were dealt with; None before the first look."""
    kept_days: tuple[str, ...] = ()
    """Local dates on which a time of day was kept, the last `_DAYS` of them."""
    coming_s: float = 0.0
    """Wall clock before which no time of day has to be looked for again; only saves work."""
    rest: Due | None = None
    """End of the pause after a run; None for none."""


@dataclass(frozen=True, slots=True)
class Set:
    """A trigger set its rule off."""

    occasion: str
    """Tells it apart from every other time; without the rule's id."""
    late_s: float = 0.0
    """How late it is, for times of day."""
    is_lasting: bool = False
    """Whether it stays set until the rule ran: true for a bound that is still crossed."""


def pull(trigger: Trigger, memory: Memory, sight: Sight) -> tuple[Memory, tuple[Set, ...]]:
    """What the instant does to a trigger.

    Returns:
        What is remembered now, and each time it set the rule off, in order.
    """
    match trigger:
        case Takes():
            return _take(trigger, memory, sight)
        case Crosses():
            return _cross(trigger, memory, sight)
        case AtTime():
            return _strike(trigger, memory, sight)
        case Every(seconds):
            return _repeat(seconds, memory, sight)


def _take(trigger: Takes, memory: Memory, sight: Sight) -> tuple[Memory, tuple[Set, ...]]:
    found: list[Set] = []
    for reading in sight.readings:
        is_other = trigger.quantity is not None and reading.quantity != trigger.quantity
        if reading.device != trigger.device or is_other or reading.quality is not Quality.GOOD:
            continue
        is_new, is_it = reading.value != memory.value, reading.value == trigger.value
        memory = replace(memory, value=reading.value)
        if not is_it:
            memory = replace(memory, beyond_since=None)
        elif is_new and trigger.for_s:
            memory = replace(memory, beyond_since=sight.now.at)
        elif is_new:
            found.append(Set(_moment(sight, len(found))))
    if memory.beyond_since is None:
        return memory, tuple(found)
    state = sight.states.get(trigger.device)
    if state is None or state.quality is not Quality.GOOD:
        return replace(memory, beyond_since=None), ()
    if memory.beyond_since.age_s(sight.now.at) < trigger.for_s:
        return memory, ()
    return replace(memory, beyond_since=None), (Set(_moment(sight)),)


def _cross(trigger: Crosses, memory: Memory, sight: Sight) -> tuple[Memory, tuple[Set, ...]]:
    value = sight.number(trigger.device, trigger.quantity)
    if isinstance(value, Unknown):
        return replace(memory, beyond_since=None), ()
    sign = 1.0 if trigger.is_above else -1.0
    beyond = sign * (value - trigger.bound)
    if beyond <= 0:
        is_back = beyond <= -trigger.hysteresis
        return replace(memory, is_armed=memory.is_armed or is_back, beyond_since=None), ()
    if not memory.is_armed:
        return memory, ()
    since = memory.beyond_since or sight.now.at
    memory = replace(memory, beyond_since=since)
    if since.age_s(sight.now.at) < trigger.for_s:
        return memory, ()
    return memory, (Set(_moment(sight), is_lasting=True),)


def _strike(trigger: AtTime, memory: Memory, sight: Sight) -> tuple[Memory, tuple[Set, ...]]:
    if not sight.now.is_clock_set:
        return memory, ()
    now_s, kept_s = sight.now.at.wall_s, memory.kept_s
    if kept_s is None or kept_s > now_s + _AHEAD_S:
        return replace(memory, kept_s=now_s, coming_s=0.0), ()
    if now_s < memory.coming_s:
        return memory, ()
    last, coming = _around(trigger, max(kept_s, now_s - _BACK_S), sight)
    memory = replace(memory, coming_s=coming.wall_s)
    if last is None:
        return memory, ()
    memory = replace(memory, kept_s=last.wall_s)
    if last.day in memory.kept_days:  # the clock was put back over a time that was kept
        return memory, ()
    late_s, occasion = now_s - last.wall_s, f"{last.day}T{trigger.at:%H:%M}"
    if late_s <= trigger.late_s:
        memory = replace(memory, kept_days=(*memory.kept_days, last.day)[-_DAYS:])
    return memory, (Set(occasion, late_s=late_s),)


def _around(trigger: AtTime, after_s: float, sight: Sight) -> tuple[Occurrence | None, Occurrence]:
    """The newest occurrence that is over by now (older ones were missed with it), and the next."""
    last = None
    while True:
        found = next_occurrence(
            after_s, hour=trigger.at.hour, minute=trigger.at.minute, zone=sight.now.zone,
            weekdays=trigger.weekdays,
        )  # fmt: skip
        if found.wall_s > sight.now.at.wall_s:
            return last, found
        last, after_s = found, found.wall_s


def _repeat(seconds: float, memory: Memory, sight: Sight) -> tuple[Memory, tuple[Set, ...]]:
    due = dues.reckon(memory.next, sight.now) if memory.next else dues.after(seconds, sight.now)
    left = dues.left(due, sight.now)
    if left is None or left.seconds > 0:
        return replace(memory, next=due), ()
    # Steady as long as it keeps up; what was missed meanwhile is not made up for.
    rest_s = max(seconds + left.seconds, 0.0) or seconds
    return replace(memory, next=dues.after(rest_s, sight.now)), (Set(_moment(sight)),)


def _moment(sight: Sight, count: int = 0) -> str:
    ending = f".{count}" if count else ""
    return f"{sight.now.boot}+{sight.now.at.mono_s:.3f}{ending}"
