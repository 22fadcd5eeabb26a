"""Readings by the minute: each sensor's lowest, mean and highest, in memory until it has passed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from threading import Lock
from typing import Final

from llmagentos.reading import Quality, Reading

MINUTE_S: Final = 60

_GRACE_S: Final = 2.0
"""So long after its end readings of a minute may still come in; later ones cost a second write."""

HOLD_S: Final = 300.0
"""So long an ended minute waits for something else to be written: together they cost the card half
as much as one by one. A crash loses no more than that."""

_SERIES_MAX: Final = 20_000
"""Sensors and minutes that may be held; what comes beyond it is not averaged."""


@dataclass(slots=True)
class _Sum:
    low: float
    total: float
    high: float
    count: int


Row = tuple[int, float, float, float, int, str, str, str]
"""Minutes since 1970, low, mean, high, count, device, quantity, unit."""


class Minutes:
    """Sums up readings; may be called from any thread."""

    def __init__(self) -> None:
        """Empty."""
        self._lock = Lock()
        self._sums: dict[tuple[int, str, str, str], _Sum] = {}
        self._due_s = math.inf

    def add(self, reading: Reading) -> bool:
        """Take in a reading; whether, by its time, a minute should wait no longer.

        What is not a good number is left out.
        """
        value = reading.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if reading.quality is not Quality.GOOD or not math.isfinite(value):
            return False
        minute = int(reading.at.wall_s // MINUTE_S)
        key = (minute, reading.device, reading.quantity, reading.unit)
        with self._lock:
            if (found := self._sums.get(key)) is not None:
                found.low, found.high = min(found.low, value), max(found.high, value)
                found.total += value
                found.count += 1
            elif len(self._sums) < _SERIES_MAX:
                self._sums[key] = _Sum(value, value, value, 1)
                self._due_s = min(self._due_s, (minute + 1) * MINUTE_S + HOLD_S)
            return reading.at.wall_s >= self._due_s

    def is_due(self, wall_s: float) -> bool:
        """Whether a minute should wait no longer."""
        with self._lock:
            return wall_s >= self._due_s or any(wall_s < key[0] * MINUTE_S for key in self._sums)

    def take(self, *, wall_s: float | None = None) -> list[Row]:
        """The minutes that have ended, in order of time; all of them when no time is given.

        A minute that lies ahead is one of them: the clock was set back, and it would else wait
        for the clock to come there again.
        """
        with self._lock:
            ended = sorted(key for key in self._sums if _has_ended(key[0], wall_s))
            rows = [(key, self._sums.pop(key)) for key in ended]
            minutes = [key[0] for key in self._sums]
            self._due_s = (min(minutes) + 1) * MINUTE_S + HOLD_S if minutes else math.inf
        return [
            (key[0], each.low, each.total / each.count, each.high, each.count, *key[1:])
            for key, each in rows
        ]


def _has_ended(minute: int, wall_s: float | None) -> bool:
    if wall_s is None:
        return True
    return wall_s >= (minute + 1) * MINUTE_S + _GRACE_S or wall_s < minute * MINUTE_S
