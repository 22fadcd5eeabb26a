"""A passive infrared motion sensor, or any part whose pin says yes or no.

Part: HC-SR501 (BISS0001) or AM312; also a reed contact, a tilt or a water switch.
Quantity: state, on or off. Range 3 to 7 m. Fastest period: the part's own hold time, 2 s and up.
Wiring: HC-SR501: VCC to 5 V, OUT (3.3 V level) to the pin, GND to GND. A contact to GND wants
    `pull = "up"` and `active_high = false`.
Source: BISS0001 datasheet, "Functional description"; HC-SR501 module sheet.
Quirks: it sees phantoms during its first minute of power, and through a window whenever the sun
    moves; the output stays high for its hold time after the last movement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hal.channel import Channel, Sample
from hal.contract import Post, Sensor, Wiring
from hal.link.gpio import PULLS, InputLine
from hal.option import OneOf, Range, read
from llmagentos.clock import Clock


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a motion sensor."""

    pull: Annotated[str, OneOf(PULLS)] = "down"
    """Where the pin rests when the part drives nothing; a cut wire then reads as rest."""

    active_high: bool = True
    """False when a low level means yes."""

    debounce_s: Annotated[float, Range(0, 1, "s")] = 0.05
    """A level must last this long to count."""


class Motion(Sensor):
    """A pin that says yes or no."""

    def __init__(self, wiring: Wiring) -> None:
        """Listen to the pin.

        Raises:
            DriverError: an option is wrong.
            PinBusy: another device or program holds the pin.
            PinUnknown: the board has no such pin.
        """
        options = read(Options, wiring.options, owner=wiring.device.id)
        self._channel = Channel(wiring.device, "state")
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
        self._line.watch(lambda active: self._channel.tell(Sample("on" if active else "off")))

    def close(self) -> None:
        self._channel.close()
        self._line.close()
