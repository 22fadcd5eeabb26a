"""TFmini, TFmini-S and TFmini Plus laser distance sensors by Benewake.

Quantity: distance, cm, 10 to 1,200, ±6 (±1 % beyond 6 m); a tenth of that in sunlight or off black.
    Fastest period: 0.1 s, the median of ten frames at the 100 a second it is delivered with.
Wiring: red to 5 V, black to GND, green (TX, 3.3 V) to RX; white (RX) stays open.
Source: Benewake TFmini-S product manual A00 (2020), 6.2: frames of 9 bytes at 115,200 baud.
Quirks: below a signal strength of 100, or at 65,535, the distance means nothing; mirrors and water
    send the light elsewhere. It needs 800 mA for a moment at start.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hal.channel import Sample, judged, unavailable
from hal.contract import Wiring
from hal.frame_sensor import FrameSensor
from hal.link.frame import Shape
from hal.option import read

FRAMES: Final = 10
"""In one value."""

WEAKEST: Final = 100
OVERLOAD: Final = 65_535
"""Signal strengths between which a distance counts."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a TFmini."""

    port: str
    """Path of the serial adapter, best below /dev/serial/by-id."""


def is_sound(frame: bytes) -> bool:
    """Whether the last byte is the sum of all others, in 8 bits."""
    return sum(frame[:-1]) & 0xFF == frame[-1]


class TfMini(FrameSensor):
    """One TFmini on a serial port."""

    def __init__(self, wiring: Wiring) -> None:
        """Prepare; the port is not opened yet.

        Raises:
            DriverError: an option is wrong.
        """
        options = read(Options, wiring.options, owner=wiring.device.id)
        shape = Shape(b"\x59\x59", 9, is_sound)
        super().__init__(wiring, port=options.port, baud=115_200, shape=shape,
                         units={"distance": "cm"})  # fmt: skip
        self._seen: list[int | None] = []

    def decode(self, frame: bytes) -> Mapping[str, Sample]:
        distance, strength = (int.from_bytes(frame[at : at + 2], "little") for at in (2, 4))
        self._seen.append(distance if WEAKEST <= strength < OVERLOAD else None)
        if len(self._seen) < FRAMES:
            return {}
        seen, self._seen = self._seen, []
        clear = [each for each in seen if each is not None]
        if 2 * len(clear) <= len(seen):
            return {"distance": unavailable("too little of its light, or too much, comes back")}
        return {"distance": judged(statistics.median_low(clear), low=10, high=1200, unit="cm")}
