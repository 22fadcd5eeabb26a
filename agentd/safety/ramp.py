"""A number that may change only slowly: where it stands, and where it is to go.

A command is granted as far as one step, and the gate walks the rest of the way by itself, a step
at each watch. A step is at most `slope_per_s` times the seconds since the number last changed,
and these count for `STEP_S` at most: a long rest is no leave for a jump.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from agentd.safety.row import Row

STEP_S: Final = 1.0
"""Most seconds that one step may stand for; the gate watches once a second."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """Where the number of one output stands."""

    value: float | None = None
    """As it was last read back; None when nobody knows."""

    changed_at_s: float = 0.0
    """Monotonic second at which it was first seen there."""

    target: float | None = None
    """Where the gate is walking it to; None when it stays."""

    def step(self, wanted: float, slope_per_s: float, now_s: float) -> float:
        """How far towards `wanted` it may be set now."""
        if self.value is None:
            return wanted
        reach = slope_per_s * min(max(now_s - self.changed_at_s, 0.0), STEP_S)
        return min(max(wanted, self.value - reach), self.value + reach)


def moved(old: Ramp, value: float | None, now_s: float) -> Ramp:
    """The ramp after the number was read back."""
    if value == old.value:
        return old
    target = None if value == old.target else old.target
    return replace(old, value=value, changed_at_s=now_s, target=target)


def next_number(ramp: Ramp, row: Row, now_s: float) -> float | None:
    """What the gate sets next by itself; None when it is there, or was never sent anywhere."""
    if ramp.target is None or ramp.value is None or row.limits.slope_per_s is None:
        return None
    number = ramp.step(ramp.target, row.limits.slope_per_s, now_s)
    return None if number == ramp.value else number
