"""BME280 thermometer, hygrometer and barometer by Bosch Sensortec.

Quantity: temperature, °C, -40 to 85, ±1.0; humidity, %, 0 to 100, ±3; pressure, hPa, 300 to 1100,
    ±1. Fastest period: 10 ms for all three at single sampling.
Wiring: VIN to 3.3 V, GND to GND, SDA to SDA, SCL to SCL; the address is 0x76 with SDO at GND (most
    modules), 0x77 with SDO at 3.3 V.
Source: BME280 datasheet BST-BME280-DS001 rev 1.23, 4.2.2 (trimming), 5.4 (registers), appendix A
    (compensation in floating point) and B (measurement time).
Quirks: many modules sold as BME280 carry a BMP280, which has no hygrometer; its chip id tells and
    it is refused by name. It warms itself: looked at once in some seconds (forced mode, as here)
    it reads about 0.1 °C high, next to a warm board several degrees. 0x80000 and 0x8000 mean "not
    measured".
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from hal.channel import Sample, judged
from hal.contract import Unplugged, Wiring
from hal.i2c_sensor import I2cSensor
from hal.option import Range, read

CHIP_ID: Final = 0x60
BMP280_IDS: Final = (0x56, 0x57, 0x58)

MEASURED_S: Final = 0.0093
"""Longest measurement at single sampling (appendix B); then it is asked whether it is ready."""

TRIES: Final = 5
"""Looks at the status before a measurement is given up."""

_ID, _STATUS, _DATA = 0xD0, 0xF3, 0xF7
_MEASURING: Final = 0x08
_START: Final = (0xF2, 0x01, 0xF4, 0x25)
"""Humidity once (takes effect with the next write), then temperature and pressure once, forced."""

_SKIPPED_20: Final = 0x80000
_SKIPPED_16: Final = 0x8000

_UNITS: Final = {"temperature": "°C", "humidity": "%", "pressure": "hPa"}


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a BME280."""

    address: Annotated[int, Range(0x76, 0x77)] = 0x76
    """0x76 or 0x77."""

    period_s: Annotated[float, Range(0.1, 3600, "s")] = 10.0
    """Pause between two looks."""


@dataclass(frozen=True, slots=True)
class Trimming:
    """What Bosch measured of one part and burnt into it (4.2.2)."""

    t: tuple[int, ...]
    """dig_T1 to dig_T3."""

    p: tuple[int, ...]
    """dig_P1 to dig_P9."""

    h: tuple[int, ...]
    """dig_H1 to dig_H6."""


def read_trimming(first: bytes, second: bytes) -> Trimming:
    """Trimming values as they lie in the part.

    Args:
        first: registers 0x88 to 0xA1, 26 bytes.
        second: registers 0xE1 to 0xE7, 7 bytes.
    """
    *pairs, _, h1 = struct.unpack("<HhhHhhhhhhhhBB", first)
    h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", second)
    # H4 and H5 share a byte: 12 bits each, signed.
    h4, h5 = e4 << 4 | e5 & 0x0F, e6 << 4 | e5 >> 4
    return Trimming(tuple(pairs[:3]), tuple(pairs[3:]), (h1, h2, h3, h4, h5, h6))


def decode(data: bytes, trimming: Trimming) -> dict[str, Sample]:
    """Samples of the eight bytes from 0xF7 on.

    Raises:
        Unplugged: the part has not measured.
    """
    pressure = int.from_bytes(data[0:3]) >> 4
    temperature = int.from_bytes(data[3:6]) >> 4
    humidity = int.from_bytes(data[6:8])
    if _SKIPPED_20 in (pressure, temperature) or humidity == _SKIPPED_16:
        raise Unplugged("the BME280 has not measured: it may have lost its power for a moment")
    fine = fine_temperature(temperature, trimming.t)
    return {
        "temperature": judged(round(fine / 5120, 2), low=-40, high=85, unit="°C"),
        "humidity": judged(round(humidity_pct(humidity, fine, trimming.h), 2),
                           low=0, high=100, unit="%"),
        "pressure": judged(round(pressure_pa(pressure, fine, trimming.p) / 100, 2),
                           low=300, high=1100, unit="hPa"),
    }  # fmt: skip


def fine_temperature(raw: int, t: tuple[int, ...]) -> float:
    """`t_fine`: 5,120 times the temperature in °C, on which the two others lean."""
    first = (raw / 16384 - t[0] / 1024) * t[1]
    return first + (raw / 131072 - t[0] / 8192) ** 2 * t[2]


def pressure_pa(raw: int, fine: float, p: tuple[int, ...]) -> float:
    """Pressure in Pa."""
    x = fine / 2 - 64000
    y = x * x * p[5] / 32768 + x * p[4] * 2
    y = y / 4 + p[3] * 65536
    x = (p[2] * x * x / 524288 + p[1] * x) / 524288
    x = (1 + x / 32768) * p[0]
    if x == 0:
        raise Unplugged("the BME280's trimming values are nothing but zeros")
    pressure = (1048576 - raw - y / 4096) * 6250 / x
    return pressure + (p[8] * pressure**2 / 2147483648 + pressure * p[7] / 32768 + p[6]) / 16


def humidity_pct(raw: int, fine: float, h: tuple[int, ...]) -> float:
    """Relative humidity in %, within 0 to 100 as the datasheet cuts it."""
    x = fine - 76800
    slope = h[1] / 65536 * (1 + h[5] / 67108864 * x * (1 + h[2] / 67108864 * x))
    x = (raw - (h[3] * 64 + h[4] / 16384 * x)) * slope
    return min(100.0, max(0.0, x * (1 - h[0] * x / 524288)))


class Bme280(I2cSensor):
    """One BME280."""

    def __init__(self, wiring: Wiring) -> None:
        """Take the address; the bus is not touched yet.

        Raises:
            DriverError: an option is wrong, its link is no I2C bus, or the address is taken.
        """
        options = read(Options, wiring.options, owner=wiring.device.id)
        super().__init__(wiring, chip="BME280", address=options.address, units=_UNITS,
                         look_every_s=options.period_s)  # fmt: skip
        self._trimming: Trimming | None = None
        self._rest = threading.Event()

    def look(self) -> Mapping[str, Sample]:
        if self._trimming is None:
            self._trimming = self._learn()
        self.part.write(_START)
        for _ in range(TRIES):
            self._rest.wait(MEASURED_S)
            if not self.part.ask([_STATUS], count=1)[0] & _MEASURING:
                return decode(self.part.ask([_DATA], count=8), self._trimming)
        raise Unplugged("the BME280 does not finish its measurement")

    def lose(self) -> None:
        self._trimming = None

    def _learn(self) -> Trimming:
        (chip,) = self.part.ask([_ID], count=1)
        if chip in BMP280_IDS:
            raise Unplugged("this is a BMP280, which has no hygrometer, and not a BME280")
        if chip != CHIP_ID:
            raise Unplugged(f"the part there says {chip:#04x}, not {CHIP_ID:#04x} as a BME280 does")
        # They have no checksum and stay in use for months, so one bad transfer must not decide.
        once, again = self._fetch(), self._fetch()
        if once != again or not any(once[0]):
            raise Unplugged("the BME280's trimming values do not come through: check its wires")
        return read_trimming(*once)

    def _fetch(self) -> tuple[bytes, bytes]:
        return self.part.ask([0x88], count=26), self.part.ask([0xE1], count=7)
