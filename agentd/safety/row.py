"""What the gate knows of one output, and which way is on, off and safe for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentd.schema import Limits
from llmagentos.home import Device
from llmagentos.kind import Scalar, effect, is_active
from llmagentos.plan import Action

_SAFE_ACTION: Final = {
    "off": {"cover": "close", "valve": "close", "lock": "lock"},
    "on": {"cover": "open", "valve": "open", "lock": "unlock"},
}
_SAFE_VALUE: Final = {
    "light": ("set_brightness", "brightness"),
    "fan": ("set_speed", "speed"),
    "cover": ("set_position", "position"),
    "valve": ("set_position", "position"),
    "climate": ("set_temperature", "temperature"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What the gate knows of one output."""

    device: Device
    limits: Limits
    safe_state: str | float
    """off, on, keep or a value."""

    @property
    def safe_action(self) -> Action | None:
        """What drives it to its declared safe state; None when that is to keep what it has."""
        device = self.device
        if self.safe_state == "keep":
            return None
        if isinstance(self.safe_state, str):
            if device.kind == "number":
                return Action(device.id, "set_value", {"value": 0})
            name = _SAFE_ACTION[self.safe_state].get(device.kind, f"turn_{self.safe_state}")
            return Action(device.id, name)
        name, key = _SAFE_VALUE.get(device.kind, ("set_value", "value"))
        return Action(device.id, name, {key: self.safe_state})

    @property
    def off_action(self) -> Action:
        """What switches it off; a cover stops."""
        device = self.device
        if device.kind == "number":
            return Action(device.id, "set_value", {"value": 0})
        name = {"cover": "stop", "valve": "close", "lock": "lock"}.get(device.kind, "turn_off")
        return Action(device.id, name)

    def is_on(self, values: Mapping[str, Scalar]) -> bool:
        """Whether it is energised or open in this state."""
        return is_active(self.device.kind, values)

    def leads_on(self, action: Action) -> bool:
        """Whether this action, fully carried out, leaves it energised or open."""
        if self.device.kind == "climate" and action.name == "turn_on":
            return True
        return self.is_on(effect(self.device.kind, action.name, action.args))

    def is_towards_safe(self, action: Action) -> bool:
        """Whether this action leads to its safe state or to rest."""
        return action == self.safe_action or action.name in ("turn_off", "stop")
