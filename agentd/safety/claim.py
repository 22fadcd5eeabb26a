"""Whose word an output follows: the hold of a person, the last commander, the lease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from agentd.safety.row import Row
from llmagentos.cause import Rank
from llmagentos.clock import Instant
from llmagentos.kind import Scalar

LEASE_S: Final = 10.0
"""Lease of agents and learners where the device names none: a program that streams says its wish
several times in it, and what one that died left running goes off before it does much harm."""

SETTLE_S: Final = 2.0
"""How long a command keeps lower ranks off: outputs are read back once a second and a proposer
needs some of another, so what it says within this time was decided before it could know."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose word one output follows."""

    held_until: Instant | None = None
    """Until when a person's command holds it."""

    exempt: frozenset[str] = frozenset()
    """Promises and rules that a person made after it; the hold does not bind them."""

    rank: Rank | None = None
    """Of who commanded it last, the gate's own orders apart."""

    commanded_at_s: float = 0.0
    """Monotonic second of that command."""

    lease_until_s: float | None = None
    """Monotonic second at which that command runs out; None when it holds for good."""


def claimed(old: Claim, row: Row, values: Mapping[str, Scalar], rank: Rank, now: Instant) -> Claim:
    """The claim after a command of this rank; the gate's own end a lease once all is safe."""
    if rank is Rank.SAFETY:
        return replace(old, lease_until_s=None) if row.is_safe(values) else old
    lease_s = row.limits.lease_s
    if lease_s is None and rank <= Rank.AGENT:
        lease_s = LEASE_S
    new = replace(
        old,
        rank=rank,
        commanded_at_s=now.mono_s,
        lease_until_s=None if lease_s is None else now.mono_s + lease_s,
    )
    if rank is not Rank.PERSON:
        return new
    hold_s = row.limits.manual_hold_s
    until = Instant(now.mono_s + hold_s, now.wall_s + hold_s)
    return replace(new, held_until=until, exempt=frozenset())
