"""What the box says about timers, reminders and commands for later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from agentd.agents.promise import Kind, Problem, Promise, TimerAnswer
from agentd.understand.moment import Moments
from agentd.understand.reply import sentences
from agentd.understand.words import Words
from llmagentos.home import Home
from llmagentos.utterance import LocalTime, Timer, TimerRequest

_MOST: Final = 5
"""Promises that are listed in full."""


class PromiseReply:
    """Puts promises into the words of one language."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._moments = Moments(words)

    def of_timer(self, wish: TimerRequest, answer: TimerAnswer, home: Home) -> str:
        """What became of a wish about timers."""
        if answer.problem:
            return sentences([self._problem(answer.problem, wish, answer.timers, home)])
        if wish.op == "status":
            if not answer.timers:
                return sentences([self._words.say("timer_none")])
            return sentences(self._left(each, home, answer.timers) for each in answer.timers)
        if wish.op == "cancel_all":
            return sentences([self._cancelled_all(answer.timers, home)])
        timer = answer.timers[0]
        span = self._span(timer.start_s if wish.op == "start" else timer.left_s)
        return sentences([
            self._words.say(f"timer_{wish.op}", timer=self._named(timer, home), span=span)
        ])  # fmt: skip

    def wish(self, wish: TimerRequest) -> str:
        """What a sentence about a timer would do, for `interpret`."""
        if wish.op == "start" and wish.seconds:
            return sentences([self._words.say("timer_would_start", span=self._span(wish.seconds))])
        return sentences([self._words.say("timer_would")])

    def when(self, *, after_s: float | None, at: LocalTime | None) -> str:
        """`in 10 minutes`, `tomorrow at 06:30`."""
        if at is not None:
            return self._moments.say(at)
        return self._words.say("within", span=self._span(after_s or 0))

    def listed(self, promises: Sequence[tuple[Promise, str]], timers: str) -> str:
        """What is promised.

        Args:
            promises: all but the timers, each with when it is due, in words.
            timers: what there is to say of the timers; empty for nothing.
        """
        lines = [self._line(promise, when) for promise, when in promises[:_MOST]]
        if more := len(promises) - len(lines):
            lines.append(self._words.say("promises_more", count=more))
        return f"{timers} {sentences(lines)}".strip()

    def named(self, promise: Promise) -> str:
        """A promise in a question or in the answer to a cancel."""
        kind = "reminder" if promise.kind is Kind.REMINDER else "command"
        return self._words.say(f"{kind}_named", text=promise.text)

    def _line(self, promise: Promise, when: str) -> str:
        kind = "reminder" if promise.kind is Kind.REMINDER else "command"
        return self._words.say(f"{kind}_line", text=promise.text, when=when)

    def _problem(
        self, problem: Problem, wish: TimerRequest, timers: Sequence[Timer], home: Home
    ) -> str:
        if problem is Problem.NO_SUCH:
            return self._words.say("timer_no_such", timer=self._meant(wish, home))
        if problem is Problem.SEVERAL:
            listed = self._words.join((self._short(t, home) for t in timers), last="list_or")
            return self._words.say("timer_several", timers=listed)
        timer = self._named(timers[0], home) if timers else ""
        return self._words.say(f"timer_{problem.value}", timer=timer)

    def _left(self, timer: Timer, home: Home, among: Iterable[Timer]) -> str:
        name = self._named(timer, home) if timer.name or timer.area else ""
        if not name and len(list(among)) > 1:
            name = self._words.say("timer_long", span=self._span(timer.start_s))
        key = "timer_paused" if timer.is_paused else "timer_left"
        return self._words.say(
            key, timer=name or self._words.say("timer_plain"), span=self._span(timer.left_s)
        )

    def _named(self, timer: Timer, home: Home) -> str:
        """`your pizza timer`, `your kitchen timer`, `your timer`."""
        if timer.name:
            return self._words.say("timer_called", name=timer.name)
        if timer.area:
            return self._words.say("timer_called", name=_area(timer.area, home))
        return self._words.say("timer_plain")

    def _short(self, timer: Timer, home: Home) -> str:
        if timer.name:
            return timer.name
        if timer.area:
            return _area(timer.area, home)
        return self._words.say("timer_of", span=self._span(timer.start_s))

    def _meant(self, wish: TimerRequest, home: Home) -> str:
        """`timer called tea`, `timer of 5 minutes`: what was asked for and is not there."""
        if wish.name:
            return self._words.say("timer_by_name", name=wish.name)
        if wish.start_seconds:
            return self._words.say("timer_by_length", span=self._span(wish.start_seconds))
        if wish.area:
            return self._words.say("timer_by_area", area=_area(wish.area, home))
        return self._words.say("timer_bare")

    def _cancelled_all(self, timers: Sequence[Timer], home: Home) -> str:
        if not timers:
            return self._words.say("timer_none")
        if len(timers) == 1:
            return self._words.say("timer_cancel", timer=self._named(timers[0], home), span="")
        return self._words.say("timer_cancel_all", count=len(timers))

    def _span(self, seconds: float) -> str:
        return self._moments.spans.say(seconds)


def _area(area: str, home: Home) -> str:
    found = home.area_by_id.get(area)
    return found.name if found else area
