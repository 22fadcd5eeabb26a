"""A relay, transistor or solid-state switch on one pin: anything that is on or off.

Part: any relay module with a logic input; MOSFET; SSR.
Quantity: on/off. Fastest period: mechanical relays about 10 ms, and 100,000 switchings in a life.
Wiring: signal to the pin, GND to GND, VCC as the module says. Many cheap modules switch on at a
    low level: write `active_high = false`. A module that needs 5 V logic needs a transistor.
Source: Songle SRD-05VDC-SL-C datasheet, "Contact data" (10 ms operate, 5 ms release).
Quirks: a board that boots leaves its pins as inputs, so a load that must not start by itself needs
    a pull-down (or, for `active_high = false`, a pull-up) resistor of 10 kΩ at the relay's input.
    Locks: active means unlocked (an electric strike); for a magnet that holds while it has current
    write `active_high = false`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hal.contract import Actuator, Unsupported, Wiring
from hal.link.gpio import OutputLine
from hal.option import read
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a relay."""

    active_high: bool = True
    """False when a low level switches it on."""


@dataclass(frozen=True, slots=True)
class _Words:
    """How a kind of device says on and off."""

    activate: str
    rest: str
    active: Mapping[str, Scalar]
    resting: Mapping[str, Scalar]


_ON_OFF: Final = _Words("turn_on", "turn_off", {"state": "on"}, {"state": "off"})
_WORDS: Final[Mapping[str, _Words]] = {
    "lock": _Words("unlock", "lock", {"state": "unlocked"}, {"state": "locked"}),
    "valve": _Words(
        "open", "close", {"state": "open", "position": 100}, {"state": "closed", "position": 0}
    ),
}


class Relay(Actuator):
    """One line that is driven to switch a load, and read to know whether it is."""

    def __init__(self, wiring: Wiring) -> None:
        """Take over the pin at the level it has.

        Raises:
            DriverError: an option is wrong.
            PinBusy: another device or program holds the pin.
            PinUnknown: the board has no such pin.
        """
        device = wiring.device
        options = read(Options, wiring.options, owner=device.id)
        self._name = device.id
        self._words = _WORDS.get(device.kind, _ON_OFF)
        self._line = OutputLine(
            wiring.gpio, wiring.pin, owner=device.id, active_high=options.active_high
        )

    def apply(self, action: Action, now: Instant) -> None:  # noqa: ARG002
        if action.name not in (self._words.activate, self._words.rest):
            raise Unsupported(f"{self._name} has a relay: it cannot {action.name}")
        self._line.set(action.name == self._words.activate)

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:  # noqa: ARG002
        return self._words.active if self._line.is_on else self._words.resting

    def close(self) -> None:
        self._line.close()
