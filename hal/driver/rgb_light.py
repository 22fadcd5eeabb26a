"""A lamp of three colours on three pins: red, green, blue.

Part: a common-cathode RGB LED, or an RGB strip over three N-channel MOSFETs (IRLZ44N and the like).
Quantity: brightness, %, 0 to 100, and a colour by its name. Fastest period: 10 ms.
Wiring: each pin through 330 Ω to its leg of the LED, the common leg to GND; for a strip each pin to
    a gate through 100 Ω, 10 kΩ from gate to GND. Not for a common anode.
Source: Linux, Documentation/driver-api/gpio; the pulses are software's, 100 Hz; colour names after
    CSS Color Module Level 4, 6.1, as light (brown and orange differ in brightness alone).
Quirks: what is read back is what the three pins do: a colour has a name while their shares are
    those of one. Green looks brighter than blue. While the box restarts each pin is fully lit or
    off, so a mixed colour changes for that moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hal.contract import Actuator, HalError, Unsupported, Wiring
from hal.link.gpio import PwmLine
from hal.option import read
from llmagentos.clock import Instant
from llmagentos.kind import Scalar
from llmagentos.plan import Action

Rgb = tuple[float, float, float]
"""Red, green, blue, each 0 to 1."""

SHADES: Final[Mapping[str, Rgb]] = {
    "white":     (1.0, 1.0, 1.0),
    "red":       (1.0, 0.0, 0.0),
    "orange":    (1.0, 0.4, 0.0),
    "yellow":    (1.0, 0.85, 0.0),
    "green":     (0.0, 1.0, 0.0),
    "blue":      (0.0, 0.0, 1.0),
    "purple":    (0.6, 0.0, 1.0),
    "brown":     (1.0, 0.25, 0.05),
    "pink":      (1.0, 0.4, 0.6),
    "turquoise": (0.1, 1.0, 0.8),
}  # fmt: skip
"""Name -> shares of a lamp that is fully bright. Black is no light."""

ALIKE: Final = 0.02
"""How far the shares may lie from a colour's: pulses on a chip are counted in steps."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a lamp of three colours."""

    red_pin: int
    """Pin of the red part."""

    green_pin: int
    """Pin of the green part."""

    blue_pin: int
    """Pin of the blue part."""


def name_of(shares: Rgb) -> str | None:
    """The colour that these shares of full brightness are; None when it has no name here."""
    for name, shade in SHADES.items():
        if all(abs(share - of) <= ALIKE for share, of in zip(shares, shade, strict=True)):
            return name
    return None


class RgbLight(Actuator):
    """A lamp with a brightness and a colour."""

    def __init__(self, wiring: Wiring) -> None:
        """Take over the three pins, and what they do.

        Raises:
            DriverError: an option is wrong, or a pin cannot be pulsed.
            PinBusy: another device or program holds a pin.
            PinUnknown: the board has no such pin.
        """
        self._name = wiring.device.id
        options = read(Options, wiring.options, owner=self._name)
        self._lines: list[PwmLine] = []
        try:
            for pin in (options.red_pin, options.green_pin, options.blue_pin):
                self._lines.append(PwmLine(wiring.gpio, pin, owner=self._name))
        except HalError:
            self.close()
            raise
        duties = self._duties()
        self._last_brightness = max(duties) or 1.0
        self._last_shares = self._shares(duties) or SHADES["white"]

    def apply(self, action: Action, now: Instant) -> None:  # noqa: ARG002
        brightness = max(self._duties())
        match action.name:
            case "turn_on":
                self._light(self._last_shares, brightness or self._last_brightness)
            case "turn_off":
                self._light(self._last_shares, 0.0)
            case "set_brightness":
                self._light(self._last_shares, float(action.args["brightness"] or 0) / 100)
            case "set_color":
                self._light(self._shade(action), brightness or self._last_brightness)
            case _:
                raise Unsupported(f"{self._name} has three colours: it cannot {action.name}")

    def read_back(self, now: Instant) -> Mapping[str, Scalar]:  # noqa: ARG002
        duties = self._duties()
        brightness = round(max(duties) * 100, 1)
        state: dict[str, Scalar] = {
            "state": "on" if brightness > 0 else "off",
            "brightness": int(brightness) if brightness.is_integer() else brightness,
        }
        shares = self._shares(duties)
        if shares and (color := name_of(shares)):
            state["color"] = color
        return state

    def close(self) -> None:
        for line in self._lines:
            line.close()

    def _shade(self, action: Action) -> Rgb:
        color = str(action.args["color"])
        if color not in SHADES:
            raise HalError(f"{self._name} cannot be {color}; there are {', '.join(SHADES)}")
        return SHADES[color]

    def _light(self, shares: Rgb, brightness: float) -> None:
        self._last_brightness = brightness or max(self._duties()) or self._last_brightness
        self._last_shares = shares
        for line, share in zip(self._lines, shares, strict=True):
            line.set(share * brightness)

    def _duties(self) -> Rgb:
        red, green, blue = (line.duty for line in self._lines)
        return red, green, blue

    def _shares(self, duties: Rgb) -> Rgb | None:
        """What each part gives of full brightness; None while it is dark."""
        brightest = max(duties)
        if brightest <= 0:
            return None
        red, green, blue = (duty / brightest for duty in duties)
        return red, green, blue
