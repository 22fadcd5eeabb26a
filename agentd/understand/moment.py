"""When something is meant to be: lengths of time and times of day, read from words and said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from datetime import time as clock_time
from typing import Final

from agentd.understand.span import Read, Spans
from agentd.understand.words import Words
from llmagentos.clock import Instant
from llmagentos.utterance import LocalTime

_PARTS: Final = ("morning", "afternoon", "evening", "night", "am", "pm")

_NIGHT_BEGINS: Final = 6
"""Hour of "at night" from which the evening is meant: ten at night, but two at night."""


@dataclass(frozen=True, slots=True)
class When:
    """A moment to come, as it was said. Neither of the two: a day without a time."""

    after_s: int | None = None
    at: LocalTime | None = None
    is_bare: bool = False
    """True for a time that is a mere number, which may be something else: `at 20`."""

    @property
    def is_vague(self) -> bool:
        """Whether no time can be told from it: `tomorrow`."""
        return self.after_s is None and self.at is None


@dataclass(slots=True)
class _Heard:
    """What was read so far of a time of day."""

    hour: int | None = None
    minute: int = 0
    day: int | None = None
    weekday: int | None = None
    part: str = ""
    is_bare: bool = False
    is_exact: bool = False
    """Noon, midnight, or an hour that only a clock of 24 hours has."""


class Moments:
    """Reads and says moments in one language."""

    def __init__(self, words: Words) -> None:
        self._words, self._clock = words, words.clock
        self.spans = Spans(words)

    def read(self, said: tuple[str, ...]) -> When | None:
        """The moment that exactly these words mean: `in ten minutes`, `tomorrow at noon`."""
        seconds = self._length(said)
        return self.read_time(said) if seconds is None else When(after_s=seconds)

    def read_time(self, said: tuple[str, ...], *, needs_at: bool = True) -> When | None:
        """The time of day that exactly these words mean; a mere day is vague.

        Args:
            said: the words, lower case.
            needs_at: whether a mere number is a time only after "at".
        """
        heard, begin = _Heard(), 0
        while begin < len(said):
            end = self._item(said, begin, heard, needs_at=needs_at)
            if not end:
                return None
            begin = end
        return _time_of(heard) if said else None

    def say(self, at: LocalTime) -> str:
        """`today at 19:00`: a time that `resolve` has given its day."""
        shown = f"{at.hour:02d}:{at.minute:02d}"
        if at.in_days in (0, 1):
            return self._words.say("today_at" if at.in_days == 0 else "tomorrow_at", time=shown)
        day = self._words.weekdays[at.weekday or 0].capitalize()
        return self._words.say("weekday_at", day=day, time=shown)

    def _length(self, said: tuple[str, ...]) -> int | None:
        """`in ten minutes`, `ten minutes from now`."""
        if length := self._clock["within"].match_at(said, 0):
            return self.spans.read(said[length:])
        for at in range(1, len(said)):
            if at + self._clock["from_now"].match_at(said, at) == len(said):
                return self.spans.read(said[:at])
        return None

    def _starts(self, names: tuple[str, ...], said: tuple[str, ...], begin: int = 0) -> int:
        return next((n for name in names if (n := self._clock[name].match_at(said, begin))), 0)

    def _item(self, said: tuple[str, ...], begin: int, heard: _Heard, *, needs_at: bool) -> int:
        """Where the day, part of the day or clock time at `begin` ends; 0 when there is none."""
        return (
            self._day(said, begin, heard)
            or self._part(said, begin, heard)
            or self._time(said, begin, heard, needs_at=needs_at)
        )

    def _day(self, said: tuple[str, ...], begin: int, heard: _Heard) -> int:
        for name, day in _DAYS.items():
            if length := self._clock[name].match_at(said, begin):
                if heard.day is not None:
                    return 0
                heard.day = day
                heard.part = heard.part or _PART_OF_DAY.get(name, "")
                return begin + length
        at = begin + self._clock["on"].match_at(said, begin)
        if at < len(said) and said[at] in self._words.weekdays and heard.weekday is None:
            heard.weekday = self._words.weekdays.index(said[at])
            return at + 1
        return 0

    def _part(self, said: tuple[str, ...], begin: int, heard: _Heard) -> int:
        for name in _PARTS:
            if length := self._clock[name].match_at(said, begin):
                if heard.part and heard.part != name:
                    return 0
                heard.part = name
                return begin + length
        return 0

    def _time(self, said: tuple[str, ...], begin: int, heard: _Heard, *, needs_at: bool) -> int:
        if heard.hour is not None:
            return 0
        has_at = self._clock["at"].match_at(said, begin)
        at = begin + has_at
        if end := self._noon(said, at, heard) or self._spoken(said, at, heard):
            return end
        hour = self.spans.number(said, at)
        if hour is None or not 0 <= hour.value < 24 or (hour.value % 1 and "." not in said[at]):
            return 0
        end = self._minutes(said, at, hour, heard)
        is_short = end == hour.end
        end += (oclock := self._clock["oclock"].match_at(said, end))
        is_half = bool(self._starts(("am", "pm"), said, end))
        heard.is_bare = is_short and not oclock and not is_half
        heard.is_exact = heard.is_exact or said[at].startswith("0") or (heard.hour or 0) > 12
        if heard.is_bare and needs_at and not has_at:
            heard.hour = None
            return 0
        return end

    def _noon(self, said: tuple[str, ...], begin: int, heard: _Heard) -> int:
        for name, hour in (("noon", 12), ("midnight", 0)):
            if length := self._clock[name].match_at(said, begin):
                heard.hour, heard.is_exact = hour, True
                if hour == 0 and heard.day == 0:
                    heard.day = 1
                return begin + length
        return 0

    def _spoken(self, said: tuple[str, ...], begin: int, heard: _Heard) -> int:
        """`half past six`, `quarter to seven`, `ten past six`."""
        minutes = self._past(said, begin)
        if minutes is None:
            return 0
        is_to = self._clock["to"].match_at(said, minutes.end)
        after = minutes.end + (is_to or self._clock["past"].match_at(said, minutes.end))
        hour = self.spans.number(said, after) if after > minutes.end else None
        if hour is None or hour.value not in range(24) or not 0 < minutes.value < 60:
            return 0
        whole = int(hour.value) * 60 + round(-minutes.value if is_to else minutes.value)
        heard.hour, heard.minute = divmod(whole % 1440, 60)
        if is_to and hour.value <= 12:  # quarter to one is 12:45, which a clock of twelve shows
            heard.hour = heard.hour % 12 or 12
        return hour.end

    def _past(self, said: tuple[str, ...], begin: int) -> Read | None:
        for name, minutes in (("half", 30), ("quarter", 15)):
            if length := self._clock[name].match_at(said, begin):
                return Read(minutes, begin + length)
        return self.spans.number(said, begin)

    def _minutes(self, said: tuple[str, ...], at: int, hour: Read, heard: _Heard) -> int:
        """Take the hour, and the minutes behind it if there are: `6.30`, `6 30`, `six thirty`."""
        whole, _, fraction = said[at].partition(".")
        heard.hour, heard.minute = int(hour.value), 0
        if fraction and len(fraction) == 2 and int(fraction) < 60:
            heard.hour, heard.minute = int(whole), int(fraction)
            return hour.end
        after = hour.end + self._clock["zero"].match_at(said, hour.end)
        minutes = self.spans.number(said, after)
        if minutes is None or minutes.value not in range(60):
            return hour.end
        has_two_digits = said[after].isdecimal() and len(said[after]) == 2
        if not (after > hour.end or minutes.value >= 10 or has_two_digits):
            return hour.end
        heard.minute = int(minutes.value)
        return minutes.end


def resolve(at: LocalTime, *, now_s: float, zone: tzinfo | None) -> LocalTime | None:
    """The next such time, with its day and half of the day; None when that day's is over.

    A time that a clock change leaves out is the same time after it. `weekday` is then the day's.

    Args:
        at: as it was said.
        now_s: wall clock, seconds since 1970.
        zone: of the home; None for the system's.
    """
    for moment in _candidates(at, datetime.fromtimestamp(now_s, zone).date(), range(8)):
        if instant(moment, now_s=now_s, zone=zone) > now_s:
            return moment
    return None


def resolve_past(at: LocalTime, *, now_s: float, zone: tzinfo | None) -> float | None:
    """The last such time that has been, as seconds since 1970; None when it is still to come."""
    today = datetime.fromtimestamp(now_s, zone).date()
    been = [
        when_s
        for moment in _candidates(at, today, range(-7, 1))
        if (when_s := instant(moment, now_s=now_s, zone=zone)) < now_s
    ]
    return max(been, default=None)


def instant(at: LocalTime, *, now_s: float, zone: tzinfo | None) -> float:
    """Seconds since 1970 of a time that has its day."""
    day = datetime.fromtimestamp(now_s, zone).date() + timedelta(days=at.in_days or 0)
    return datetime.combine(day, clock_time(at.hour, at.minute), zone).timestamp()


def day_of(at_s: float, now: Instant, zone: tzinfo | None) -> LocalTime:
    """A moment, seconds since 1970, as a time of day with its day."""
    shown = datetime.fromtimestamp(at_s, zone)
    days = (shown.date() - datetime.fromtimestamp(now.wall_s, zone).date()).days
    return LocalTime(shown.hour, shown.minute, days, shown.weekday())


def _candidates(at: LocalTime, today: date, days: range) -> list[LocalTime]:
    hours = [at.hour, at.hour + 12] if at.may_be_later else [at.hour]
    found = []
    for in_days in days:
        weekday = (today + timedelta(days=in_days)).weekday()
        if at.in_days not in (None, in_days) or at.weekday not in (None, weekday):
            continue
        found += [replace(at, hour=hour, in_days=in_days, weekday=weekday, may_be_later=False)
                  for hour in hours]  # fmt: skip
    return found


def _time_of(heard: _Heard) -> When | None:
    """The time that the words add up to; None where they contradict each other."""
    if heard.hour is None:
        return When()
    hour, part, day = heard.hour, heard.part, heard.day
    is_twelve = not heard.is_exact and hour <= 12
    if part and not is_twelve and heard.hour > 12:
        return None if part in ("morning", "am") else _at(heard, hour, day)
    if not is_twelve or not part:
        return _at(heard, hour % 12 if is_twelve else hour, day, may_be_later=is_twelve)
    if part in ("morning", "am"):
        return _at(heard, hour % 12, day)
    if part == "night" and not _NIGHT_BEGINS <= hour < 12:
        return _at(heard, hour % 12, None if day is None else day + 1)
    return _at(heard, hour % 12 + 12, day)


def _at(heard: _Heard, hour: int, day: int | None, *, may_be_later: bool = False) -> When:
    at = LocalTime(hour, heard.minute, day, heard.weekday, may_be_later)
    is_bare = heard.is_bare and not heard.part and day is None and heard.weekday is None
    return When(at=at, is_bare=is_bare)


_DAYS: Final = {"today": 0, "tonight": 0, "this_morning": 0, "this_afternoon": 0,
                "this_evening": 0, "tomorrow": 1, "day_after": 2, "yesterday": -1}  # fmt: skip

_PART_OF_DAY: Final = {"tonight": "night", "this_morning": "morning",
                       "this_afternoon": "afternoon", "this_evening": "evening"}  # fmt: skip
