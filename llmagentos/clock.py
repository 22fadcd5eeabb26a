"""An instant on two clocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment, read from both clocks at once."""

    mono_s: float
    """Monotonic clock, seconds since boot. Leases, limits and ages count on it."""

    wall_s: float
    """Wall clock, seconds since 1970 (UTC). Schedules and people count on it; it may jump."""

    def age_s(self, now: Instant) -> float:
        """Seconds from this instant to `now`, whatever the wall clock did in between."""
        return now.mono_s - self.mono_s


Clock = Callable[[], Instant]
"""Reads the present instant. Made in a program's `app.py`, passed to whoever needs the time."""
