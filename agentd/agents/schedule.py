"""Local time: when a clock on the wall shows what was asked for. Pure, over zoneinfo.

A time that a day skips (02:30 when clocks go forward at 02:00) is met so much later as was
skipped; a time that a day has twice is met the first time. So every day has each time once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from llmagentos.utterance import LocalTime

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As they are written; their place is `date.weekday()`."""

_SEARCH_DAYS: Final = 9
"""A day of the week comes within a week; one more on either side for the zone's edges."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of day on one day."""

    day: str
    """The local date, YYYY-MM-DD: names the occurrence whatever the clock does afterwards."""
    wall_s: float
    """Seconds since 1970."""


def next_occurrence(
    after_s: float, *, hour: int, minute: int, zone: tzinfo, weekdays: Collection[int] = ()
) -> Occurrence:
    """The first time after `after_s` (seconds since 1970) that the clock shows hour:minute.

    Args:
        after_s: it lies later than this.
        hour: 0 to 23.
        minute: 0 to 59.
        zone: what the clock shows.
        weekdays: 0 for Monday to 6 for Sunday; empty for every day.
    """
    start = datetime.fromtimestamp(after_s, zone).date() - timedelta(days=1)
    for step in range(_SEARCH_DAYS + 1):
        day = start + timedelta(days=step)
        found = on_day(day, hour=hour, minute=minute, zone=zone)
        if found.wall_s > after_s and (not weekdays or day.weekday() in weekdays):
            return found
    raise ValueError(f"weekdays are 0 to 6, not {sorted(weekdays)}")


def on_day(day: date, *, hour: int, minute: int, zone: tzinfo) -> Occurrence:
    """A time of day on one day."""
    shown = datetime.combine(day, time(hour, minute), tzinfo=zone)  # fold 0: the first of two
    return Occurrence(day.isoformat(), shown.timestamp())


def resolve(asked: LocalTime, *, said_s: float, zone: tzinfo) -> float:
    """What a person means by a time of day, in seconds since 1970.

    A day that was named counts from the day on which it was said, even when that time is over: so
    "today at 7 in the morning" said at 8 lies in the past. A weekday is the next one of that name.
    Where neither morning nor evening was said the sooner one to come is meant.

    Args:
        asked: what was asked for.
        said_s: when, in seconds since 1970.
        zone: the home's.
    """
    if asked.may_be_later and asked.hour < 12:
        early = replace(asked, may_be_later=False)
        both = (early, replace(early, hour=asked.hour + 12))
        found_s = [resolve(each, said_s=said_s, zone=zone) for each in both]
        return min((each for each in found_s if each > said_s), default=found_s[-1])
    if asked.in_days is not None:
        day = datetime.fromtimestamp(said_s, zone).date() + timedelta(days=asked.in_days)
        return on_day(day, hour=asked.hour, minute=asked.minute, zone=zone).wall_s
    weekdays = () if asked.weekday is None else (asked.weekday,)
    found = next_occurrence(
        said_s, hour=asked.hour, minute=asked.minute, zone=zone, weekdays=weekdays
    )
    return found.wall_s


def is_within(clock: time, *, start: time, end: time) -> bool:
    """Whether a time of day lies in a window; 22:00 to 06:00 goes over midnight."""
    if start < end:
        return start <= clock < end
    return clock >= start or clock < end
