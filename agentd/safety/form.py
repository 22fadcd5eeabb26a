"""What cannot even be meant so: an unknown action, arguments out of form, a device that is away."""

from __future__ import annotations

from agentd import argument
from agentd.safety.rule import Case
from llmagentos.home import Device
from llmagentos.kind import ACTIONS
from llmagentos.plan import Action
from llmagentos.utterance import Observation


def unknown_action(case: Case) -> str | None:
    """Why this device takes no such action."""
    device = case.row.device
    if device.can(case.action.name):
        return None
    allowed = [name for name in ACTIONS[device.kind] if device.can(name)]
    return _away(device, case.observation) or _cannot(device, case.action, allowed)


def unknown_device(action: Action, observation: Observation) -> str:
    """Why nothing can be told to what has no row: it is unknown, away, or only reports."""
    device = observation.home.by_id.get(action.device)
    if device is None:
        return f"There is no device {action.device[:64]!r}."
    return _away(device, observation) or _cannot(device, action, [])


def bad_argument(case: Case) -> str | None:
    """What is wrong with the arguments themselves."""
    return argument.find_problem(case.row.device, case.action)


def out_of_range(case: Case) -> tuple[Action, str] | None:
    """The action with every number within what the device takes."""
    device = case.row.device
    granted = argument.clamp(device, case.action)
    if granted == case.action:
        return None
    return granted, argument.explain_clamp(device, case.action, granted)


def away(case: Case) -> str | None:
    """Why the device cannot be reached."""
    return _away(case.row.device, case.observation)


def _away(device: Device, observation: Observation) -> str | None:
    state = observation.states.get(device.id)
    if state is None or state.is_available:
        return None
    reason = (state.reason or "no reason known").rstrip(".")
    return f"The {device.name} is not available: {reason}."


def _cannot(device: Device, action: Action, allowed: list[str]) -> str:
    can = ", ".join(name.replace("_", " ") for name in allowed) or "nothing; it only reports"
    return f"The {device.name} cannot {action.name[:40].replace('_', ' ')}; it can {can}."
