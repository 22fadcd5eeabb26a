"""The arguments of an action: are they of the right form, and within what the device takes?"""

from __future__ import annotations

import math

from llmagentos.home import Device
from llmagentos.kind import ACTIONS, Argument
from llmagentos.plan import Action


def find_problem(device: Device, action: Action) -> str | None:
    """What is wrong with the arguments themselves, as a sentence; None when they can be used."""
    wanted = ACTIONS[device.kind][action.name]
    if set(action.args) != {argument.name for argument in wanted}:
        names = ", ".join(argument.name for argument in wanted) or "nothing"
        return f"To {action.name} the {device.name} takes {names}."
    for argument in wanted:
        value = action.args[argument.name]
        if argument.is_text:
            if not isinstance(value, str) or not value:
                return f"The {argument.name} of the {device.name} must be a name."
            if argument.name == "mode" and value not in (device.modes or ("off", "heat")):
                modes = ", ".join(device.modes or ("off", "heat"))
                return f"The {device.name} has no mode {value[:20]}; it has {modes}."
        elif isinstance(value, bool) or not isinstance(value, int | float):
            return f"The {argument.name} of the {device.name} must be a number."
        elif not math.isfinite(value):
            return f"The {argument.name} of the {device.name} must be a finite number."
    return None


def _bounds(device: Device, argument: Argument) -> tuple[float, float]:
    low = argument.minimum if argument.minimum is not None else device.minimum
    high = argument.maximum if argument.maximum is not None else device.maximum
    return (-math.inf if low is None else low, math.inf if high is None else high)


def clamp(device: Device, action: Action) -> Action:
    """The action with every number within what the device takes."""
    args = dict(action.args)
    for argument in ACTIONS[device.kind][action.name]:
        value = args[argument.name]
        if not argument.is_text and isinstance(value, int | float):
            low, high = _bounds(device, argument)
            args[argument.name] = min(max(value, low), high)
    return action if args == dict(action.args) else Action(action.device, action.name, args)


def explain_clamp(device: Device, asked: Action, granted: Action) -> str:
    """Which number was out of range, as a sentence."""
    for name, wanted in asked.args.items():
        given = granted.args[name]
        if isinstance(wanted, int | float) and isinstance(given, int | float) and given != wanted:
            bound = "at most" if wanted > given else "at least"
            return f"The {device.name} takes a {name} of {bound} {given:g}, not {wanted:g}."
    return ""
