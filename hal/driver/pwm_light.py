"""A lamp that is dimmed by pulses on one pin.

Part: an LED through a resistor, or an LED strip through an N-channel MOSFET (IRLZ44N and the like).
Quantity: brightness, %, 0 to 100, as share of the time it is lit (the eye finds 50 % brighter than
    half). Fastest period: 10 ms.
Wiring: pin to the gate through 100 Ω, 10 kΩ from gate to GND; strip from its supply to the drain.
Source: Linux, Documentation/driver-api/gpio; the pulses are software's, 100 Hz.
Quirks: below 2 % it may flicker, since the pulses are made by a thread. While the box restarts the
    lamp is fully lit or off, whichever is nearer to "as it was".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hal.contract import Actuator, Unsupported, Wiring
from hal.link.gpio import PwmLine
from hal.option import read
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a dimmed lamp: there are none."""


class PwmLight(Actuator):
    """A lamp with a brightness."""

    def __init__(self, wiring: Wiring) -> None:
        """Take over the pin, and the brightness it has.

        Raises:
            DriverError: an option is wrong, or the pin cannot be pulsed.
            PinBusy: another device or program holds the pin.
            PinUnknown: the board has no such pin.
        """
        read(Options, wiring.options, owner=wiring.device.id)
        self._name = wiring.device.id
        self._line = PwmLine(wiring.gpio, wiring.pin, owner=wiring.device.id)
        self._last_duty = self._line.duty or 1.0

    def apply(self, action: Action, now: Instant) -> None:  # noqa: ARG002
        match action.name:
            case "turn_on":
                self._line.set(self._line.duty or self._last_duty)
            case "turn_off":
                self._light(0.0)
            case "set_brightness":
                self._light(float(action.args["brightness"] or 0) / 100)
            case _:
                raise Unsupported(f"{self._name} is a dimmed lamp: it cannot {action.name}")

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:  # noqa: ARG002
        brightness = round(self._line.duty * 100, 1)
        return {
            "state": "on" if brightness > 0 else "off",
            "brightness": int(brightness) if brightness.is_integer() else brightness,
        }

    def close(self) -> None:
        self._line.close()

    def _light(self, duty: float) -> None:
        """Dim to `duty`; the brightness it had is what the next plain `turn_on` brings back."""
        self._last_duty = duty or self._line.duty or self._last_duty
        self._line.set(duty)
