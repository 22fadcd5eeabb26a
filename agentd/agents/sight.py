"""What a rule may look at: live, or replayed from what was recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agentd.agents.due import Now
from llmagentos.home import Device
from llmagentos.kind import Scalar
from llmagentos.reading import Quality, Reading, State


class Unknown(str):
    """Why a value cannot be known, in words for people."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Sight:
    """One instant of the house."""

    states: Mapping[str, State]
    """By device id, the readings of this instant taken in."""
    readings: Sequence[Reading]
    """Those that came in since the instant before."""
    now: Now
    devices: Mapping[str, Device]
    """By id: their names and units."""

    def value(self, device: str, quantity: str | None) -> Scalar | Unknown:
        """A device's value, if it is good."""
        state = self.states.get(device)
        if state is None:
            return Unknown(f"there is no reading of the {self.name(device)} yet")
        if state.quality is not Quality.GOOD:
            why = f": {state.reason}" if state.reason else ""
            return Unknown(f"the {self.name(device)} is {state.quality.value}{why}")
        value = state.values.get(quantity or "state")
        if value is None:
            return Unknown(f"the {self.name(device)} tells no {quantity or 'state'}")
        return value

    def number(self, device: str, quantity: str | None) -> float | Unknown:
        """A device's value, if it is good and a number."""
        value = self.value(device, quantity)
        if isinstance(value, Unknown):
            return value
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            return Unknown(f"the {self.name(device)} gives no number")
        return float(value)

    def name(self, device: str) -> str:
        """What people call it."""
        known = self.devices.get(device)
        return known.name if known else device

    def unit(self, device: str) -> str:
        """Its unit with a space before it; empty for none."""
        known = self.devices.get(device)
        return f" {known.unit}" if known and known.unit else ""

    def local(self) -> datetime | Unknown:
        """What the home's clock and calendar show."""
        if not self.now.is_clock_set:
            return Unknown("the clock has not been set yet")
        return datetime.fromtimestamp(self.now.at.wall_s, self.now.zone)
