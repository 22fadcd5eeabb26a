"""How long and how often an output may be on."""

from __future__ import annotations

from agentd.safety.memory import RATE_WINDOW_S, rests_briefly
from agentd.safety.on_time import DAY_S
from agentd.safety.rule import Case, Site
from agentd.safety.span import span
from llmagentos.plan import Action


def on_too_long(site: Site) -> tuple[Action, str] | None:
    """max_on_s, while it is on."""
    reason = _longest(site) if site.is_on else None
    return _off(site, reason)


def on_again_too_soon(case: Case) -> str | None:
    """max_on_s, after a pause so short that the stretch goes on."""
    goes_on = case.switches_on and rests_briefly(case.track, case.now)
    return _longest(case) if goes_on else None


def _longest(site: Site) -> str | None:
    longest_s, began_s = site.row.limits.max_on_s, site.track.stretch_s
    if began_s is None:
        began_s = (site.track.since or site.gate.started_at).mono_s
    if longest_s is None or site.now.mono_s - began_s < longest_s:
        return None
    return f"The {site.name} was on for {span(longest_s)}, the longest it may be."


def off_too_early(case: Case) -> str | None:
    """min_on_s; a stop and a fault pass before it."""
    shortest_s = case.row.limits.min_on_s
    is_urgent = case.gate.is_stopped or bool(case.track.fault)
    if shortest_s is None or is_urgent or not case.switches_off:
        return None
    left_s = shortest_s - case.in_state_s
    return f"The {case.name} has to run for {span(left_s)} more." if left_s > 0 else None


def on_too_early(case: Case) -> str | None:
    """min_off_s."""
    shortest_s = case.row.limits.min_off_s
    if shortest_s is None or not case.switches_on:
        return None
    left_s = shortest_s - case.in_state_s
    return f"The {case.name} has to rest for {span(left_s)} more." if left_s > 0 else None


def on_too_often(case: Case) -> str | None:
    """rate_per_min."""
    most = case.row.limits.rate_per_min
    if most is None or not case.switches_on:
        return None
    now_s = case.now.mono_s
    recent = [at_s for at_s in case.track.switched_at_s if now_s - at_s < RATE_WINDOW_S]
    if len(recent) < most:
        return None
    left_s = RATE_WINDOW_S - (now_s - recent[-most])
    return f"The {case.name} was switched on too often; wait {span(left_s)}."


def used_up(case: Case) -> str | None:
    """duty_per_day_s: what is left would not last for the shortest time it stays on."""
    return _used_up(case, case.row.limits.min_on_s or 0.0) if case.switches_on else None


def uses_up(site: Site) -> tuple[Action, str] | None:
    """duty_per_day_s, while it is on."""
    reason = _used_up(site, 0.0) if site.is_on else None
    return _off(site, reason)


def _used_up(site: Site, needed_s: float) -> str | None:
    most_s, track, now_s = site.row.limits.duty_per_day_s, site.track, site.now.mono_s
    if most_s is None:
        return None
    used_s = track.on_time.within_day_s(now_s) if track.on_time else 0.0
    if track.is_active:
        used_s += min(site.in_state_s, DAY_S)
    if used_s + needed_s < most_s:
        return None
    return f"The {site.name} was on for {span(used_s)} of the last 24 hours; more it may not be."


def _off(site: Site, reason: str | None) -> tuple[Action, str] | None:
    action = site.row.off_action if reason else None
    return (action, reason) if action and reason else None
