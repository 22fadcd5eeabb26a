"""What an entry of the journal was: done, changing something, whose. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from agentd import setting
from agentd.journal import Entry
from llmagentos.cause import Origin, Rank
from llmagentos.home import Device
from llmagentos.plan import Ruling, Stage

SWEEPS: Final = frozenset({"start", "end", "death"})
"""Rules under which all outputs are made safe at the start and at the end of the daemon."""

_STEPS: Final = frozenset({"slope_per_s"})
"""Rules under which the gate goes on with what somebody else asked for."""


def is_refused(entry: Entry) -> bool:
    """Whether nothing was done, or it did not work."""
    return entry.stage in (Stage.REFUSED, Stage.FAILED)


def is_question(entry: Entry) -> bool:
    """Whether the gate asked back, so that nothing was done yet."""
    return entry.ruling == Ruling.CONFIRM


def is_step(entry: Entry) -> bool:
    """Whether the gate only walked on towards what was asked before."""
    return entry.rank == Rank.SAFETY and entry.rule in _STEPS


def is_sweep(entry: Entry) -> bool:
    """Whether it made an output safe at the start or the end of the daemon."""
    return entry.rank == Rank.SAFETY and entry.rule in SWEEPS


def is_by_person(entry: Entry) -> bool:
    """Whether a person asked for it, now."""
    return entry.rank == Rank.PERSON


def is_by(entry: Entry, origin: Origin) -> bool:
    """Whether this very person asked for it, as far as that can be told."""
    return is_by_person(entry) and (entry.channel, entry.who) == (origin.channel, origin.who)


def has_changed(entry: Entry, device: Device | None) -> bool:
    """Whether its device was set otherwise afterwards; True when nobody can tell.

    A button has no state: each press that got through counts.
    """
    if entry.stage == Stage.REFUSED:
        return False
    if device is None or device.kind == "button" or not (entry.before and entry.state):
        return entry.stage != Stage.FAILED
    return not setting.is_same(device.kind, entry.before, entry.state)


def has_moved(entries: Sequence[Entry], device: Device, values: setting.Values) -> bool:
    """Whether a device is not any more what it was made last: by hand, or by itself.

    Args:
        entries: of the device, newest first.
        device: the device.
        values: what it is like now.
    """
    done = [each for each in entries if not is_refused(each)]
    place = next((n for n, each in enumerate(done) if has_changed(each, device)), 0)
    last = done[place] if done else None
    if last is None or not last.state or device.kind == "button":
        return False  # nobody can tell
    if last.stage in (Stage.ACCEPTED, Stage.SENT):
        return False  # it was under way, and where it got to is not written down
    seen = [values, *(each.before for each in done[:place] if each.before)]
    return any(not setting.is_same(device.kind, last.state, each) for each in seen)


def oldest_first(entries: Iterable[Entry]) -> list[Entry]:
    """In the order in which they were done, whatever the clock did."""
    return sorted(entries, key=lambda entry: entry.id)
