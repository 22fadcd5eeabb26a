"""The book of promises and rules: doors write into it, the tick keeps what stands there.

What a door asks for is on disk before it is acknowledged; the tick itself never waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from agentd.agents import due as dues
from agentd.agents import keep
from agentd.agents.course import Courses
from agentd.agents.due import Due, Now
from agentd.agents.firing import find_blindness, find_reason_against
from agentd.agents.notice import Notice, Tell, plain
from agentd.agents.pages import Pages
from agentd.agents.promise import (
    MAX_LENGTH_S,
    Intent,
    Kind,
    Promise,
    PromiseError,
    Standing,
    TimerAnswer,
    WhenLate,
    Wish,
)
from agentd.agents.rule import Rule
from agentd.agents.rules import Listed, RuleBook
from agentd.agents.shelf import Shelf
from agentd.agents.sight import Sight
from agentd.agents.timers import TimerDesk
from agentd.agents.trigger import Memory
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.home import Home
from llmagentos.plan import Action, Decision, Plan
from llmagentos.reading import Reading, State
from llmagentos.utterance import LocalTime, Observation, Timer, TimerRequest

Exempt = Callable[[frozenset[str], str], None]
"""Told of the devices that a person's newest promise or rule touches, and of its id."""

Note = Callable[[Plan], None]
"""Told of a wish of which a promise was made, as a plan without actions."""


class PromiseBook:
    """All promises and rules of the box. Thread-safe."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        boot: str,
        zone: tzinfo,
        now: Instant,
        tell: Tell = plain,
        is_clock_set: bool = True,
        exempt: Exempt | None = None,
        note: Note | None = None,
    ) -> None:
        """Read what was promised in earlier runs.

        Args:
            shelf: where promises and rules are written down.
            boot: id of this boot of the machine (not of agentd); empty when it has none, which
                counts as another boot than all before.
            zone: the home's time zone.
            now: the present.
            tell: words a notice for people.
            is_clock_set: whether the wall clock can be trusted; every turn tells it anew.
            exempt: lets a person's newest promise pass that person's own hold on its devices;
                called from doors.
            note: told who had a command promised, for `why`.
        """
        self._boot, self._zone = boot or f"unknown@{now.wall_s}", zone
        self._loaded_at, self._is_clock_set = now, is_clock_set
        self._exempt, self._tell, self._note = exempt, tell, note
        self._home = Home()
        self._pages = Pages(shelf)
        self._desk = TimerDesk(self._pages, self._draft)
        self._rules = RuleBook(shelf)
        self._courses = Courses(self._rules, self._pages)
        self._kept: dict[str, tuple[Promise, Notice | None]] = {}
        self._said: list[str] = []
        self._news: list[Wish] = []
        self.due_in_s = math.inf
        """Seconds from the last turn until a promise is due; rules are looked at each turn."""

    # what doors ask for -----------------------------------------------------------------------

    def timer(
        self, wish: TimerRequest, *, origin: Origin, cause: Cause, now: Instant
    ) -> TimerAnswer:
        """Start, change or tell timers. Blocks up to 2 s for the disk; never raises."""
        return self._desk.answer(wish, origin=origin, cause=cause, now=self._moment(now))

    def schedule(
        self,
        actions: tuple[Action, ...],
        *,
        after_s: float | None = None,
        at: LocalTime | None = None,
        text: str,
        origin: Origin,
        cause: Cause,
        now: Instant,
        when_late: WhenLate = WhenLate.IF_SAFE,
    ) -> Promise:
        """Promise to do something after a length of time or at a time of day, one of the two.

        Blocks up to 2 s until it is on disk.

        Raises:
            PromiseError: it cannot be promised.
        """
        due = _due(after_s, at, self._moment(now))
        kind = Kind.DELAYED if at is None else Kind.CLOCK
        draft = self._draft(kind, due, origin, cause)
        promise = replace(draft, text=text, actions=actions, when_late=when_late)
        self._pages.add(promise)
        if self._note:
            self._note(Plan((), cause, origin, now, text=text))
        self._let_pass(frozenset(action.device for action in actions), promise.id, origin)
        return promise

    def remind(
        self,
        text: str,
        *,
        after_s: float | None = None,
        at: LocalTime | None = None,
        origin: Origin,
        cause: Cause,
        now: Instant,
    ) -> Promise:
        """Promise to say something; as `schedule`."""
        due = _due(after_s, at, self._moment(now))
        promise = replace(self._draft(Kind.REMINDER, due, origin, cause), text=text)
        self._pages.add(promise)
        return promise

    def cancel(self, name: str) -> Promise | None:
        """Take a promise back by its id; None when there is none. Blocks up to 2 s.

        Raises:
            PromiseError: that could not be written down, so it still stands.
        """
        with self._pages.changing(name) as change:
            change.remove()
            return change.old

    def all(self) -> tuple[Promise, ...]:
        """Every promise that somebody was given, oldest first."""
        return tuple(each for each in self._pages.all() if each.made_by)

    def timers(self, now: Instant) -> tuple[Timer, ...]:
        """The timers, as understanding needs to see them."""
        return self._desk.shown(self._moment(now))

    def left_s(self, promise: Promise, now: Instant) -> float | None:
        """Seconds until a promise is due; None while it is paused or that cannot be known."""
        left = dues.left(promise.due, self._moment(now))
        return left.seconds if left and promise.standing is Standing.RUNNING else None

    def add_rule(self, table: Mapping[str, Any], *, origin: Origin) -> Rule:
        """Take in a rule, or a new version of one that was added before. Blocks up to 2 s.

        Raises:
            PromiseError: it cannot be used as it is written, or not be written down.
        """
        rule = self._rules.add(table)
        self._let_pass(rule.devices, rule.id, origin)
        return rule

    def read_rule(self, table: Mapping[str, Any]) -> Rule:
        """Read a rule without taking it in; raises as `add_rule`."""
        return self._rules.read(table)

    def obstacle(self, rule: Rule, observation: Observation) -> str:
        """Why a rule could not run now, as a phrase; empty when it could."""
        sight = self._sight(observation, (), observation.now)
        return find_reason_against(rule, Memory(), sight) or find_blindness(rule, sight)

    def remove_rule(self, name: str) -> None:
        """Take out a rule that was added; blocks and raises as `add_rule`."""
        self._rules.remove(name)

    def enable_rule(self, name: str, *, is_enabled: bool) -> None:
        """Switch any rule on or off; blocks and raises as `add_rule`."""
        self._rules.enable(name, is_enabled=is_enabled)

    def rules(self, observation: Observation) -> tuple[Listed, ...]:
        """Every rule, and what stands in its way now."""
        return self._rules.listed(self._sight(observation, (), observation.now))

    # what the tick asks for: nothing here blocks -----------------------------------------------

    def adopt(self, rules: Iterable[Rule], home: Home, *, zone: tzinfo | None = None) -> None:
        """Take over the rules, the devices and the time zone of a configuration."""
        self._home = home
        self._zone = zone or self._zone
        self._rules.adopt(rules, home.by_id)

    def turn(
        self,
        observation: Observation,
        readings: Iterable[Reading],
        before: Mapping[str, State],  # noqa: ARG002 - rules remember what was before
        now: Instant,
    ) -> tuple[Wish, ...]:
        """What is due now.

        Args:
            observation: the house, the new readings taken in.
            readings: those that came in since the last turn.
            before: the states before they came in.
            now: the present.
        """
        self._is_clock_set = observation.is_clock_set
        for name in self._said:  # published with the last turn, so not to be said again
            self._pages.drop(name)
        self._said.clear()
        wishes, self._news = self._news, []
        moment = self._moment(now)
        self.due_in_s = math.inf
        for promise in self._pages.at_rest():
            wishes += self._keep(self._reckon(promise, moment), moment)
        for wish in self._courses.turn(self._sight(observation, tuple(readings), now)):
            said = self._tell(wish.notice) if wish.notice else ""
            wishes.append(replace(wish, say=said))
        return tuple(wishes)

    def told(self, occasion: str, decision: Decision | None) -> None:
        """Take the tick's decision on a wish; None when its occasion was begun before."""
        promise, late = self._kept.pop(occasion, (None, None))
        if promise is None:
            self._courses.told(occasion, decision)
            return
        self._pages.drop(promise.id)
        if decision and promise.made_by:  # how the end of a rule's act went is told by the rule
            notice = keep.refusal(promise, decision) or late
            self._news += [self._say(notice, promise)] if notice else []

    def recover(self, interrupted: Iterable[Intent]) -> None:
        """Take note of what an earlier run left unfinished: it is told, and never repeated."""
        by_occasion = {each.occasion: each for each in self._pages.all()}
        moment = self._moment(self._loaded_at)
        for intent in interrupted:
            self._pages.put(keep.cut_short(intent, by_occasion.get(intent.occasion), moment))

    # inside -----------------------------------------------------------------------------------

    def _moment(self, now: Instant) -> Now:
        return Now(now, self._boot, self._is_clock_set, self._loaded_at, self._zone)

    def _sight(self, seen: Observation, readings: tuple[Reading, ...], now: Instant) -> Sight:
        return Sight(seen.states, readings, self._moment(now), self._home.by_id)

    def _draft(self, kind: Kind, due: Due, origin: Origin, cause: Cause) -> Promise:
        name = self._pages.new_id(kind.value[0])
        return Promise(name, kind, cause, origin, due, f"promise:{name}@{cause}")

    def _let_pass(self, devices: frozenset[str], who: str, origin: Origin) -> None:
        if self._exempt and devices and origin.rank is Rank.PERSON:
            self._exempt(devices, who)

    def _reckon(self, promise: Promise, moment: Now) -> Promise:
        if promise.standing is not Standing.RUNNING:
            return promise
        due = dues.reckon(promise.due, moment)
        if due is not promise.due:
            promise = replace(promise, due=due)
            self._pages.update(promise)
        return promise

    def _keep(self, promise: Promise, moment: Now) -> Iterator[Wish]:
        kept = keep.keep(promise, moment)
        if kept is None:
            left = dues.left(promise.due, moment)
            if left and promise.standing is Standing.RUNNING:
                self.due_in_s = min(self.due_in_s, left.seconds)
            return
        if not self._pages.take(promise.id):
            return
        if kept.is_done:
            self._kept[promise.occasion] = promise, kept.notice
            yield keep.wish(promise)
            return
        self._said.append(promise.id)
        if kept.notice:
            yield self._say(kept.notice, promise)

    def _say(self, notice: Notice, promise: Promise | None = None) -> Wish:
        cause = promise.made_by if promise else None
        return Wish(notice.id, say=self._tell(notice), notice=notice, made_by=cause)


def _due(after_s: float | None, at: LocalTime | None, moment: Now) -> Due:
    if (after_s is None) == (at is None):
        raise ValueError("either after_s or at")
    if at is not None:
        due = dues.at(at, moment)
        if due.wall_s is not None and due.wall_s <= moment.at.wall_s:
            raise PromiseError("past", "That time is over.")
        return due
    assert after_s is not None
    if not 0 <= after_s <= MAX_LENGTH_S:
        raise PromiseError("too_long", "I look ahead for a year at most.")
    return dues.after(after_s, moment)
