"""SHT31 (also SHT30, SHT35) thermometer and hygrometer by Sensirion.

Quantity: temperature, °C, -40 to 125, ±0.2 (SHT31, 0 to 90); humidity, %, 0 to 100, ±2.
    Fastest period: 16 ms at high repeatability.
Wiring: VIN to 3.3 V, GND to GND, SDA to SDA, SCL to SCL; the address is 0x44 with ADDR at GND (most
    modules), 0x45 with ADDR at 3.3 V.
Source: Sensirion SHT3x-DIS datasheet version 7 (2022), 4.3 and 4.4 (single shot), 4.12 (checksum),
    4.13 (conversion), table 4 (times).
Quirks: each of the two values has its own CRC-8, checked here. Asked before it is ready the part
    does not answer. Looked at more often than once in a second it warms itself. After hours above
    80 % it reads up to 3 % high for a while.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from hal.channel import Sample, judged
from hal.contract import Unplugged, Wiring
from hal.i2c_sensor import I2cSensor
from hal.option import Range, read

MEASURE: Final = (0x24, 0x00)
"""Single shot, high repeatability, no clock stretching: a Pi mishears parts that stretch."""

MEASURED_S: Final = 0.016
"""Longest measurement at high repeatability is 15.5 ms."""

FRAME_BYTES: Final = 6
_FULL: Final = 65535
_UNITS: Final = {"temperature": "°C", "humidity": "%"}


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of an SHT31."""

    address: Annotated[int, Range(0x44, 0x45)] = 0x44
    """0x44 or 0x45."""

    period_s: Annotated[float, Range(0.1, 3600, "s")] = 10.0
    """Pause between two looks."""


def crc8(data: bytes) -> int:
    """Sensirion's checksum: polynomial x8 + x5 + x4 + 1, high bit first, from 0xFF."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x31 if crc & 0x80 else 0)) & 0xFF
    return crc


def decode(frame: bytes) -> dict[str, Sample]:
    """Samples of an answer: two bytes and a checksum for each of the two values.

    Raises:
        Unplugged: it is cut short or garbled.
    """
    if len(frame) != FRAME_BYTES:
        raise Unplugged("the SHT31's answer is cut short")
    words = frame[0:2], frame[3:5]
    if crc8(words[0]) != frame[2] or crc8(words[1]) != frame[5]:
        raise Unplugged("the SHT31's checksum is wrong: check its wires")
    temperature, humidity = (int.from_bytes(word) / _FULL for word in words)
    return {
        "temperature": judged(round(175 * temperature - 45, 2), low=-40, high=125, unit="°C"),
        "humidity": judged(round(100 * humidity, 2), low=0, high=100, unit="%"),
    }


class Sht31(I2cSensor):
    """One SHT31."""

    def __init__(self, wiring: Wiring) -> None:
        """Take the address; the bus is not touched yet.

        Raises:
            DriverError: an option is wrong, its link is no I2C bus, or the address is taken.
        """
        options = read(Options, wiring.options, owner=wiring.device.id)
        super().__init__(wiring, chip="SHT31", address=options.address, units=_UNITS,
                         look_every_s=options.period_s)  # fmt: skip
        self._rest = threading.Event()

    def look(self) -> Mapping[str, Sample]:
        self.part.write(MEASURE)
        self._rest.wait(MEASURED_S)
        return decode(self.part.read(FRAME_BYTES))
