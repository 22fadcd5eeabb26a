"""What understanding needs of those who keep promises and of those who remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agentd.agents.promise import Promise, TimerAnswer
from agentd.agents.rule import Rule
from agentd.agents.rules import Listed
from llmagentos.cause import Cause, Origin
from llmagentos.clock import Instant
from llmagentos.plan import Action
from llmagentos.utterance import LocalTime, Observation, Timer, TimerRequest


class PromisePort(Protocol):
    """Keeps promises. Each call returns once it is on disk; blocks up to 2 s.

    Raises `PromiseError`, with the reason in words for people, where it cannot.
    """

    def timer(
        self, wish: TimerRequest, *, origin: Origin, cause: Cause, now: Instant
    ) -> TimerAnswer:
        """Start, change, stop or look at a timer; never raises."""

    def schedule(
        self,
        actions: tuple[Action, ...],
        *,
        text: str,
        origin: Origin,
        cause: Cause,
        now: Instant,
        after_s: float | None = None,
        at: LocalTime | None = None,
    ) -> Promise:
        """Do these once, after so many seconds or at a time of day."""

    def remind(
        self,
        text: str,
        *,
        origin: Origin,
        cause: Cause,
        now: Instant,
        after_s: float | None = None,
        at: LocalTime | None = None,
    ) -> Promise:
        """Say this once, at that time."""

    def cancel(self, name: str) -> Promise | None:
        """Take a promise back by its id; None when there is none."""

    def all(self) -> tuple[Promise, ...]:
        """All that is promised, oldest first."""

    def left_s(self, promise: Promise, now: Instant) -> float | None:
        """Seconds until a promise is due; None while that cannot be known."""

    def timers(self, now: Instant) -> tuple[Timer, ...]:
        """The timers that run."""

    def read_rule(self, table: Mapping[str, Any]) -> Rule:
        """A rule from its table, written as a `[[rule]]` of agentd.toml; keeps nothing."""

    def add_rule(self, table: Mapping[str, Any], *, origin: Origin) -> Rule:
        """Arm a rule."""

    def remove_rule(self, name: str) -> None:
        """Take out a rule that was added."""

    def rules(self, observation: Observation) -> tuple[Listed, ...]:
        """All rules, and what they wait for."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """What would put things back as they were."""

    actions: tuple[Action, ...] = ()
    refusal: str = ""
    """Why it cannot be, in one sentence for people; empty when it can."""


class PastPort(Protocol):
    """Remembers what was done. Blocks up to 1 s."""

    def why(self, device: str | None) -> str:
        """Why a device is as it is, or why the last thing was done."""

    def happened(
        self, *, origin: Origin, now: Instant, since_s: float | None, device: str | None
    ) -> str:
        """What happened from a wall clock time on; None for since this person was last heard."""

    def undo(self, *, origin: Origin, now: Instant, device: str | None) -> WayBack:
        """What takes the last thing back, of one device or of all that it touched."""

    def put_back(self, *, now: Instant, at_s: float, device: str | None) -> WayBack:
        """What makes it as it was at a wall clock time."""
