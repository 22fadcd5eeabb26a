"""The course of each run of a rule: its ends are promised, it is wished, and what became of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from agentd.agents import ending
from agentd.agents.due import Now
from agentd.agents.notice import Notice, NoticeKind
from agentd.agents.pages import Pages
from agentd.agents.promise import Promise, Wish
from agentd.agents.rule import AtTime, Every, Rule, Takes
from agentd.agents.rules import Missed, RuleBook, Run
from agentd.agents.sight import Sight, Unknown
from llmagentos.plan import Applied, Decision, Stage
from llmagentos.reading import Reading

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Course:
    """A run that was wished and not yet decided."""

    run: Run
    ends: tuple[tuple[Promise, Promise | None], ...]
    """Each end with the one of an earlier run that it took the place of."""
    now: Now


class Courses:
    """Runs of rules, for the tick's thread."""

    def __init__(self, rules: RuleBook, pages: Pages) -> None:
        self._rules, self._pages = rules, pages
        self._open: dict[str, _Course] = {}

    def turn(self, sight: Sight) -> Iterator[Wish]:
        """What the rules want at an instant; the sentences of their notices are not made yet."""
        for found in self._rules.turn(sight):
            if isinstance(found, Missed):
                text = f"I did not run the rule {found.rule.id}"
                _log.warning("%s: it was %.0f s late", text, found.late_s)
                late = Notice(NoticeKind.MISSED, found.rule.id, late_s=found.late_s)
                yield Wish(found.rule.id, notice=late)
            else:
                yield self._begin(found, sight)

    def told(self, occasion: str, decision: Decision | None) -> None:
        """Take the decision on a run; None when it was begun before."""
        course = self._open.pop(occasion, None)
        if course is None or decision is None:
            return
        by_device = {applied.action.device: applied for applied in decision.applied}
        for end, before in course.ends:
            self._settle(end, before, by_device.get(end.actions[0].device), course.now)
        for applied in decision.applied:
            if _failed(applied):
                wall_s = applied.at.wall_s
                self._rules.refused(course.run.rule.id, applied.reason, wall_s=wall_s)
                return

    def _begin(self, run: Run, sight: Sight) -> Wish:
        rule, firing, now = run.rule, run.firing, sight.now
        ends = tuple((end, self._pages.get(end.id)) for end in ending.endings(rule, now))
        for end, _ in ends:
            self._pages.put(end)
        if rule.do:
            self._open[firing.occasion] = _Course(run, ends, now)
        notice = Notice(NoticeKind.RULE, rule.id, rule.say, late_s=firing.late_s)
        has_to_tell = bool(rule.say) or notice.is_late
        return Wish(
            rule.id,
            rule.actions,
            firing.occasion,
            notice=notice if has_to_tell else None,
            reading=_trigger(rule, sight),
        )

    def _settle(
        self, end: Promise, before: Promise | None, applied: Applied | None, now: Now
    ) -> None:
        if self._pages.get(end.id) is not end:  # a newer run, or it is over already
            return
        if applied is None or _failed(applied):
            self._pages.undo(end.id, before)
        elif now.at.age_s(applied.at) >= 0.01:  # it waited for the disk
            self._pages.put(ending.from_then(end, applied.at, now))


def _trigger(rule: Rule, sight: Sight) -> Reading | None:
    """What its trigger sees at this instant; None for a rule that goes by the clock."""
    if isinstance(rule.when, AtTime | Every):
        return None
    name, quantity = rule.when.device, rule.when.quantity
    value, state = sight.value(name, quantity), sight.states.get(name)
    if isinstance(rule.when, Takes):  # a button may have been let go within the same instant
        value = rule.when.value
    if isinstance(value, Unknown) or state is None:
        return None
    known, at = sight.devices.get(name), state.at or sight.now.at
    main, unit = (known.device_class, known.unit) if known else (None, None)
    return Reading(name, quantity or main or "state", value, "" if quantity else unit or "", at)


def _failed(applied: Applied) -> bool:
    return applied.stage in (Stage.REFUSED, Stage.FAILED)
