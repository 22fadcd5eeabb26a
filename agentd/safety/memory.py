"""What the gate remembers, and how it learns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from agentd import argument
from agentd.safety import ramp
from agentd.safety.claim import Claim, claimed
from agentd.safety.on_time import OnTime
from agentd.safety.ramp import Ramp
from agentd.safety.row import Row
from llmagentos.cause import Rank
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Plan

RATE_WINDOW_S: Final = 60.0
"""Window in which `rate_per_min` counts switchings to on."""

PAUSE_S: Final = 2.0
"""A shorter pause does not end a stretch of `max_on_s`: nothing cools down in the blink between
two turns of the loop."""


@dataclass(frozen=True, slots=True)
class Track:
    """What the gate remembers of one output."""

    is_active: bool = False
    """Whether it is energised or open."""

    since: Instant | None = None
    """When it became so; None when unknown, which counts as the start of the daemon."""

    stretch_s: float | None = None
    """Monotonic second at which its present or last stretch of being on began, short pauses
    included; None for never."""

    switched_at_s: tuple[float, ...] = ()
    """Monotonic seconds of its switchings to on within the last minute."""

    on_time: OnTime | None = None
    """Its stretches of being on that have ended; None without `duty_per_day_s`."""

    claim: Claim = field(default_factory=Claim)
    """Whose word it follows."""

    ramp: Ramp = field(default_factory=Ramp)
    """Where its number stands; kept for outputs with `slope_per_s`."""

    fault: str = ""
    """Why only the safe way is left to it; empty for no fault. Lifted by a person alone."""


_NOTHING: Final = Track()


@dataclass(frozen=True, slots=True)
class GateState:
    """All that the gate remembers."""

    started_at: Instant
    """Outputs whose past is unknown count as switched off at this instant."""

    tracks: Mapping[str, Track] = field(default_factory=dict)
    """By device id."""

    is_stopped: bool = False
    """Set by stop, cleared by a person's reset alone."""

    def track(self, device: str) -> Track:
        """What is remembered of a device, or an empty memory."""
        return self.tracks.get(device, _NOTHING)


def note(
    gate: GateState,
    row: Row,
    values: Mapping[str, Scalar],
    now: Instant,
    *,
    rank: Rank | None,
    plan: Plan | None = None,
) -> GateState:
    """Remember what an output is like now, and who made it so.

    Args:
        gate: the memory so far.
        row: the output.
        values: its state as it was read back.
        now: the present instant.
        rank: of who made it so; None when it was merely found so.
        plan: what made it so, if any did.
    """
    old = gate.track(row.device.id)
    new = _switched(old, gate, row, is_active=row.is_on(values), now=now)
    if row.device.kind == "button" and plan is not None:
        new = replace(new, since=now, switched_at_s=_counted(old, now))
    if rank is not None:
        new = replace(new, claim=claimed(old.claim, row, values, rank, now))
    elif new.is_active and not old.is_active:
        new = replace(new, claim=replace(old.claim, lease_until_s=None))
    if row.limits.slope_per_s is not None:
        new = replace(new, ramp=_sent(old.ramp, gate, row, values, plan, now))
    return gate if new == old else _with(gate, row.device.id, new)


def stop(gate: GateState) -> GateState:
    """Latch the stop."""
    return replace(gate, is_stopped=True)


def fault(gate: GateState, device: str, reason: str) -> GateState:
    """Latch a fault of one device: from now on it only goes towards its safe state.

    Args:
        gate: the memory so far.
        device: its id.
        reason: what is wrong, as part of a sentence without its full stop.
    """
    return _with(gate, device, replace(gate.track(device), fault=reason))


def reset(gate: GateState, device: str | None = None) -> GateState:
    """Lift the stop and every fault, or the fault of one device alone."""
    if device is not None:
        return _with(gate, device, replace(gate.track(device), fault=""))
    tracks = {name: replace(track, fault="") for name, track in gate.tracks.items()}
    return replace(gate, tracks=tracks, is_stopped=False)


def exempt(gate: GateState, devices: Iterable[str], who: str) -> GateState:
    """Let a promise or rule that a person has just made pass that person's own hold, on each of
    these devices until the next direct command of a person to it."""
    for device in devices:
        track = gate.track(device)
        claim = replace(track.claim, exempt=track.claim.exempt | {who})
        gate = _with(gate, device, replace(track, claim=claim))
    return gate


def _with(gate: GateState, device: str, track: Track) -> GateState:
    return replace(gate, tracks={**gate.tracks, device: track})


def _switched(old: Track, gate: GateState, row: Row, *, is_active: bool, now: Instant) -> Track:
    has_duty = row.limits.duty_per_day_s is not None
    if has_duty is (old.on_time is None):
        old = replace(old, on_time=OnTime() if has_duty else None)
    if is_active == old.is_active and old.since is not None:
        return old
    if is_active:
        return replace(
            old,
            is_active=True,
            since=now,
            stretch_s=old.stretch_s if rests_briefly(old, now) else now.mono_s,
            switched_at_s=_counted(old, now),
        )
    if old.since is None:
        return replace(old, is_active=False, since=gate.started_at)
    on_time = old.on_time and old.on_time.add(old.since.mono_s, now.mono_s)
    return replace(old, is_active=False, since=now, on_time=on_time)


def rests_briefly(track: Track, now: Instant) -> bool:
    """Whether it is off, but not for long enough to end its stretch of being on."""
    if track.is_active or track.since is None or track.stretch_s is None:
        return False
    return track.since.age_s(now) < PAUSE_S


def _counted(old: Track, now: Instant) -> tuple[float, ...]:
    recent = (at_s for at_s in old.switched_at_s if now.mono_s - at_s < RATE_WINDOW_S)
    return (*recent, now.mono_s)


def _sent(
    old: Ramp,
    gate: GateState,
    row: Row,
    values: Mapping[str, Scalar],
    plan: Plan | None,
    now: Instant,
) -> Ramp:
    """The ramp after a read-back: a new command sets the target, the gate's own step keeps it."""
    target = old.target
    if plan is not None:
        mine = [action for action in plan.actions if action.device == row.device.id]
        alone = len(mine) == 1
        target = row.number_of(argument.clamp(row.device, mine[0])) if alone else None
        if plan.origin.rank is Rank.SAFETY:
            walked = ramp.next_number(old, row, now.mono_s)
            target = old.target if walked is not None and walked == target else None
    if gate.is_stopped or gate.track(row.device.id).fault:
        target = None
    number = row.number_in(values)
    new = replace(old, target=None if target == number else target)
    return ramp.moved(new, number, now.mono_s)
