"""Quiet hours: the time of day in which an output may not be on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from agentd.safety.rule import Case, Site
from llmagentos.cause import Rank
from llmagentos.plan import Action

_TEXT = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one minute of the local day to another, over midnight where it must be."""

    begin: int
    """First quiet minute of the day, 0 to 1439."""
    end: int
    """First minute after them."""

    def has(self, minute: int) -> bool:
        """Whether this minute of the day is quiet."""
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def parse(text: str) -> QuietHours:
    """Read `22:00-07:00`.

    Raises:
        ValueError: the text is not of that form, or begins when it ends.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not of the form 22:00-07:00")
    hours = [int(each) for each in match.groups()]
    quiet = QuietHours(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])
    if quiet.begin == quiet.end:
        raise ValueError(f"{text!r} begins when it ends")
    return quiet


def is_quiet(case: Case) -> str | None:
    """quiet_hours forbid switching on. While nobody knows the time, a person may."""
    text = case.row.limits.quiet_hours
    if text is None or not case.switches_on:
        return None
    if case.observation.is_clock_set:
        return _quiet(case)
    if case.rank >= Rank.PERSON:
        return None
    return f"The clock is not set, so I cannot tell the {case.name}'s quiet hours ({text})."


def turns_quiet(site: Site) -> tuple[Action, str] | None:
    """Quiet hours that begin while it is on; what may not stop yet runs on for `min_on_s`."""
    if not site.is_on or site.in_state_s < (site.row.limits.min_on_s or 0.0):
        return None
    reason = _quiet(site) if site.observation.is_clock_set else None
    action = site.row.off_action
    return (action, reason) if action and reason else None


def _quiet(site: Site) -> str | None:
    text = site.row.limits.quiet_hours
    if text is None:
        return None
    local = datetime.fromtimestamp(site.now.wall_s, site.row.zone)
    if not parse(text).has(local.hour * 60 + local.minute):
        return None
    return f"The {site.name} has its quiet hours now ({text})."
