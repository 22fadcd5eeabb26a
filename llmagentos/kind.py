"""The closed table of device kinds: what each can be told, with which arguments.

The words are Home Assistant's. Understanding offers no other action, the gate lets no other
pass, and a driver sees no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

Scalar = str | int | float | bool | None
"""What a state property or an argument may hold."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an action."""

    name: str
    """Key in `Action.args`, and the property of the state that follows it."""

    unit: str = ""
    """% for shares, K for colour temperature, empty for names."""

    minimum: float | None = None
    """Lowest value; None where the device says (a climate's min_temp) or for names."""

    maximum: float | None = None
    """Highest value; None as above."""

    is_text: bool = False
    """True when the value is a name (a colour, a mode) and not a number."""


COLORS: Final = (
    "white", "black", "red", "orange", "yellow", "green", "blue", "purple", "brown", "pink",
    "turquoise",
)  # fmt: skip
"""Colour names that understanding fills in; drivers map them to RGB."""

MODES: Final = ("off", "heat", "cool", "heat_cool", "auto", "dry", "fan_only")
"""Modes of a climate, Home Assistant's `hvac_mode`."""

_ON_OFF: Mapping[str, tuple[Argument, ...]] = {"turn_on": (), "turn_off": (), "toggle": ()}
_OPEN_CLOSE: Mapping[str, tuple[Argument, ...]] = {
    "open": (),
    "close": (),
    "stop": (),
    "toggle": (),
    "set_position": (Argument("position", "%", 0.0, 100.0),),
}

ACTIONS: Final[Mapping[str, Mapping[str, tuple[Argument, ...]]]] = MappingProxyType(
    {
        "light": {
            **_ON_OFF,
            "set_brightness": (Argument("brightness", "%", 0.0, 100.0),),
            "set_color": (Argument("color", is_text=True),),
            "set_color_temp": (Argument("kelvin", "K", 1000.0, 12000.0),),
        },
        "switch": _ON_OFF,
        "fan": {**_ON_OFF, "set_speed": (Argument("speed", "%", 0.0, 100.0),)},
        "cover": _OPEN_CLOSE,
        "valve": _OPEN_CLOSE,
        "lock": {"lock": (), "unlock": (), "toggle": ()},
        "climate": {
            **_ON_OFF,
            "set_temperature": (Argument("temperature", "°"),),
            "set_hvac_mode": (Argument("mode", is_text=True),),
        },
        "siren": _ON_OFF,
        "button": {"press": ()},
        "number": {"set_value": (Argument("value"),)},
        "sensor": {},
        "binary_sensor": {},
    }
)
"""kind -> action -> its arguments. An action takes all of its arguments."""

ACTIVE: Final = frozenset({"on", "open", "opening", "closing", "unlocked"})
"""States in which an output is energised or its way is open: what interlocks and `max_on_s` count.
A climate is active in every mode but `off`."""

_OPPOSITE: Final = {
    "on": "turn_off", "off": "turn_on", "open": "close", "opening": "close", "closed": "open",
    "closing": "open", "locked": "unlock", "unlocked": "lock",
}  # fmt: skip


def is_output(kind: str) -> bool:
    """Whether a device of this kind can be told anything."""
    return bool(ACTIONS.get(kind))


def is_active(kind: str, state: Mapping[str, Scalar]) -> bool:
    """Whether a device in this state is energised or open."""
    value = state.get("state")
    if kind == "climate":
        return value not in (None, "off")
    if kind == "number":
        return isinstance(value, int | float) and value != 0
    return value in ACTIVE


def opposite(kind: str, state: Mapping[str, Scalar]) -> str:
    """The absolute action that `toggle` stands for in this state."""
    if kind == "climate":
        return "turn_off" if is_active(kind, state) else "turn_on"
    value = state.get("state")
    fallback = {"cover": "open", "valve": "open", "lock": "lock"}.get(kind, "turn_on")
    return _OPPOSITE.get(str(value), fallback)


def effect(kind: str, action: str, args: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The state properties that an action, fully carried out, leaves behind.

    A brightness or speed of 0 is off, a position of 0 is closed. `stop`, `press` and `toggle`
    leave nothing that could be known beforehand.
    """
    if action in _SIMPLE:
        return dict(_SIMPLE[action])
    if action == "turn_on":
        return {} if kind == "climate" else {"state": "on"}
    if action == "set_hvac_mode":
        return {"state": args["mode"]}
    if action == "set_value":
        return {"state": args["value"]}
    if action == "set_temperature":
        return {"target_temperature": args["temperature"]}
    if action == "set_position":
        return {"state": "open" if args["position"] else "closed", "position": args["position"]}
    if action in ("set_brightness", "set_speed"):
        (name, level), *_ = args.items()
        return {"state": "on", name: level} if level else {"state": "off"}
    if action in ("set_color", "set_color_temp"):
        return {"state": "on", **args}
    return {}


_SIMPLE: Final[Mapping[str, Mapping[str, Scalar]]] = {
    "turn_off": {"state": "off"},
    "open": {"state": "open", "position": 100},
    "close": {"state": "closed", "position": 0},
    "lock": {"state": "locked"},
    "unlock": {"state": "unlocked"},
}
