"""The gate's memory as text, so that it lives through restarts and power cuts.

Within a boot the monotonic clock goes on and so do all counters. After a power cut nobody knows how
long it lasted until the clock is set, and that clock may be wrong: the last thing known counts as
having happened just now. Either way an output that is off counts as switched off just now, and as
switched once more, since the last moments before a death may not have been written. Leases are not
kept: whoever holds one renews it many times a minute, and every start makes the outputs safe.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from agentd.safety.claim import Claim
from agentd.safety.memory import RATE_WINDOW_S, GateState, Track
from agentd.safety.on_time import OnTime
from agentd.safety.ramp import Ramp
from agentd.safety.row import Row
from agentd.safety.rule import Rows
from llmagentos.cause import Rank
from llmagentos.clock import Instant

STOP_ID: Final = ""
"""Id of the document that holds the stop."""

CHECKPOINT_S: Final = 60.0
"""On-time is written down ahead to a full minute, so the text changes once a minute."""

AHEAD_S: Final = 15.0
"""Least time it is written ahead: whoever writes the texts looks for new ones this often."""

_WHOLE = 1e15
"""Beyond any clock; JSON text can hold numbers that no clock shows."""


def freeze(gate: GateState, *, now: Instant, boot_id: str) -> dict[str, str]:
    """The memory as one JSON text for each device, and one for the stop.

    A text stays the same until there is something new to remember.
    """
    texts = {name: _dump(_plain(track, now, boot_id)) for name, track in gate.tracks.items()}
    return {STOP_ID: _dump({"stopped": gate.is_stopped}), **texts}


def thaw(saved: Mapping[str, str], rows: Rows, *, now: Instant, boot_id: str) -> GateState:
    """The memory from its texts; of a device whose text makes no sense nothing is known.

    Args:
        saved: what `freeze` gave.
        rows: the present outputs; others are remembered until they come back.
        now: the present instant.
        boot_id: of the kernel; another one than the text's, or an empty one, means that the power
            was cut.
    """
    tracks: dict[str, Track] = {}
    for name in {*rows, *saved} - {STOP_ID}:
        row = rows.get(name)
        try:
            plain = json.loads(saved.get(name, "{}"))
            is_same_boot = plain.get("boot") == boot_id != ""
            tracks[name] = _track(plain, row, now, is_same_boot=is_same_boot)
        except (ValueError, TypeError, AttributeError, LookupError):
            tracks[name] = _track({}, row, now, is_same_boot=False)
    return GateState(now, tracks, is_stopped=_was_stopped(saved.get(STOP_ID)))


def _was_stopped(text: str | None) -> bool:
    """Whether the stop was latched; a text that makes no sense may have said so."""
    if text is None:
        return False
    try:
        return json.loads(text)["stopped"] is not False
    except (ValueError, TypeError, KeyError):
        return True


def _dump(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, separators=(",", ":"))


def _plain(track: Track, now: Instant, boot_id: str) -> dict[str, Any]:
    claim, since = track.claim, track.since
    held = claim.held_until
    minute = math.floor((now.mono_s + AHEAD_S) / CHECKPOINT_S) + 1
    counts = track.is_active and track.on_time is not None
    plain: dict[str, Any] = {
        "boot": boot_id,
        "since": since.mono_s if since else None,
        "on": track.is_active or None,
        "on_to": minute * CHECKPOINT_S if counts else None,
        "stretch": track.stretch_s,
        "switched": track.switched_at_s or None,
        "on_time": None if track.on_time is None else track.on_time.slots,
        "held": [held.mono_s, held.wall_s] if held else None,
        "exempt": sorted(claim.exempt) or None,
        "rank": None if claim.rank is None else int(claim.rank),
        "fault": track.fault or None,
    }
    return {key: value for key, value in plain.items() if value is not None}


def _track(plain: Mapping[str, Any], row: Row | None, now: Instant, *, is_same_boot: bool) -> Track:
    since_s, on_to_s = _optional(plain, "since"), _optional(plain, "on_to")
    is_on = plain.get("on") is True and since_s is not None
    switched = tuple(_second(at_s) for at_s in plain.get("switched", ()))
    on_time = _on_time(plain.get("on_time"))
    if not is_same_boot:
        known = [at_s for at_s in (since_s, on_to_s, *switched) if at_s is not None]
        later_s = now.mono_s - max(known, default=now.mono_s)
        switched = tuple(at_s + later_s for at_s in switched)
        if on_time and since_s is not None and on_to_s is not None:
            on_time = on_time.add(since_s, on_to_s)
        on_time = on_time and on_time.moved(later_s)
    track = Track(
        since=now,
        switched_at_s=tuple(at_s for at_s in switched if now.mono_s - at_s < RATE_WINDOW_S),
        on_time=on_time,
        claim=_claim(plain, row, now, is_same_boot=is_same_boot),
        ramp=Ramp(changed_at_s=now.mono_s),
        fault=str(plain.get("fault", "")),
    )
    if is_same_boot:
        track = replace(track, stretch_s=_optional(plain, "stretch"))
        if is_on and since_s is not None:
            return replace(track, is_active=True, since=_at(since_s, now))
    if row and row.limits.rate_per_min is not None:
        return replace(track, switched_at_s=(*track.switched_at_s, now.mono_s))
    return track


def _on_time(slots: Any) -> OnTime | None:
    if slots is None:
        return None
    return OnTime(tuple((int(slot), _second(on_s)) for slot, on_s in slots))


def _claim(plain: Mapping[str, Any], row: Row | None, now: Instant, *, is_same_boot: bool) -> Claim:
    longest_s = row.limits.manual_hold_s if row else math.inf
    claim = Claim(
        held_until=_held(plain.get("held"), now, longest_s, is_same_boot=is_same_boot),
        exempt=frozenset(str(who) for who in plain.get("exempt", ())),
    )
    if not is_same_boot:
        return claim
    rank = plain.get("rank")
    return replace(
        claim,
        rank=None if rank is None else Rank(rank),
        commanded_at_s=now.mono_s,
    )


def _held(until: Any, now: Instant, longest_s: float, *, is_same_boot: bool) -> Instant | None:
    """Until when a person's hold lasts. Across a power cut the wall clock tells, which may be
    behind until it is set: then it lasts as long as it may, and no longer."""
    if until is None:
        return None
    mono_s, wall_s = _second(until[0]), _second(until[1])
    if is_same_boot:
        return Instant(mono_s, wall_s)
    left_s = min(wall_s - now.wall_s, longest_s)
    return Instant(now.mono_s + left_s, now.wall_s + left_s) if left_s > 0 else None


def _optional(plain: Mapping[str, Any], key: str) -> float | None:
    value = plain.get(key)
    return None if value is None else _second(value)


def _second(value: Any) -> float:
    """A number that a clock may show.

    Raises:
        ValueError: it is none.
    """
    number = float(value)
    if not abs(number) < _WHOLE:
        raise ValueError(f"no clock shows {value!r}")
    return number


def _at(mono_s: float, now: Instant) -> Instant:
    return Instant(mono_s, now.wall_s - (now.mono_s - mono_s))
