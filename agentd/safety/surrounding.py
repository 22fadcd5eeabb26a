"""What must be so around an output before it may be on."""

from __future__ import annotations

import math
from collections.abc import Iterator

from agentd.safety.rule import Case, Site
from agentd.safety.span import span
from agentd.schema import Requirement
from llmagentos.plan import Action
from llmagentos.reading import Quality
from llmagentos.utterance import Observation


def interlocked(case: Case) -> str | None:
    """Why another output of its interlock group forbids switching it on."""
    if not case.switches_on:
        return None
    return _other_is_on(case) or _other_was_on(case)


def both_on(site: Site) -> tuple[Action, str] | None:
    """An interlock that was broken from outside: whatever of the group is on goes off."""
    reason = _other_is_on(site) if site.is_on else None
    return _off(site, reason)


def _others(site: Site) -> Iterator[Site]:
    group = site.row.limits.interlock
    for row in site.rows.values() if group is not None else ():
        if row.limits.interlock == group and row.device.id != site.row.device.id:
            yield Site(row, site.gate, site.observation, site.rows)


def _other_is_on(site: Site) -> str | None:
    for other in _others(site):
        # One that cannot be read counts as what it was when it was last seen.
        if other.is_on if other.values else other.track.is_active:
            name = other.name
            return f"The {site.name} and the {name} are interlocked, and the {name} is on."
    return None


def _other_was_on(case: Case) -> str | None:
    """interlock_wait_s."""
    for other in _others(case):
        left_s = case.row.limits.interlock_wait_s - other.in_state_s
        if left_s > 0:
            return (
                f"The {case.name} and the {other.name} are interlocked, "
                f"and the {other.name} has to be off for {span(left_s)} more."
            )
    return None


def lacking(case: Case) -> str | None:
    """Why a required reading forbids switching it on."""
    return _lacks_any(case) if case.switches_on else None


def lost(site: Site) -> tuple[Action, str] | None:
    """A required reading that went out of its range, or away, while it is on."""
    reason = _lacks_any(site) if site.is_on else None
    return _off(site, reason)


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


def _off(site: Site, reason: str | None) -> tuple[Action, str] | None:
    action = site.row.off_action if reason else None
    return (action, reason) if action and reason else None
