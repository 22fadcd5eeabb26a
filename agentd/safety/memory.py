"""What the gate remembers, and how it learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from agentd.safety.row import Row
from llmagentos.cause import Rank
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Plan

RATE_WINDOW_S: Final = 60.0
"""Window in which `rate_per_min` counts switchings to on."""


@dataclass(frozen=True, slots=True)
class Track:
    """What the gate remembers of one output."""

    is_active: bool = False
    """Whether it is energised or open."""

    since: Instant | None = None
    """When it became so; None when unknown, which counts as the start of the daemon."""

    switched_at_s: tuple[float, ...] = ()
    """Monotonic seconds of its switchings to on within the last minute."""

    held_until_s: float = 0.0
    """Monotonic second until which a person's command holds it."""


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


_NOTHING: Final = Track()


def note(
    gate: GateState,
    row: Row,
    values: Mapping[str, Scalar],
    now: Instant,
    *,
    rank: Rank | None,
    plan: Plan | None = None,  # noqa: ARG001 - the loop passes it; rules to come look at it
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
    active = row.is_on(values)
    new = old
    if active != old.is_active or old.since is None:
        recent = [at for at in old.switched_at_s if now.mono_s - at < RATE_WINDOW_S]
        known = old.since is not None or active
        since = now if known else gate.started_at
        new = replace(new, is_active=active, since=since)
        if active:
            new = replace(new, switched_at_s=(*recent, now.mono_s))
    if rank is Rank.PERSON:
        new = replace(new, held_until_s=now.mono_s + row.limits.manual_hold_s)
    if new == old:
        return gate
    return replace(gate, tracks={**gate.tracks, row.device.id: new})


def stop(gate: GateState) -> GateState:
    """Latch the stop."""
    return replace(gate, is_stopped=True)


def reset(gate: GateState) -> GateState:
    """Lift the stop."""
    return replace(gate, is_stopped=False)
