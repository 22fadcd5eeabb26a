"""A thermostat made of a heater and a thermometer of this home.

Part: any switch that heats and any sensor of a temperature.
Quantity: state (off or heat), target_temperature and current_temperature, °C. Fastest period:
    `min_cycle_s`.
Wiring: none of its own; options name the devices.
Source: Home Assistant, generic_thermostat (tolerances and minimum cycle).
Quirks: it only proposes, the gate may refuse. It heats on a good reading alone: a stale, suspect or
    missing one switches the heater off, since a heater that nobody watches is a fire. After a start
    it is off and at its default target until it is told otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from hal.contract import Controller, HalError, Unsupported, Wiring
from hal.option import OneOf, Range, read
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action
from llmagentos.reading import Quality, State

ASK_AGAIN_S: Final = 30.0
"""Pause before the same wish is said again: the gate refused it, or somebody undid it."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a thermostat."""

    heater: str
    """Id of the switch that heats."""

    sensor: str
    """Id of the sensor of the temperature."""

    target: Annotated[float, Range(0, 100, "°C")] = 20.0
    """Target until somebody sets one."""

    tolerance: Annotated[float, Range(0.05, 10, "K")] = 0.3
    """It heats below target minus this, and stops above target plus this."""

    min_cycle_s: Annotated[float, Range(0, 3600, "s")] = 60.0
    """Shortest time on and off: a relay lives for 100,000 switchings. Never delays a safe off."""

    mode: Annotated[str, OneOf(("off", "heat"))] = "off"
    """Mode after a start."""


class Thermostat(Controller):
    """Keeps a room at a temperature by asking for its heater."""

    def __init__(self, wiring: Wiring) -> None:
        """Prepare; nothing is touched.

        Raises:
            DriverError: an option is wrong.
        """
        self._name = wiring.device.id
        self._options = read(Options, wiring.options, owner=self._name)
        self._mode = self._options.mode
        self._target = self._options.target
        self._celsius: float | None = None
        self._wish: str | None = None
        self._wished_s = float("-inf")
        self._switched_s = float("-inf")
        self._is_heating: bool | None = None
        self._owns_heat = False

    def apply(self, action: Action, now: Instant) -> None:  # noqa: ARG002
        match action.name:
            case "turn_on":
                self._mode = "heat"
            case "turn_off":
                self._mode = "off"
            case "set_hvac_mode":
                self._set_mode(str(action.args["mode"]))
            case "set_temperature":
                self._target = float(action.args["temperature"] or 0)
            case _:
                raise Unsupported(f"{self._name} is a thermostat: it cannot {action.name}")

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:  # noqa: ARG002
        return {
            "state": self._mode,
            "target_temperature": self._target,
            "current_temperature": self._celsius,
        }

    def propose(self, states: Mapping[str, State], now: Instant) -> tuple[Action, ...]:
        self._celsius = _temperature(states.get(self._options.sensor))
        is_heating = _is_heating(states.get(self._options.heater))
        if is_heating is None:
            return ()
        self._notice(is_heating, now)
        wish = self._choose(is_heating, now)
        return () if wish is None else self._say(wish, now)

    def close(self) -> None:
        """Nothing to let go of."""

    def _set_mode(self, mode: str) -> None:
        if mode not in ("off", "heat"):
            raise HalError(f"{self._name} can be off or heat, not {mode!r}")
        self._mode = mode

    def _notice(self, is_heating: bool, now: Instant) -> None:
        """Keep the times of the heater's switchings, and whether they were this thermostat's."""
        if is_heating is not self._is_heating:
            self._is_heating, self._switched_s = is_heating, now.mono_s
        if is_heating is (self._wish == "turn_on"):
            self._wish = None
        self._owns_heat = is_heating and (self._owns_heat or self._mode == "heat")

    def _choose(self, is_heating: bool, now: Instant) -> str | None:
        """What the heater should be told; None when all is as it should be."""
        if self._mode == "off":
            # Off, it leaves the heater to others, once what it had switched on itself is off.
            return "turn_off" if self._owns_heat else None
        if self._celsius is None:
            return "turn_off" if is_heating else None
        if now.mono_s - self._switched_s < self._options.min_cycle_s:
            return None
        if is_heating and self._celsius >= self._target + self._options.tolerance:
            return "turn_off"
        if not is_heating and self._celsius <= self._target - self._options.tolerance:
            return "turn_on"
        return None

    def _say(self, wish: str, now: Instant) -> tuple[Action, ...]:
        if wish == self._wish and now.mono_s - self._wished_s < ASK_AGAIN_S:
            return ()
        self._wish, self._wished_s = wish, now.mono_s
        return (Action(self._options.heater, wish),)


def _temperature(state: State | None) -> float | None:
    """The temperature if it can be trusted."""
    if state is None or state.quality is not Quality.GOOD:
        return None
    value = state.values.get("temperature", state.values.get("state"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _is_heating(state: State | None) -> bool | None:
    """Whether the heater is on; None when nobody knows."""
    if state is None or not state.is_available or "state" not in state.values:
        return None
    return state.values["state"] == "on"
