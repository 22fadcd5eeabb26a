"""Whose word counts: holds, ranks, leases, and a person's yes."""

from __future__ import annotations

from agentd.safety.claim import SETTLE_S
from agentd.safety.rule import Case, Site
from agentd.safety.span import span
from llmagentos.cause import Rank
from llmagentos.plan import Action

_WHO = {
    Rank.PERSON: "a person",
    Rank.RULE: "a rule",
    Rank.AGENT: "an agent",
    Rank.LEARNER: "a learner",
}


def held(case: Case) -> str | None:
    """manual_hold_s: a person's command keeps lower ranks off."""
    until = case.track.claim.held_until
    if until is None or case.rank >= Rank.PERSON:
        return None
    left_s = case.now.age_s(until)
    if left_s <= 0:
        return None
    return f"A person set the {case.name}; that holds for {span(left_s)} more."


def outranked(case: Case) -> str | None:
    """What a higher rank has just done stands, in this turn and shortly after."""
    claim = case.track.claim
    if claim.rank is None or case.rank >= claim.rank:
        return None
    if case.now.mono_s - claim.commanded_at_s >= SETTLE_S:
        return None
    who = _WHO.get(claim.rank, "someone")
    return f"The {case.name} was set just now by {who}, whose word counts more."


def run_out(site: Site) -> tuple[Action, str] | None:
    """lease_s: a command that was not said again in time."""
    until_s = site.track.claim.lease_until_s
    if until_s is None or site.now.mono_s < until_s or not site.values:
        return None
    action = site.row.safe_action
    if action is None or site.row.is_safe(site.values):
        return None
    return action, f"Whoever set the {site.name} has not said so again in time."


def needs_yes(case: Case) -> str | None:
    """confirm, and what the language model chose for a risky device: the question to ask."""
    plan, row = case.plan, case.row
    if plan.origin.rank is Rank.RULE or not case.switches_on:
        return None
    is_model_on_risky = plan.chosen_by == "model" and row.device.is_risky
    if not (row.limits.confirm or is_model_on_risky):
        return None
    question = f"Shall I really {case.action.name.replace('_', ' ')} the {case.name}?"
    if row.limits.confirm == "second_channel":
        is_from_elsewhere = plan.confirmed_on not in ("", plan.origin.channel)
        return None if plan.is_confirmed and is_from_elsewhere else f"{question} {_ELSEWHERE}"
    return None if plan.is_confirmed else question


_ELSEWHERE = "The yes must come another way than the wish."
