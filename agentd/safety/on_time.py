"""How long an output was on within the last 24 hours, kept in few numbers.

The day is a rolling one, told on the monotonic clock: a calendar day needs a clock that is set,
and may be 23 or 25 hours long. On-time is kept in slots of half an hour, and a slot is forgotten
only when all of it is more than 24 hours old, so the sum errs towards too much, never too little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

DAY_S: Final = 86_400.0
SLOT_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class OnTime:
    """Seconds of being on, by half hour."""

    slots: tuple[tuple[int, float], ...] = ()
    """(number of the half hour on the monotonic clock, seconds on in it), oldest first."""

    def add(self, begin_s: float, end_s: float) -> OnTime:
        """With another stretch of being on; forgets what is older than a day at its end."""
        begin_s = max(begin_s, end_s - DAY_S)
        slots = {slot: on_s for slot, on_s in self.slots if _is_of_the_day(slot, end_s)}
        while begin_s < end_s:
            slot = math.floor(begin_s / SLOT_S)
            edge_s = min(end_s, (slot + 1) * SLOT_S)
            slots[slot] = slots.get(slot, 0.0) + edge_s - begin_s
            begin_s = edge_s
        return OnTime(tuple(sorted(slots.items())))

    def within_day_s(self, now_s: float) -> float:
        """Seconds on within the last 24 hours, or up to half an hour more."""
        return sum(on_s for slot, on_s in self.slots if _is_of_the_day(slot, now_s))

    def moved(self, later_s: float) -> OnTime:
        """The same on another monotonic clock, no slot earlier than it was."""
        slots: dict[int, float] = {}
        for slot, on_s in self.slots:
            new = math.ceil((slot * SLOT_S + later_s) / SLOT_S)
            slots[new] = slots.get(new, 0.0) + on_s
        return OnTime(tuple(sorted(slots.items())))


def _is_of_the_day(slot: int, now_s: float) -> bool:
    return (slot + 1) * SLOT_S > now_s - DAY_S
