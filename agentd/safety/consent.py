"""What needs a person's yes, and whose word stands."""

from __future__ import annotations

from agentd.safety.rule import Case
from agentd.safety.words import span
from llmagentos.cause import Rank


def stopped(case: Case) -> str | None:
    """The latched stop: only the safe direction passes."""
    if not case.gate.is_stopped or case.row.is_towards_safe(case.action):
        return None
    return "Everything is stopped until somebody resets it."


def held(case: Case) -> str | None:
    """manual_hold_s: a person's command keeps lower ranks off."""
    left_s = case.track.held_until_s - case.now.mono_s
    if case.plan.origin.rank >= Rank.PERSON or left_s <= 0:
        return None
    return f"A person set the {case.name}; that holds for {span(left_s)} more."


def needs_yes(case: Case) -> str | None:
    """confirm, and what the language model chose for a risky device: the question to ask."""
    plan, row = case.plan, case.row
    if plan.is_confirmed or plan.origin.rank is Rank.RULE:
        return None
    is_model_on_risky = plan.chosen_by == "model" and row.device.is_risky
    if not (row.limits.confirm or is_model_on_risky) or not case.switches_on:
        return None
    return f"Shall I really {case.action.name.replace('_', ' ')} the {case.name}?"
