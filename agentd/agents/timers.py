"""What people ask about timers, done on the pages of the book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from agentd.agents import timer
from agentd.agents.due import Due, Now
from agentd.agents.pages import Pages
from agentd.agents.promise import Kind, Problem, Promise, PromiseError, TimerAnswer
from llmagentos.cause import Cause, Origin
from llmagentos.utterance import Timer, TimerRequest

Draft = Callable[[Kind, Due, Origin, Cause], Promise]
"""Makes a promise that is not on the pages yet."""

_PROBLEMS: Final = {"too_long": Problem.TOO_LONG, "too_many": Problem.TOO_MANY}


class TimerDesk:
    """Starts, changes and tells timers; blocks up to 2 s for the disk."""

    def __init__(self, pages: Pages, draft: Draft) -> None:
        self._pages, self._draft = pages, draft

    def answer(self, wish: TimerRequest, *, origin: Origin, cause: Cause, now: Now) -> TimerAnswer:
        """Do what was asked; what cannot be done is a problem of the answer."""
        try:
            if wish.op == "start":
                return self._start(wish, origin=origin, cause=cause, now=now)
            return self._change(wish, origin=origin, now=now)
        except PromiseError as exc:
            return TimerAnswer(wish.op, problem=_PROBLEMS.get(exc.code, Problem.NOT_WRITTEN))

    def shown(self, now: Now) -> tuple[Timer, ...]:
        """Every timer, as it is now."""
        return tuple(timer.shown(each, now) for each in self._running())

    def _running(self) -> Sequence[Promise]:
        return [each for each in self._pages.all() if each.kind is Kind.TIMER]

    def _start(self, wish: TimerRequest, *, origin: Origin, cause: Cause, now: Now) -> TimerAnswer:
        if not wish.seconds or wish.seconds <= 0:
            return TimerAnswer("start", problem=Problem.NO_LENGTH)
        draft = self._draft(Kind.TIMER, timer.length(wish.seconds, now), origin, cause)
        promise = replace(draft, name=wish.name, area=wish.area, start_s=float(wish.seconds))
        self._pages.add(promise)
        return TimerAnswer("start", (timer.shown(promise, now),))

    def _change(self, wish: TimerRequest, *, origin: Origin, now: Now) -> TimerAnswer:
        found = timer.find(wish, self._running(), area=origin.area)
        shown = tuple(timer.shown(each, now) for each in found.promises)
        if found.problem or wish.op == "status":
            return TimerAnswer(wish.op, shown, found.problem)
        if wish.op in ("cancel", "cancel_all"):
            for each in found.promises:
                with self._pages.changing(each.id) as change:
                    change.remove()
            return TimerAnswer(wish.op, shown)
        return self._alter(found.promises[0], wish, now)

    def _alter(self, promise: Promise, wish: TimerRequest, now: Now) -> TimerAnswer:
        with self._pages.changing(promise.id) as change:
            if change.old is None:  # it rang while we looked
                return TimerAnswer(wish.op, problem=Problem.NO_SUCH)
            changed = timer.change(change.old, wish, now)
            if isinstance(changed, Problem):
                return TimerAnswer(wish.op, (timer.shown(change.old, now),), changed)
            change.write(changed)
        return TimerAnswer(wish.op, (timer.shown(changed, now),))
