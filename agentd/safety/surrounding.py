"""What must be so around an output before it may be on."""

from __future__ import annotations

import math

from agentd.safety.rule import Case, Site
from agentd.schema import Requirement
from llmagentos.plan import Action
from llmagentos.reading import Quality
from llmagentos.utterance import Observation


def interlocked(case: Case) -> str | None:
    """Why another output of its interlock group forbids switching it on."""
    return _other_is_on(case) if case.switches_on else None


def both_on(site: Site) -> tuple[Action, str] | None:
    """An interlock that was broken from outside: whatever of the group is on goes off."""
    reason = _other_is_on(site) if site.is_on else None
    return (site.row.off_action, reason) if reason else None


def _other_is_on(site: Site) -> str | None:
    group = site.row.limits.interlock
    if group is None:
        return None
    for other in site.rows.values():
        state = site.observation.states.get(other.device.id)
        if other is site.row or other.limits.interlock != group or state is None:
            continue
        if other.is_on(state.values):
            name = other.device.name
            return f"The {site.name} and the {name} are interlocked, and the {name} is on."
    return None


def lacking(case: Case) -> str | None:
    """Why a required reading forbids switching it on."""
    return _lacks_any(case) if case.switches_on else None


def lost(site: Site) -> tuple[Action, str] | None:
    """A required reading that went out of its range, or away, while it is on."""
    reason = _lacks_any(site) if site.is_on else None
    return (site.row.off_action, reason) if reason else None


def _lacks_any(site: Site) -> str | None:
    for required in site.row.limits.requires:
        if problem := _lacks(required, site.observation):
            return f"The {site.name} stays off: {problem}."
    return None


def _lacks(required: Requirement, observation: Observation) -> str | None:
    sensor = observation.home.by_id.get(required.device)
    state = observation.states.get(required.device)
    name = sensor.name if sensor else required.device
    if state is None or state.quality is not Quality.GOOD:
        return f"there is no fresh reading of the {name}"
    value = state.values.get(required.quantity or "state")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return f"the {name} gives no number"
    unit = f" {sensor.unit}" if sensor and sensor.unit else ""
    if required.min is not None and value < required.min:
        return f"the {name} is at {value:g}{unit}, below {required.min:g}{unit}"
    if required.max is not None and value > required.max:
        return f"the {name} is at {value:g}{unit}, above {required.max:g}{unit}"
    return None
