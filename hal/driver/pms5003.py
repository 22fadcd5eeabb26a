"""PMS5003 (also PMS7003, PMSA003) particle counter by Plantower.

Quantity: pm1, pm25 and pm10, μg/m³, 0 to 500 effective (1,000 at most), ±10 or ±10 %.
    Fastest period: 0.2 s while the air changes, 2.3 s while it does not.
Wiring: VCC to 5 V (its fan and laser), GND to GND, TXD (3.3 V) to RX; RXD, SET and RESET stay open.
    Over a USB adapter, or the header's UART.
Source: Plantower PMS5003 series data manual V2.5 (2016-06), appendix I: frames of 32 bytes.
Quirks: the fan needs 30 s from power-up before the numbers count. "Atmospheric environment" values
    are told; those for "standard particles" are for factories. Fog and steam count as dust. The
    laser lives about three years of running on end.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hal.channel import Sample, judged
from hal.contract import Wiring
from hal.frame_sensor import FrameSensor
from hal.link.frame import Shape
from hal.option import read

HIGHEST: Final = 1000
"""The manual's maximum range; more is a fault."""

_UNITS: Final = dict.fromkeys(("pm1", "pm25", "pm10"), "μg/m³")
_ATMOSPHERIC: Final = slice(3, 6)
"""Data 4 to 6 of the frame's 13 words."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a PMS5003."""

    port: str
    """Path of the serial adapter, best below /dev/serial/by-id."""


def is_sound(frame: bytes) -> bool:
    """Whether the last two bytes are the sum of all others."""
    return sum(frame[:-2]) == int.from_bytes(frame[-2:])


SHAPE: Final = Shape(b"\x42\x4d\x00\x1c", 32, is_sound)


def decode(frame: bytes) -> dict[str, Sample]:
    """Samples of a sound frame."""
    words = struct.unpack(">13H", frame[4:30])
    return {
        quantity: judged(word, low=0, high=HIGHEST, unit=unit)
        for (quantity, unit), word in zip(_UNITS.items(), words[_ATMOSPHERIC], strict=True)
    }


class Pms5003(FrameSensor):
    """One PMS5003 on a serial port."""

    def __init__(self, wiring: Wiring) -> None:
        """Prepare; the port is not opened yet.

        Raises:
            DriverError: an option is wrong.
        """
        options = read(Options, wiring.options, owner=wiring.device.id)
        super().__init__(wiring, port=options.port, baud=9600, shape=SHAPE, units=_UNITS)

    def decode(self, frame: bytes) -> Mapping[str, Sample]:
        return decode(frame)
