"""slope_per_s: a number that may change only slowly."""

from __future__ import annotations

from agentd.safety import ramp
from agentd.safety.rule import Case, Site
from llmagentos.plan import Action


def one_step(case: Case) -> tuple[Action, str] | None:
    """As far as it may go now; the gate walks the rest of the way."""
    slope, wanted = case.row.limits.slope_per_s, case.row.number_of(case.action)
    if slope is None or wanted is None:
        return None
    number = case.track.ramp.step(wanted, slope, case.now.mono_s)
    action = case.row.set_number(number)
    if number == wanted or action is None:
        return None
    unit = case.row.number_unit
    reason = (
        f"The {case.name} changes by at most {slope:g}{unit} a second, "
        f"so it goes to {wanted:g}{unit} step by step."
    )
    return action, reason


def no_step(case: Case) -> str | None:
    """It rests, and was set so recently that there is no step to grant yet."""
    if case.row.limits.slope_per_s is None or not case.switches_on:
        return None
    bounded = one_step(case)
    if bounded is None or case.row.leads_on(bounded[0]):
        return None
    return f"The {case.name} was set just now; say it again in a second."


def next_step(site: Site) -> tuple[Action, str] | None:
    """The next step of a change that was granted; never the one that would switch it on."""
    number = ramp.next_number(site.track.ramp, site.row, site.now.mono_s)
    action = None if number is None else site.row.set_number(number)
    if action is None or (site.row.leads_on(action) and not site.is_on):
        return None
    target, unit = site.track.ramp.target, site.row.number_unit
    return action, f"The {site.name} is on its way to {target:g}{unit}, as it was told."
