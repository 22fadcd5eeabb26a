"""The end of what a rule does for a while: a promise of its own, so that it survives a crash. Pure.

It is written down before the rule's own wish, so nothing is begun that nobody would end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from agentd.agents import due as dues
from agentd.agents.due import Now
from agentd.agents.promise import Kind, Promise, WhenLate
from agentd.agents.rule import Deed, Rule
from llmagentos.cause import Origin, Rank
from llmagentos.clock import Instant

CHANNEL: Final = "rule"
"""Channel of what a rule promises to itself."""

_ANY_TIME: Final = frozenset({"turn_off", "close", "lock"})
"""Ends that are done however late they are: they only take power or a way away."""


def endings(rule: Rule, now: Now) -> Iterator[Promise]:
    """What a rule that runs now must end later; the newest run of a rule ends a device."""
    for deed in rule.do:
        if deed.for_s is not None and deed.back is not None:
            yield _ending(rule, deed, deed.for_s, now)


def from_then(ending: Promise, done_at: Instant, now: Now) -> Promise:
    """The same, counted from when the act was really done."""
    length_s = ending.due.length_s or 0.0
    return replace(ending, due=dues.after(length_s, replace(now, at=done_at)))


def _ending(rule: Rule, deed: Deed, for_s: float, now: Now) -> Promise:
    assert deed.back is not None
    name = f"end:{rule.id}:{deed.action.device}"
    is_any_time = deed.back.name in _ANY_TIME
    return Promise(
        id=name,
        kind=Kind.DELAYED,
        made_by=None,
        origin=Origin(Rank.RULE, CHANNEL, rule.id),
        due=dues.after(for_s, now),
        occasion=f"promise:{name}@{now.boot}+{now.at.mono_s:.3f}",
        actions=(deed.back,),
        when_late=WhenLate.IF_SAFE,
        bound_s=None if is_any_time else 60.0,
    )
