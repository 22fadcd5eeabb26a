"""How an output is set: what of its state is a setting, and which actions bring a setting back.

What it measures (a thermostat's own temperature) is no setting. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llmagentos.home import Device
from llmagentos.kind import Scalar, is_active
from llmagentos.plan import Action

Values = Mapping[str, Scalar]

_LEVELS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "light": (
        ("brightness", "set_brightness", "brightness"),
        ("color", "set_color", "color"),
        ("kelvin", "set_color_temp", "kelvin"),
    ),
    "fan": (("speed", "set_speed", "speed"),),
    "cover": (("position", "set_position", "position"),),
    "valve": (("position", "set_position", "position"),),
    "climate": (("target_temperature", "set_temperature", "temperature"),),
    "number": (("state", "set_value", "value"),),
}
"""kind -> (property, action that sets it, its argument)."""

_MEANS_NOTHING_OFF: Final = frozenset({"light", "fan"})
"""Kinds whose levels mean nothing while they are off."""

_SWITCHES: Final = {
    "on": "turn_on", "off": "turn_off", "open": "open", "closed": "close",
    "locked": "lock", "unlocked": "unlock",
}  # fmt: skip
"""State -> the action that brings it about."""

_ENDS: Final[Mapping[Scalar, str]] = {0: "close", 100: "open"}
"""Positions that have an action of their own."""

_TOLERANCE_PCT: Final = 1.5
"""How far two shares may lie apart and be the same setting: an 8-bit duty cycle cannot hold every
percent."""

_TOLERANCE: Final = 0.05
"""The same for temperatures and free numbers, in their own unit."""


def of(kind: str, values: Values) -> dict[str, Scalar]:
    """The settings in a state."""
    found: dict[str, Scalar] = {"state": values.get("state")}
    if kind in _MEANS_NOTHING_OFF and not is_active(kind, values):
        return found
    return found | {name: values[name] for name, *_ in _LEVELS.get(kind, ()) if name in values}


def is_same(kind: str, one: Values, other: Values) -> bool:
    """Whether two states are the same setting."""
    mine, theirs = of(kind, one), of(kind, other)
    return mine.keys() == theirs.keys() and all(
        _is_near(kind, mine[name], theirs[name]) for name in mine
    )


def way_back(device: Device, present: Values, goal: Values) -> tuple[Action, ...] | None:
    """The actions from one state to another, none where it is there already.

    Returns:
        None when its actions cannot bring it there, or the goal does not say enough.
    """
    found, wanted = of(device.kind, present), of(device.kind, goal)
    if is_same(device.kind, present, goal):
        return ()
    levels = _levels(device, found, wanted)
    if levels is None or (device.kind == "number" and not levels):
        return None
    if wanted["state"] == found["state"]:
        return levels if levels and found.keys() == wanted.keys() else None
    if any(action.name != "set_temperature" for action in levels):
        return levels  # a level that is set switches on, or opens, as well
    switch = _switch(device, str(wanted["state"]))
    if switch is None:
        return None
    return (*levels, switch) if is_active(device.kind, goal) else (switch, *levels)


def _levels(device: Device, found: Values, wanted: Values) -> tuple[Action, ...] | None:
    """What sets the levels that differ; None when one cannot be set."""
    actions: list[Action] = []
    for name, action, argument in _LEVELS.get(device.kind, ()):
        value = wanted.get(name)
        if value is None or _is_near(device.kind, found.get(name), value):
            continue
        end = _ENDS.get(value) if name == "position" else None
        if end and device.can(end):
            actions.append(Action(device.id, end))
        elif device.can(action):
            actions.append(Action(device.id, action, {argument: value}))
        else:
            return None
    return tuple(actions)


def _switch(device: Device, state: str) -> Action | None:
    name = _SWITCHES.get(state, "")
    if device.kind == "climate" and device.can("set_hvac_mode"):
        return Action(device.id, "set_hvac_mode", {"mode": state})
    if device.kind == "climate" and state == "heat":
        name = "turn_on"
    return Action(device.id, name) if device.can(name) else None


def _is_near(kind: str, one: Scalar, other: Scalar) -> bool:
    if not _is_number(one) or not _is_number(other):
        return one == other
    tolerance = _TOLERANCE if kind in ("climate", "number") else _TOLERANCE_PCT
    return abs(float(one or 0) - float(other or 0)) <= tolerance


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
