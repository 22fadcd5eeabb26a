"""What promises and rules have to tell people, as a value; its wording is understanding's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

LATE_S: Final = 10.0
"""From so much lateness on it is said: less is a busy moment."""


class NoticeKind(StrEnum):
    """What happened."""

    TIMER = "timer"
    """A timer has run out."""
    REMINDER = "reminder"
    """It is time for what somebody wanted to be reminded of."""
    RULE = "rule"
    """A rule says its sentence."""
    LATE = "late"
    """It was done later than it was due."""
    MISSED = "missed"
    """It was due while the box could not do it, and is not done any more."""
    REFUSED = "refused"
    """It was due, and the gate or the device did not let it happen."""
    INTERRUPTED = "interrupted"
    """It was under way when the box died; it may have been cut short and is not repeated."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told."""

    kind: NoticeKind
    id: str
    """Id of the promise or rule; empty when neither is known."""
    text: str = ""
    """What the person wanted, in their own words; empty for a timer."""
    name: str | None = None
    """The timer's name."""
    area: str | None = None
    """Id of the area in which it was asked for."""
    start_s: float | None = None
    """Length of the timer in seconds."""
    late_s: float = 0.0
    """Seconds between the time it was due and now."""
    is_late_known: bool = True
    """False when it is late by at least `late_s`, and nobody knows by how much."""
    reason: str = ""
    """Why it was not done, as a sentence."""

    @property
    def is_late(self) -> bool:
        """Whether the lateness is worth a word."""
        return self.late_s >= LATE_S or not self.is_late_known


Tell = Callable[[Notice], str]
"""Words a notice for people."""


def plain(notice: Notice) -> str:
    """What stands in a notice itself, for whoever has no words."""
    return notice.text or notice.name or notice.id


def notice_json(notice: Notice) -> dict[str, Any]:
    """An event of the feed; its `kind` is the notice's."""
    return {**asdict(notice), "kind": notice.kind.value}


def span(seconds: float) -> str:
    """A length of time as people say it: `20 seconds`, `5 minutes`, `2 hours`."""
    whole = math.floor(seconds + 0.5)
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if whole >= 2 * size or whole == size:
            return _count(whole // size, word)
    return _count(whole, "second")


def _count(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number} {word}s"
