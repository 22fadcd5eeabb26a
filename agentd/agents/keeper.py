"""What the tick asks of whoever keeps promises and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Protocol

from agentd.agents.promise import Wish
from agentd.agents.rule import Rule
from llmagentos.clock import Instant
from llmagentos.home import Home
from llmagentos.plan import Decision
from llmagentos.reading import Reading, State
from llmagentos.utterance import Observation, Timer


class Keeper(Protocol):
    """Whoever keeps promises and rules; see `agentd.agents.promises`."""

    def adopt(self, rules: Iterable[Rule], home: Home, *, zone: tzinfo | None) -> None:
        """Take over the rules of a house, the devices that they speak of, and its time zone."""

    def turn(
        self,
        observation: Observation,
        readings: Iterable[Reading],
        before: Mapping[str, State],
        now: Instant,
    ) -> Iterable[Wish]:
        """What is due now; never blocks."""

    def told(self, occasion: str, decision: Decision | None) -> None:
        """Take the decision on a wish; None when its occasion was begun before."""

    def timers(self, now: Instant) -> tuple[Timer, ...]:
        """The timers that run."""

    @property
    def due_in_s(self) -> float:
        """Seconds from the last turn until something is due; infinite when nothing is."""
