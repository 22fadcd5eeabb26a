"""MH-Z19 (also MH-Z19B, MH-Z19C) carbon dioxide sensor by Winsen.

Quantity: carbon_dioxide, ppm, 400 to 2,000 or 5,000 as ordered, ±(50 + 5 %). Fastest period: 1 s;
    the gas itself takes two minutes.
Wiring: Vin to 5 V, GND to GND, Tx (3.3 V) to RX, Rx to TX. Over a USB adapter or the header's UART.
Source: Winsen MH-Z19B user's manual version 1.6 (2020), "Communication protocol", command 0x86.
Quirks: for its first minute (the MH-Z19: three) it says 400, 410 or the end of its range. Every 24
    hours it takes the lowest value it saw for fresh air (400 ppm): in a room that is never aired it
    drifts. The fifth byte is a temperature, off by degrees and in no manual: it is not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from hal.channel import Sample, judged
from hal.contract import Wiring
from hal.frame_sensor import FrameSensor
from hal.link.frame import Shape
from hal.link.serial import Ask
from hal.option import Range, read

QUESTION: Final = bytes.fromhex("ff 01 86 00 00 00 00 00 79")

LOWEST_PPM: Final = 300
"""Below the air outdoors, with the part's own error taken off: it cannot be."""

_UNITS: Final = {"carbon_dioxide": "ppm"}


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of an MH-Z19."""

    port: str
    """Path of the serial adapter, best below /dev/serial/by-id."""

    maximum: Annotated[int, Range(1000, 10_000, "ppm")] = 5000
    """End of the range that was ordered; more is suspect."""

    period_s: Annotated[float, Range(0.1, 3600, "s")] = 10.0
    """Pause between two questions."""


def checksum(frame: bytes) -> int:
    """What makes the sum of bytes 1 to 8 zero, in 8 bits."""
    return -sum(frame[1:8]) & 0xFF


def is_sound(frame: bytes) -> bool:
    """Whether the last byte is the checksum."""
    return checksum(frame) == frame[8]


SHAPE: Final = Shape(b"\xff\x86", 9, is_sound, silence_s=2.0)
"""Silence: two questions without an answer."""


def decode(frame: bytes, *, maximum: int = 5000) -> dict[str, Sample]:
    """The sample of a sound answer."""
    ppm = int.from_bytes(frame[2:4])
    return {"carbon_dioxide": judged(ppm, low=LOWEST_PPM, high=maximum, unit="ppm")}


class MhZ19(FrameSensor):
    """One MH-Z19 on a serial port."""

    def __init__(self, wiring: Wiring) -> None:
        """Prepare; the port is not opened yet.

        Raises:
            DriverError: an option is wrong.
        """
        options = read(Options, wiring.options, owner=wiring.device.id)
        self._maximum = options.maximum
        ask = Ask(QUESTION, answer_bytes=SHAPE.length, every_s=options.period_s)
        super().__init__(wiring, port=options.port, baud=9600, shape=SHAPE, units=_UNITS, ask=ask)

    def decode(self, frame: bytes) -> Mapping[str, Sample]:
        return decode(frame, maximum=self._maximum)
