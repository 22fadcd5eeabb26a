"""What has been, for whoever asks: why, what happened, and the way back.

Reads the journal; what it says is made by `why`, `history` and `undo`, which are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Final, Protocol

from agentd import deed
from agentd.history import happened as tell
from agentd.history import is_worth_telling
from agentd.journal import Entry, Fault, JournalError, Note
from agentd.understand.port import WayBack
from agentd.undo import find_act, put_back, undo
from agentd.why import Account, explain
from agentd.wording import Wording
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.plan import Plan, Ruling, Verdict
from llmagentos.utterance import Observation

MAX_ENTRIES: Final = 2000
"""Entries looked at for one answer."""

_FEW: Final = 50
"""Entries in which the answer is nearly always found."""

_DAY_S: Final = 86_400.0

_NO_CAUSE: Final = Cause("none", "00000000", 0)
"""Stands in a plan that is only previewed."""


class Chronicle(Protocol):
    """What is asked of the journal; see `agentd.journal.Journal`."""

    def entries(
        self,
        *,
        device: str | None = None,
        cause: str | None = None,
        since_s: float | None = None,
        until_s: float | None = None,
        limit: int = 100,
    ) -> tuple[Entry, ...]:
        """What was done or refused, newest first."""

    def notes(
        self, *, since_s: float = ..., until_s: float = ..., limit: int = ...
    ) -> tuple[Note, ...]:
        """Starts, stops and resets, newest first."""

    def faults(self, *, since_s: float, until_s: float, limit: int) -> tuple[Fault, ...]:
        """What latched, newest first."""


class Past:
    """Answers from the journal; may be called from any thread. Blocks up to 1 s.

    What is said to people says so itself when the journal cannot be read.
    """

    def __init__(
        self,
        journal: Chronicle,
        *,
        observe: Callable[[], Observation],
        preview: Callable[[Plan], Sequence[Verdict]],
        zone: Callable[[], tzinfo | None] = lambda: None,
    ) -> None:
        """Ready to answer.

        Args:
            journal: what was written down.
            observe: the present.
            preview: what the gate would say to a plan.
            zone: the home's time zone; None for the system's.
        """
        self._journal = journal
        self._observe = observe
        self._preview = preview
        self.zone = zone
        """The home's time zone, as it is now."""

    def why(self, device: str | None) -> str:
        """Why a device is as it is, or why the last thing was done."""
        try:
            return self.account(device).text
        except JournalError as exc:
            return _sorry(exc)

    def account(self, device: str | None) -> Account:
        """The same with the entries that it rests on.

        Raises:
            JournalError: the journal cannot be read.
        """
        observation, notes = self._observe(), self._journal.notes(limit=100)
        stops = [each for each in notes if each.kind == "stop"]
        for limit in (_FEW, MAX_ENTRIES):
            entries = self._journal.entries(device=device, limit=limit)
            found = explain(
                entries,
                replace(self._wording(observation), stops=stops),
                device=device,
                state=observation.states.get(device or ""),
                look=lambda name: self._journal.entries(device=name, limit=_FEW),
            )
            if len(entries) < limit or any(not deed.is_refused(each) for each in found.chain):
                break
        return found

    def happened(
        self, *, origin: Origin, now: Instant, since_s: float | None, device: str | None
    ) -> str:
        """What happened from a wall clock time on; None for since this person last had something
        done, a day at most."""
        try:
            begin_s = self.last_heard_s(origin, now) if since_s is None else since_s
            return self.told(since_s=begin_s, until_s=now.wall_s, device=device)
        except JournalError as exc:
            return _sorry(exc)

    def told(self, *, since_s: float, until_s: float, device: str | None = None) -> str:
        """What happened in a time, wall clock; raises as `account`."""
        journal, wording = self._journal, self._wording(self._observe())
        entries = journal.entries(
            device=device, since_s=since_s, until_s=until_s, limit=MAX_ENTRIES
        )
        notes = journal.notes(since_s=since_s, until_s=until_s, limit=100)
        faults = journal.faults(since_s=since_s, until_s=until_s, limit=100)
        return tell(entries, wording, since_s=since_s, notes=notes, faults=faults, device=device)

    def events(
        self, *, since_s: float, until_s: float, device: str | None, limit: int
    ) -> tuple[Entry, ...]:
        """The same as data, newest first: all that it may tell of; raises as `account`."""
        home = self._observe().home
        entries = self._journal.entries(
            device=device, since_s=since_s, until_s=until_s, limit=MAX_ENTRIES
        )
        return tuple(each for each in entries if is_worth_telling(each, home))[:limit]

    def last_heard_s(self, origin: Origin, now: Instant) -> float:
        """When this person last had something done, wall clock; a day ago when not since then."""
        day_ago_s = now.wall_s - _DAY_S
        entries = self._journal.entries(since_s=day_ago_s, limit=MAX_ENTRIES)
        return next((each.at_s for each in entries if deed.is_by(each, origin)), day_ago_s)

    def undo(self, *, origin: Origin, now: Instant, device: str | None) -> WayBack:
        """What takes the last thing back that this person had done; see `agentd.undo`."""
        try:
            entries = self._journal.entries(device=device, limit=MAX_ENTRIES)
            cause = find_act(entries, origin, now_s=now.wall_s, device=device)
            act = self._journal.entries(cause=cause, limit=MAX_ENTRIES) if cause else ()
        except JournalError as exc:
            return WayBack(refusal=_sorry(exc))
        observation = self._observe()
        name = self._namer(observation)
        way = undo(act, entries, observation, tell=name, device=device)
        return self._unless_refused(way, origin, now)

    def put_back(self, *, now: Instant, at_s: float, device: str | None) -> WayBack:
        """What makes a device, or all that persons have set since, as it was at a time."""
        try:
            since = self._journal.entries(device=device, since_s=at_s, limit=MAX_ENTRIES)
            older = self._journal.entries(device=device, until_s=at_s, limit=_FEW) if device else ()
        except JournalError as exc:
            return WayBack(refusal=_sorry(exc))
        before = next((each for each in older if not deed.is_refused(each)), None)
        observation = self._observe()
        name = self._namer(observation)
        way = put_back(since, before, observation, tell=name, device=device)
        return self._unless_refused(way, Origin(Rank.PERSON, "voice"), now)

    def _unless_refused(self, way: WayBack, origin: Origin, now: Instant) -> WayBack:
        """All or nothing: what the gate would refuse in part is refused as a whole."""
        if not way.actions:
            return way
        plan = Plan(way.actions, _NO_CAUSE, origin, now)
        denied = [each for each in self._preview(plan) if each.ruling is Ruling.DENY]
        return WayBack(refusal=f"I cannot put it back now. {denied[0].reason}") if denied else way

    def _namer(self, observation: Observation) -> Callable[[Entry], str]:
        wording = self._wording(observation)
        return lambda entry: f"{wording.by(entry)} {wording.time(entry.at_s)}"

    def _wording(self, observation: Observation) -> Wording:
        return Wording(observation.home, observation.now.wall_s, self.zone())


def _sorry(exc: JournalError) -> str:
    return f"I cannot read my journal: {exc}."
