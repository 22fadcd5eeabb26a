"""What understanding needs of those who keep promises and of those who remember.

LlmagentosError
 └─ NotPromised    it cannot be kept; nothing was promised
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from llmagentos.cause import Cause, Origin
from llmagentos.clock import Instant
from llmagentos.errors import LlmagentosError
from llmagentos.plan import Action
from llmagentos.utterance import LocalTime, Timer, TimerRequest


class NotPromised(LlmagentosError):
    """It cannot be kept: too many are, or the disk takes no more. Its text is for people."""


@dataclass(frozen=True, slots=True)
class TimerAnswer:
    """What became of a wish about timers."""

    timers: tuple[Timer, ...] = ()
    """Those it was about, as they are now; with `several` those that may be meant."""

    problem: str = ""
    """none (no such timer), several (which one?), too_short, full; empty when it was done."""


@dataclass(frozen=True, slots=True)
class Promised:
    """One thing that was promised."""

    id: str
    """Unique among promises."""
    kind: str
    """timer, command, reminder or rule"""
    text: str
    """What was asked for, in the words of the one who asked; the name of a timer."""
    due_s: float | None = None
    """Wall clock, seconds since 1970, of the moment it is kept; None where there is none."""


class PromisePort(Protocol):
    """Keeps promises. Each call returns once it is on disk; blocks up to 2 s.

    Raises `NotPromised` where it cannot.
    """

    def timer(
        self, wish: TimerRequest, *, origin: Origin, cause: Cause, now: Instant
    ) -> TimerAnswer:
        """Start, change, stop or look at a timer."""

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
    ) -> Promised:
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
    ) -> Promised:
        """Say this once, at that time."""

    def cancel(self, id: str) -> bool:
        """Drop a promise; False when there is none of that id."""

    def all(self) -> tuple[Promised, ...]:
        """All that is promised, the next due first."""

    def timers(self, now: Instant) -> tuple[Timer, ...]:
        """The timers that run."""


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
