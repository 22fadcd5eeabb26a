"""Times of the past as people type them: 2h, 90min, 10:05, 2026-11-20T10:05."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

from llmagentos.errors import LlmagentosError

_SECONDS: Final = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}

_LENGTH: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)")

_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})")

MAX_AGO_S: Final = 366 * 86_400.0
"""Longest time ago, in seconds: the journal forgets what is older than a year."""


class PastTimeError(LlmagentosError):
    """It names no time of the past; the text says which would."""


def seconds_ago(text: str) -> float | None:
    """The length of a time such as 90s, 15min, 2h or 1h30min, in seconds; None for another text."""
    left = text.strip().lower()
    total = 0.0
    while left:
        found = _LENGTH.match(left)
        if found is None:
            return None
        total += float(found[1]) * _SECONDS[found[2]]
        left = left[found.end() :].strip()
    return total or None


def moment(text: str, *, now_s: float, zone: tzinfo | None) -> float:
    """The time that is meant, wall clock.

    Args:
        text: a length of time ago, a time of day (the last one that has been), or a date and time
            as ISO 8601 writes them.
        now_s: the present, wall clock.
        zone: the home's; None for the system's.

    Raises:
        PastTimeError: it is none of these, or not of the last year.
    """
    ago_s = seconds_ago(text)
    at_s = now_s - ago_s if ago_s is not None else _written(text, now_s, zone)
    if at_s > now_s:
        raise PastTimeError(f"{text[:40]!r} has not been yet")
    if at_s < now_s - MAX_AGO_S:
        raise PastTimeError(f"{text[:40]!r} is longer ago than I can remember")
    return at_s


def _written(text: str, now_s: float, zone: tzinfo | None) -> float:
    now = datetime.fromtimestamp(now_s, zone)
    try:
        if found := _CLOCK.fullmatch(text.strip()):
            today = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
            return (today if today <= now else today - timedelta(days=1)).timestamp()
        read = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as exc:
        hint = "a time such as 2h, 15min, 10:05 or 2026-11-20T10:05"
        raise PastTimeError(f"{text[:40]!r} is not {hint}") from exc
    return (read if read.tzinfo else read.replace(tzinfo=now.tzinfo or zone)).timestamp()
