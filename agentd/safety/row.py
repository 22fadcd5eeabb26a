"""What the gate knows of one output, and which way is on, off and safe for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from agentd.schema import Limits
from llmagentos.home import Device
from llmagentos.kind import Scalar, effect, is_active
from llmagentos.plan import Action

_SAFE_ACTION: Final = {
    "off": {"cover": "close", "valve": "close", "lock": "lock"},
    "on": {"cover": "open", "valve": "open", "lock": "unlock"},
}
_NUMBER: Final = {
    "light": ("set_brightness", "brightness"),
    "fan": ("set_speed", "speed"),
    "cover": ("set_position", "position"),
    "valve": ("set_position", "position"),
    "climate": ("set_temperature", "temperature"),
    "number": ("set_value", "value"),
}
_ON_THE_WAY: Final = {"opening": "open", "closing": "closed"}
_CLOSE_ENOUGH_PCT: Final = 1.5
"""How far a share read back may lie from the one asked: an 8-bit duty cycle cannot hold every
percent."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the gate knows of one output."""

    device: Device
    limits: Limits
    safe_state: str | float
    """off, on, keep or a value."""
    zone: tzinfo | None = None
    """Where its quiet hours are told; None for the system's time zone."""

    @property
    def safe_action(self) -> Action | None:
        """What drives it to its declared safe state; None when that is to keep what it has."""
        device = self.device
        if self.safe_state == "keep" or device.kind == "button":
            return None
        if not isinstance(self.safe_state, str):
            return self.set_number(self.safe_state)
        if self.safe_state == "off" and device.kind == "number":
            return self.set_number(0.0)
        name = _SAFE_ACTION[self.safe_state].get(device.kind, f"turn_{self.safe_state}")
        return Action(device.id, name)

    def halt(self, values: Mapping[str, Scalar]) -> Action | None:
        """What stops it where it is moving; None when it is not."""
        is_moving = self.device.kind == "cover" and values.get("state") in _ON_THE_WAY
        return Action(self.device.id, "stop") if is_moving else None

    @property
    def off_action(self) -> Action | None:
        """What switches it off, or for a cover brings it to rest; None for a button."""
        device = self.device
        if device.kind == "number":
            return self.set_number(0.0)
        if device.kind == "button":
            return None
        if device.kind == "cover":
            return self.safe_action or Action(device.id, "stop")
        name = {"valve": "close", "lock": "lock"}.get(device.kind, "turn_off")
        return Action(device.id, name)

    def set_number(self, value: float) -> Action | None:
        """The action that sets its one number; None for a kind that has none."""
        if self.device.kind not in _NUMBER:
            return None
        name, key = _NUMBER[self.device.kind]
        return Action(self.device.id, name, {key: value})

    def number_of(self, action: Action) -> float | None:
        """The number an action sets it to; None for an action that sets none."""
        name, key = _NUMBER.get(self.device.kind, ("", ""))
        if action.name == "open" and name == "set_position":
            return 100.0
        return _number(action.args.get(key)) if action.name == name else None

    def number_in(self, values: Mapping[str, Scalar]) -> float | None:
        """The number it stands at; None when it has none, or nobody knows."""
        keys = {"number": "state", "climate": "target_temperature"}
        kind = self.device.kind
        return _number(values.get(keys.get(kind, _NUMBER.get(kind, ("", ""))[1])))

    @property
    def number_unit(self) -> str:
        """The unit of that number, ready to follow it; empty when it has none."""
        if self.device.kind == "number":
            return f" {self.device.unit}" if self.device.unit else ""
        return " degrees" if self.device.kind == "climate" else " %"

    def is_on(self, values: Mapping[str, Scalar]) -> bool:
        """Whether it is energised or open in this state."""
        return is_active(self.device.kind, values)

    def is_safe(self, values: Mapping[str, Scalar]) -> bool:
        """Whether this state is its safe one, or on the way there; nothing more can be done."""
        action = self.safe_action
        if action is None:
            return values.get("state") not in _ON_THE_WAY
        seen = dict(values)
        if (word := seen.get("state")) in _ON_THE_WAY:
            seen = {"state": _ON_THE_WAY[str(word)]}
        wanted = effect(self.device.kind, action.name, action.args)
        return all(_agrees(key, seen[key], value) for key, value in wanted.items() if key in seen)

    @property
    def is_safe_on(self) -> bool:
        """Whether its safe state is to be on."""
        return self.safe_action is not None and self.leads_on(self.safe_action)

    def leads_on(self, action: Action) -> bool:
        """Whether this action, fully carried out, leaves it energised or open; a press counts."""
        kind = self.device.kind
        if action.name == "press" or (kind == "climate" and action.name == "turn_on"):
            return True
        return self.is_on(effect(kind, action.name, action.args))

    def leads_off(self, action: Action) -> bool:
        """Whether this action, fully carried out, leaves it at rest."""
        after = effect(self.device.kind, action.name, action.args)
        return "state" in after and not self.is_on(after)

    def is_towards_safe(self, action: Action) -> bool:
        """Whether this action leads to its safe state, or to rest where rest is not unsafe."""
        if action.name == "stop" or action == self.safe_action:
            return True
        return self.leads_off(action) and not self.is_safe_on


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _agrees(key: str, seen: Scalar, wanted: Scalar) -> bool:
    one, other = _number(seen), _number(wanted)
    if one is None or other is None:
        return seen == wanted
    allowed = _CLOSE_ENOUGH_PCT if key in ("brightness", "speed", "position") else 1e-6
    return math.isclose(one, other, rel_tol=1e-3, abs_tol=allowed)
