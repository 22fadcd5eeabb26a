"""The one bounded inbox of the tick. Posting never blocks; stop and reset overtake everything."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from llmagentos.cause import Cause, Origin
from llmagentos.plan import Decision, Plan
from llmagentos.reading import Reading

MAX_PROPOSALS: Final = 256
"""Plans that may wait; one more is refused as busy."""

MAX_READINGS: Final = 4096
"""Readings that may wait; beyond it the oldest of the flood is dropped and counted."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan, and where its decision is awaited."""

    plan: Plan
    decision: Future[Decision]


@dataclass(frozen=True, slots=True)
class Begun:
    """A plan whose intent was written down, or could not be."""

    proposal: Proposal
    """The one that waited for it."""

    is_new: bool = False
    """False when a plan of the same occasion was begun before."""

    error: str = ""
    """Why it could not be written; empty when it was."""


@dataclass(frozen=True, slots=True)
class Latch:
    """Stop everything, or lift the stop and the faults."""

    is_stop: bool
    cause: Cause
    origin: Origin
    done: Future[None]
    device: str | None = None
    """Of a reset: the one device whose fault is lifted; None for the stop and every fault."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All that came in since the last turn."""

    latches: tuple[Latch, ...] = ()
    readings: tuple[Reading, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    calls: tuple[Callable[[], Any], ...] = ()
    """Work that must be done between two turns (a reload)."""
    begun: tuple[Begun, ...] = ()


@dataclass
class Inbox:
    """Filled from any thread, emptied by the tick."""

    _latches: list[Latch] = field(default_factory=list)
    _readings: deque[Reading] = field(default_factory=lambda: deque(maxlen=MAX_READINGS))
    _proposals: deque[Proposal] = field(default_factory=deque)
    _calls: list[Callable[[], Any]] = field(default_factory=list)
    _begun: list[Begun] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    dropped_readings: int = 0
    """Readings lost to a flood since the start."""

    def post(self, reading: Reading) -> None:
        """Hand over a reading."""
        with self._changed:
            self.dropped_readings += len(self._readings) == MAX_READINGS
            self._readings.append(reading)
            self._changed.notify()

    def propose(self, plan: Plan) -> Future[Decision]:
        """Hand over a plan; the future holds the tick's decision, or `InboxFull`."""
        decision: Future[Decision] = Future()
        with self._changed:
            if len(self._proposals) >= MAX_PROPOSALS:
                decision.set_exception(InboxFull("the box is busy, nothing was done"))
                return decision
            self._proposals.append(Proposal(plan, decision))
            self._changed.notify()
        return decision

    def latch(
        self, *, is_stop: bool, cause: Cause, origin: Origin, device: str | None = None
    ) -> Future[None]:
        """Stop or reset, ahead of everything; the future is set when it is done."""
        latch = Latch(is_stop, cause, origin, Future(), device)
        with self._changed:
            self._latches.append(latch)
            self._changed.notify()
        return latch.done

    def begun(self, begun: Begun) -> None:
        """Hand back a plan whose intent was to be written down first."""
        with self._changed:
            self._begun.append(begun)
            self._changed.notify()

    def call(self, work: Callable[[], Any]) -> None:
        """Have something done by the tick's thread, between two turns."""
        with self._changed:
            self._calls.append(work)
            self._changed.notify()

    def take(self, *, wait_s: float) -> Batch:
        """All that is there; waits at most `wait_s` seconds for the first."""
        with self._changed:
            lanes = (self._latches, self._readings, self._proposals, self._calls, self._begun)
            if not any(lanes):
                self._changed.wait(wait_s)
            batch = Batch(
                tuple(self._latches),
                tuple(self._readings),
                tuple(self._proposals),
                tuple(self._calls),
                tuple(self._begun),
            )
            for lane in lanes:
                lane.clear()
            return batch


class InboxFull(Exception):
    """Too many plans wait."""
