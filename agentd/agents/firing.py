"""One instant of one rule: does it run, and if not, why not. Pure, so that it can be replayed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agentd.agents import due as dues
from agentd.agents.condition import find_obstacle, find_quiet
from agentd.agents.notice import span
from agentd.agents.rule import AtTime, Every, Rule
from agentd.agents.sight import Sight, Unknown
from agentd.agents.trigger import Memory, Set, pull


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule runs."""

    occasion: str
    """Names this one time."""
    late_s: float = 0.0
    """How late it is, in seconds."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What an instant did to a rule."""

    memory: Memory
    firings: tuple[Firing, ...] = ()
    obstacle: str = ""
    """Why it was set off and did not run, in words for people; empty when it was not set off."""
    missed_s: float = 0.0
    """How late it was when it was too late; 0 when it was not."""


def step(rule: Rule, memory: Memory, sight: Sight) -> Instance:
    """Let one rule see one instant."""
    pulled, sets = pull(rule.when, memory, sight)
    if not sets or not rule.is_enabled:
        return Instance(pulled)
    if isinstance(rule.when, AtTime) and sets[0].late_s > rule.when.late_s:
        text = f"it was {span(sets[0].late_s)} late"
        return Instance(pulled, obstacle=text, missed_s=sets[0].late_s)
    if obstacle := find_reason_against(rule, memory, sight):
        return Instance(pulled, obstacle=obstacle)
    fired = sets[:1] if rule.cooldown_s else sets
    rest = dues.after(rule.cooldown_s, sight.now) if rule.cooldown_s else None
    after = replace(pulled, rest=rest)
    if sets[0].is_lasting:
        after = replace(after, is_armed=False, beyond_since=None)
    return Instance(after, tuple(_firing(rule, each) for each in fired))


def find_reason_against(rule: Rule, memory: Memory, sight: Sight) -> str:
    """Why the rule would not run if it were set off now; empty when it would."""
    if not rule.is_enabled:
        return "it is switched off"
    if memory.rest:
        left = dues.left(memory.rest, sight.now)
        if left is None or left.seconds > 0:
            return (
                f"it rests for {span(left.seconds) if left else 'a time that I cannot tell'} more"
            )
    if rule.quiet and (quiet := find_quiet(rule.quiet, sight)):
        return quiet
    return next(filter(None, (find_obstacle(each, sight) for each in rule.only_if)), "")


def find_blindness(rule: Rule, sight: Sight) -> str:
    """Why its trigger sees nothing now; empty when it does."""
    if isinstance(rule.when, AtTime):
        shown = sight.local()
        return str(shown) if isinstance(shown, Unknown) else ""
    if isinstance(rule.when, Every):
        return ""
    value = sight.value(rule.when.device, rule.when.quantity)
    return str(value) if isinstance(value, Unknown) else ""


def _firing(rule: Rule, what: Set) -> Firing:
    return Firing(f"rule:{rule.id}@{what.occasion}", what.late_s)
