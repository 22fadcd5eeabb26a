"""The book of promises: made by doors, written down before they are acknowledged, kept by the tick.

Doors and the tick share it. A door's change is on disk before anybody hears of it, and meanwhile
the tick lets that promise rest; the tick itself never waits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import tzinfo

from agentd.agents import due as dues
from agentd.agents import timer as timers
from agentd.agents.due import Due, Now
from agentd.agents.notice import LATE_S, Notice, NoticeKind, Tell, tell
from agentd.agents.promise import (
    MAX_LENGTH_S,
    MAX_PROMISES,
    Interrupted,
    Kind,
    Problem,
    Promise,
    PromiseError,
    Standing,
    TimerAnswer,
    WhenLate,
    Wish,
)
from agentd.agents.promise_json import decode, encode
from agentd.agents.shelf import Shelf
from llmagentos.cause import Cause, Origin, Rank
from llmagentos.clock import Instant
from llmagentos.plan import Action, Decision, Stage
from llmagentos.reading import Reading, State
from llmagentos.utterance import LocalTime, Observation, Timer, TimerRequest

_log = logging.getLogger(__name__)

SHELF_KIND = "promise"
"""What the documents are called on the shelf."""

Exempt = Callable[[frozenset[str], str], None]
"""Told of the devices that a person's newest promise or rule touches, and of its id."""


class PromiseBook:
    """All promises of the box. Thread-safe."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        boot: str,
        zone: tzinfo,
        now: Instant,
        is_clock_set: bool = True,
        exempt: Exempt | None = None,
        tell: Tell = tell,
    ) -> None:
        """Read what was promised in earlier runs.

        Args:
            shelf: where promises are written down.
            boot: id of this boot of the machine (not of agentd).
            zone: the home's time zone.
            now: the present.
            is_clock_set: whether the wall clock can be trusted; every turn tells it anew.
            exempt: lets a person's newest promise pass that person's own hold on its devices;
                called from doors.
            tell: words a notice for people.
        """
        self._shelf, self._boot, self.zone = shelf, boot, zone
        self._loaded_at, self._is_clock_set = now, is_clock_set
        self._exempt, self._tell = exempt, tell
        self._lock = threading.Lock()
        self._door = threading.Lock()
        self._resting: str | None = None
        self._kept: dict[str, Promise] = {}
        self._rung: list[Promise] = []
        self._news: list[Wish] = []
        self._promises = dict(self._read(shelf.saved(SHELF_KIND)))
        self._next = 1 + max((timers.number(name) for name in self._promises), default=0)

    # what doors ask for -----------------------------------------------------------------------

    def timer(
        self, wish: TimerRequest, *, origin: Origin, cause: Cause, now: Instant
    ) -> TimerAnswer:
        """Start, change or tell timers. Blocks up to 2 s for the disk; never raises."""
        moment = self._moment(now)
        try:
            if wish.op == "start":
                return self._start(wish, origin=origin, cause=cause, moment=moment)
            return self._change(wish, origin=origin, moment=moment)
        except PromiseError as exc:
            return TimerAnswer(wish.op, problem=_PROBLEMS.get(exc.code, Problem.NOT_WRITTEN))

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
        moment = self._moment(now)
        kind = Kind.DELAYED if at is None else Kind.CLOCK
        promise = self._new(
            kind, _due(after_s, at, moment), text=text, origin=origin, cause=cause,
            actions=actions, when_late=when_late,
        )  # fmt: skip
        self._make(promise)
        if self._exempt and origin.rank is Rank.PERSON:
            self._exempt(frozenset(action.device for action in actions), promise.id)
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
        promise = self._new(Kind.REMINDER, due, text=text, origin=origin, cause=cause)
        self._make(promise)
        return promise

    def cancel(self, name: str) -> Promise | None:
        """Take a promise back by its id; None when there is none. Blocks up to 2 s.

        Raises:
            PromiseError: that could not be written down, so it still stands.
        """
        with self._door, self._rest(name) as promise:
            if promise is not None:
                self._remove(promise)
        return promise

    def all(self) -> tuple[Promise, ...]:
        """Every promise that stands, oldest first."""
        with self._lock:
            return tuple(self._promises.values())

    def timers(self, now: Instant) -> tuple[Timer, ...]:
        """The timers, as understanding needs to see them."""
        moment = self._moment(now)
        return tuple(timers.shown(each, moment) for each in self.all() if each.kind is Kind.TIMER)

    def left_s(self, promise: Promise, now: Instant) -> float | None:
        """Seconds until a promise is due; None while that cannot be known."""
        if promise.standing is Standing.PAUSED:
            return None
        left = dues.left(promise.due, self._moment(now))
        return left.seconds if left else None

    # what the tick asks for -------------------------------------------------------------------

    def turn(
        self,
        observation: Observation,
        readings: Iterable[Reading],  # noqa: ARG002 - for rules
        before: Mapping[str, State],  # noqa: ARG002 - for rules
        now: Instant,
    ) -> tuple[Wish, ...]:
        """What is due now. Never blocks; called by the tick alone.

        Args:
            observation: the house, the new readings taken in.
            readings: those that came in since the last turn.
            before: the states before they came in.
            now: the present.
        """
        with self._lock:
            self._is_clock_set = observation.is_clock_set
            for promise in self._rung:  # said at the last turn, so not to be said again
                self._shelf.post_drop(SHELF_KIND, promise.id)
            self._rung.clear()
            wishes, self._news = self._news, []
            moment = self._moment(now)
            for promise in list(self._promises.values()):
                if promise.id != self._resting and promise.standing is Standing.RUNNING:
                    wishes += self._keep(self._reckon(promise, moment), moment)
        return tuple(wishes)

    def told(self, occasion: str, decision: Decision | None) -> None:
        """Take the tick's decision on a wish; None when its occasion was begun before."""
        with self._lock:
            promise = self._kept.pop(occasion, None)
            if promise is None:
                return
            self._shelf.post_drop(SHELF_KIND, promise.id)
            if decision:
                self._news += self._verdict(promise, decision)

    def recover(self, interrupted: Iterable[Interrupted]) -> None:
        """Take note of what an earlier run left unfinished: it is told, and never repeated."""
        with self._lock:
            by_occasion = {each.occasion: each for each in self._promises.values()}
            for intent in interrupted:
                promise = by_occasion.get(intent.occasion)
                if promise:
                    del self._promises[promise.id]
                    self._shelf.post_drop(SHELF_KIND, promise.id)
                self._news.append(self._say(_interrupted(intent, promise)))

    # inside -----------------------------------------------------------------------------------

    def _moment(self, now: Instant) -> Now:
        return Now(now, self._boot, self._is_clock_set, self._loaded_at, self.zone)

    def _read(self, bodies: Mapping[str, str]) -> Iterator[tuple[str, Promise]]:
        for name, body in bodies.items():
            try:
                yield name, decode(body)
            except PromiseError as exc:
                _log.error("promise %s is left out: %s", name, exc)

    def _new(
        self, kind: Kind, due: Due, *, text: str = "", origin: Origin, cause: Cause, **more: object
    ) -> Promise:
        with self._lock:
            if len(self._promises) >= MAX_PROMISES:
                raise PromiseError("too_many", f"I keep {MAX_PROMISES} promises already.")
            name = f"{kind.value[0]}{self._next}"
            self._next += 1
        return Promise(name, kind, cause, origin, due, f"{name}@{cause}", text, **more)  # type: ignore[arg-type]

    def _make(self, promise: Promise) -> None:
        with self._door:
            self._write(promise)

    def _write(self, promise: Promise) -> None:
        """On disk first; when that fails nothing has changed."""
        try:
            self._shelf.keep(SHELF_KIND, promise.id, encode(promise))
        except PromiseError:
            self._unwrite(promise.id)
            raise
        with self._lock:
            self._promises[promise.id] = promise

    def _unwrite(self, name: str) -> None:
        """What is still under way to the disk must not come to life at the next start."""
        with self._lock:
            old = self._promises.get(name)
        if old:
            self._shelf.post(SHELF_KIND, name, encode(old))
        else:
            self._shelf.post_drop(SHELF_KIND, name)

    def _remove(self, promise: Promise) -> None:
        try:
            self._shelf.forget(SHELF_KIND, promise.id)
        except PromiseError:
            self._unwrite(promise.id)
            raise
        with self._lock:
            self._promises.pop(promise.id, None)

    @contextmanager
    def _rest(self, name: str) -> Iterator[Promise | None]:
        """Keep the tick off a promise while a door changes it; None when it is not there."""
        with self._lock:
            promise = self._promises.get(name)
            self._resting = name
        try:
            yield promise
        finally:
            with self._lock:
                self._resting = None

    def _start(
        self, wish: TimerRequest, *, origin: Origin, cause: Cause, moment: Now
    ) -> TimerAnswer:
        if not wish.seconds or wish.seconds <= 0:
            return TimerAnswer("start", problem=Problem.NO_LENGTH)
        promise = self._new(
            Kind.TIMER, _due(wish.seconds, None, moment), origin=origin, cause=cause,
            name=wish.name, area=wish.area, start_s=float(wish.seconds),
        )  # fmt: skip
        self._make(promise)
        return TimerAnswer("start", (timers.shown(promise, moment),))

    def _change(self, wish: TimerRequest, *, origin: Origin, moment: Now) -> TimerAnswer:
        with self._door:
            running = [each for each in self.all() if each.kind is Kind.TIMER]
            found = timers.find(wish, running, area=origin.area)
            shown = tuple(timers.shown(each, moment) for each in found.promises)
            if found.problem or wish.op == "status":
                return TimerAnswer(wish.op, shown, found.problem)
            if wish.op in ("cancel", "cancel_all"):
                for promise in found.promises:
                    with self._rest(promise.id) as there:
                        if there:
                            self._remove(there)
                return TimerAnswer(wish.op, shown)
            with self._rest(found.promises[0].id) as there:
                if there is None:  # it rang while we looked
                    return TimerAnswer(wish.op, problem=Problem.NO_SUCH)
                changed = timers.change(there, wish, moment)
                if isinstance(changed, Problem):
                    return TimerAnswer(wish.op, shown, changed)
                self._write(changed)
                return TimerAnswer(wish.op, (timers.shown(changed, moment),))

    def _reckon(self, promise: Promise, moment: Now) -> Promise:
        due = dues.reckon(promise.due, moment)
        if due is promise.due:
            return promise
        promise = replace(promise, due=due)
        self._promises[promise.id] = promise
        self._shelf.post(SHELF_KIND, promise.id, encode(promise))
        return promise

    def _keep(self, promise: Promise, moment: Now) -> Iterator[Wish]:
        """The promise, if it is due."""
        left = dues.left(promise.due, moment)
        if left is None or left.seconds > 0:
            return
        late_s = -left.seconds
        del self._promises[promise.id]
        if not promise.actions:
            self._rung.append(promise)
            kind = NoticeKind.TIMER if promise.kind is Kind.TIMER else NoticeKind.REMINDER
            yield self._say(_notice(kind, promise, late_s, left.is_exact), promise)
        elif _is_too_late(promise, late_s, left.is_exact):
            self._rung.append(promise)
            yield self._say(_notice(NoticeKind.MISSED, promise, late_s, left.is_exact), promise)
        else:
            self._kept[promise.occasion] = promise
            yield Wish(
                promise.id, promise.actions, promise.occasion,
                made_by=promise.made_by, text=promise.text,
            )  # fmt: skip

    def _verdict(self, promise: Promise, decision: Decision) -> Iterator[Wish]:
        """What there is to tell of a promise that could not be kept."""
        for applied in decision.applied:
            if applied.stage in (Stage.REFUSED, Stage.FAILED):
                notice = _notice(NoticeKind.REFUSED, promise, 0.0, True)
                yield self._say(replace(notice, reason=applied.reason), promise)
                return

    def _say(self, notice: Notice, promise: Promise | None = None) -> Wish:
        cause = promise.made_by if promise else None
        return Wish(notice.id, say=self._tell(notice), notice=notice, made_by=cause)


_PROBLEMS = {"too_long": Problem.TOO_LONG, "too_many": Problem.TOO_MANY}


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


def _is_too_late(promise: Promise, late_s: float, is_exact: bool) -> bool:
    if promise.when_late is WhenLate.IF_SAFE:
        bound_s = promise.bound_s
        return bound_s is not None and (late_s > bound_s or not is_exact)
    return promise.when_late is WhenLate.DROP and (late_s >= LATE_S or not is_exact)


def _notice(kind: NoticeKind, promise: Promise, late_s: float, is_exact: bool) -> Notice:
    return Notice(
        kind, promise.id, promise.text, promise.name, promise.area or promise.origin.area,
        promise.start_s, late_s, is_exact,
    )  # fmt: skip


def _interrupted(intent: Interrupted, promise: Promise | None) -> Notice:
    if promise:
        return _notice(NoticeKind.INTERRUPTED, promise, 0.0, True)
    words = ", ".join(f"{each.name.replace('_', ' ')} {each.device}" for each in intent.actions)
    return Notice(NoticeKind.INTERRUPTED, "", words)
