"""A push button: tells when it is pressed and when it is let go.

Part: any momentary switch.
Quantity: state, pressed or idle. Fastest period: twice `debounce_s`.
Wiring: between the pin and GND; the pin's own pull-up (about 50 kΩ) holds it high. Long wires need
    1 kΩ in series and 100 nF to GND.
Source: J. Ganssle, "A Guide to Debouncing", 2004 (bounces of 18 switches, most below 6 ms).
Quirks: a button that is down at start is told as suspect: it may be stuck, and nobody pressed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hal.channel import Channel, Sample
from hal.contract import Post, Sensor, Wiring
from hal.link.gpio import PULLS, InputLine
from hal.option import OneOf, Range, read
from llmagentos.clock import Clock
from llmagentos.reading import Quality


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a button."""

    pull: Annotated[str, OneOf(PULLS)] = "up"
    """Where the pin rests when nobody presses."""

    active_high: bool = False
    """True when pressing brings the pin high."""

    debounce_s: Annotated[float, Range(0, 1, "s")] = 0.02
    """A level must last this long to count."""


class Button(Sensor):
    """A switch that somebody presses."""

    def __init__(self, wiring: Wiring) -> None:
        """Listen to the pin.

        Raises:
            DriverError: an option is wrong.
            PinBusy: another device or program holds the pin.
            PinUnknown: the board has no such pin.
        """
        options = read(Options, wiring.options, owner=wiring.device.id)
        self._channel = Channel(wiring.device, "state")
        self._is_first = True
        self._line = InputLine(
            wiring.gpio,
            wiring.pin,
            owner=wiring.device.id,
            pull=options.pull,
            active_high=options.active_high,
            debounce_s=options.debounce_s,
        )

    @property
    def period_s(self) -> float | None:
        return None

    def start(self, post: Post, clock: Clock) -> None:
        self._channel.open(post, clock)
        self._line.watch(self._tell)

    def close(self) -> None:
        self._channel.close()
        self._line.close()

    def _tell(self, is_pressed: bool) -> None:
        is_first, self._is_first = self._is_first, False
        if is_first and is_pressed:
            self._channel.tell(Sample("pressed", Quality.SUSPECT, "it was down before I started"))
        else:
            self._channel.tell(Sample("pressed" if is_pressed else "idle"))
