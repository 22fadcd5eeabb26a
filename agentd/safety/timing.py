"""How long and how often an output may be on."""

from __future__ import annotations

from agentd.safety.memory import RATE_WINDOW_S
from agentd.safety.rule import Case, Site
from agentd.safety.words import span
from llmagentos.plan import Action


def on_too_long(site: Site) -> tuple[Action, str] | None:
    """max_on_s, while it is on."""
    longest_s = site.row.limits.max_on_s
    if longest_s is None or not site.is_on or site.in_state_s < longest_s:
        return None
    reason = f"The {site.name} was on for {span(longest_s)}, the longest it may be."
    return site.row.off_action, reason


def too_early(case: Case) -> str | None:
    """min_off_s."""
    shortest_s = case.row.limits.min_off_s
    if shortest_s is None or not case.switches_on:
        return None
    left_s = shortest_s - case.in_state_s
    return f"The {case.name} has to rest for {span(left_s)} more." if left_s > 0 else None


def too_often(case: Case) -> str | None:
    """rate_per_min."""
    most = case.row.limits.rate_per_min
    if most is None or not case.switches_on:
        return None
    now_s = case.now.mono_s
    recent = [at_s for at_s in case.track.switched_at_s if now_s - at_s < RATE_WINDOW_S]
    if len(recent) < most:
        return None
    left_s = RATE_WINDOW_S - (now_s - recent[0])
    return f"The {case.name} was switched on too often; wait {span(left_s)}."
