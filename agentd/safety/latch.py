"""What stays until a person resets it: the stop, and the fault of a device."""

from __future__ import annotations

from agentd.safety.rule import Case, Site
from llmagentos.plan import Action


def stopped(case: Case) -> str | None:
    """The stop: only the safe direction passes."""
    is_safe = case.row.is_towards_safe(case.action)
    return _STOPPED if case.gate.is_stopped and not is_safe else None


def stays_stopped(site: Site) -> tuple[Action, str] | None:
    """An output that a stop did not reach, or that was moved by hand since."""
    return _make_safe(site, _STOPPED) if site.gate.is_stopped else None


_STOPPED = "Everything is stopped until somebody resets it."


def faulty(case: Case) -> str | None:
    """A fault: only the safe direction passes."""
    return None if case.row.is_towards_safe(case.action) else _fault(case)


def stays_faulty(site: Site) -> tuple[Action, str] | None:
    """A device with a fault that is not at its safe state."""
    reason = _fault(site)
    return _make_safe(site, reason) if reason else None


def _fault(site: Site) -> str | None:
    reason = site.track.fault.rstrip(".")
    return f"The {site.name} has a fault until somebody resets it: {reason}." if reason else None


def _make_safe(site: Site, reason: str) -> tuple[Action, str] | None:
    if not site.values or site.row.is_safe(site.values):
        return None
    action = site.row.safe_action or site.row.halt(site.values)
    return (action, reason) if action else None
