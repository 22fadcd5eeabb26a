"""What a rule of the gate is, and what it gets to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agentd.safety.memory import GateState, Track
from agentd.safety.row import Row
from llmagentos.cause import Rank
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action, Plan
from llmagentos.reading import State
from llmagentos.utterance import Observation

Rows = Mapping[str, Row]
"""What the gate knows of each output, by device id."""


@dataclass(frozen=True, slots=True)
class Site:
    """One output and all that a rule may look at."""

    row: Row
    gate: GateState
    observation: Observation
    rows: Rows

    @property
    def now(self) -> Instant:
        """The present instant."""
        return self.observation.now

    @property
    def name(self) -> str:
        """The output as people call it."""
        return self.row.device.name

    @property
    def track(self) -> Track:
        """What the gate remembers of it."""
        return self.gate.track(self.row.device.id)

    @property
    def state(self) -> State | None:
        """What it is like; None when it was never seen."""
        return self.observation.states.get(self.row.device.id)

    @property
    def values(self) -> Mapping[str, Scalar]:
        """Its properties; empty when nobody knows."""
        return self.state.values if self.state else {}

    @property
    def is_on(self) -> bool:
        """Whether it is energised or open now."""
        return self.row.is_on(self.values)

    @property
    def in_state_s(self) -> float:
        """How long it has been on, or off, in seconds."""
        return (self.track.since or self.gate.started_at).age_s(self.now)


@dataclass(frozen=True, slots=True)
class Case(Site):
    """One action of a plan, before the gate."""

    action: Action
    plan: Plan

    @property
    def switches_on(self) -> bool:
        """Whether it would energise or open what is not; a press always counts."""
        return not self.track.is_active and self.row.leads_on(self.action)

    @property
    def switches_off(self) -> bool:
        """Whether it would bring to rest what is energised or open."""
        return self.track.is_active and self.row.leads_off(self.action)

    @property
    def rank(self) -> Rank:
        """The plan's rank; a promise that a person made after the last direct command ranks as
        that person."""
        origin = self.plan.origin
        is_newest = origin.rank is Rank.RULE and origin.who in self.track.claim.exempt
        return Rank.PERSON if is_newest else origin.rank


Sentence = str | None
"""A reason for people, or None when the rule has nothing against it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One named rule; each part is None where the rule has none."""

    name: str
    """As verdicts, the journal and the log name it; where a key of `[device.limits]` sets it, that
    key."""

    refuse: Callable[[Case], Sentence] | None = None
    """Why the action may not be done."""

    bound: Callable[[Case], tuple[Action, str] | None] | None = None
    """What is granted instead of what was asked, with the reason; later rules judge that."""

    ask: Callable[[Case], Sentence] | None = None
    """What a person has to say yes to first."""

    fire: Callable[[Site], tuple[Action, str] | None] | None = None
    """What the gate does by itself, with the reason."""

    binds_safety: bool = False
    """Whether it judges the gate's own actions too."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the gate does by itself."""

    action: Action
    rule: str
    """Name of the rule that fired."""
    reason: str
    """One sentence for people."""
