"""When something falls due, told from two clocks of which either may fail.

A length of time counts on the monotonic clock as long as the machine stays on; across a power cut
the wall clock is all there is, and it counts only once it has been set. A time of day counts on
the wall clock alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final

from agentd.agents.schedule import resolve
from llmagentos.clock import Instant
from llmagentos.utterance import LocalTime

_DRIFT_S: Final = 2.0
"""A wall clock that moved by less against the monotonic one was not set, it drifts."""


@dataclass(frozen=True, slots=True)
class Now:
    """The present, and how far each clock can be trusted."""

    at: Instant
    boot: str
    """Id of this boot of the machine: `at.mono_s` counts within it."""
    is_clock_set: bool
    """Whether `at.wall_s` is more than a guess."""
    up_since: Instant
    """A moment early in this boot at which what was promised before was already waiting."""
    zone: tzinfo
    """What times of day mean."""


@dataclass(frozen=True, slots=True)
class Due:
    """A length of time from a moment on, or a time of day."""

    since: Instant
    """When it was asked for, or last reckoned anew."""
    boot: str
    """The boot in which `since.mono_s` counts."""
    length_s: float | None = None
    """Seconds from `since` on; None for a time of day."""
    at: LocalTime | None = None
    """The time of day that was asked for; None for a length of time."""
    wall_s: float | None = None
    """By the wall clock, seconds since 1970; None while nobody knows what time it is."""


@dataclass(frozen=True, slots=True)
class Left:
    """How long until something is due."""

    seconds: float
    """Below zero when it is late."""
    is_exact: bool = True
    """False when only so much is sure: it is late by at least this."""


def after(seconds: float, now: Now) -> Due:
    """So many seconds from now."""
    wall_s = now.at.wall_s + seconds if now.is_clock_set else None
    return Due(now.at, now.boot, length_s=seconds, wall_s=wall_s)


def at(time: LocalTime, now: Now) -> Due:
    """The next time that a clock on the wall shows this."""
    wall_s = resolve(time, said_s=now.at.wall_s, zone=now.zone) if now.is_clock_set else None
    return Due(now.at, now.boot, at=time, wall_s=wall_s)


def left(due: Due, now: Now) -> Left | None:
    """Seconds until it is due; None when that cannot be known yet."""
    if due.length_s is not None and due.boot == now.boot:
        return Left(due.length_s - due.since.age_s(now.at))
    if due.wall_s is not None and now.is_clock_set:
        return Left(due.wall_s - now.at.wall_s)
    if due.length_s is not None:
        # After a power cut, without a clock: once this boot alone was as long, it is surely due.
        sure_s = due.length_s - now.up_since.age_s(now.at)
        if sure_s <= 0:
            return Left(sure_s, is_exact=False)
    return None


def reckon(due: Due, now: Now) -> Due:
    """The same moment as it must be written down now: the wall clock may have been set since."""
    if not now.is_clock_set:
        return due
    if due.length_s is None:
        return due if due.wall_s is not None or due.at is None else _resolved(due, due.at, now)
    if due.boot == now.boot:
        left_s = due.length_s - due.since.age_s(now.at)
        wall_s = now.at.wall_s + left_s
        if due.wall_s is not None and abs(due.wall_s - wall_s) < _DRIFT_S:
            return due
        return replace(due, since=now.at, length_s=left_s, wall_s=wall_s)
    if due.wall_s is None:
        return due
    return replace(due, since=now.at, boot=now.boot, length_s=due.wall_s - now.at.wall_s)


def _resolved(due: Due, time: LocalTime, now: Now) -> Due:
    """A time of day that was asked for before anybody knew the time."""
    was_said_in_this_boot = due.boot == now.boot
    ago_s = due.since.age_s(now.at) if was_said_in_this_boot else 0.0
    return replace(due, wall_s=resolve(time, said_s=now.at.wall_s - ago_s, zone=now.zone))
