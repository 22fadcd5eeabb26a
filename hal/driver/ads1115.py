"""ADS1115 four-channel voltmeter (16 bits) by Texas Instruments, and anything that gives a voltage.

Quantity: voltage, V, 0 to the supply (the chip's `range` bounds it, too), ±0.01 % of the range; or,
    with two points of a straight line, another quantity in the device's own `device_class` and
    `unit`: soil moisture, pressure, light, current. Fastest period: 10 ms.
Wiring: VDD to 3.3 V, GND to GND, SDA to SDA, SCL to SCL; the address is 0x48 with ADDR at GND (most
    modules), 0x49 at VDD, 0x4A at SDA, 0x4B at SCL. The part to A0 ... A3. Never above VDD + 0.3 V.
Source: Texas Instruments ADS1115 datasheet SBAS444E, 7.5.1 (address), 8.1 (registers).
Quirks: up to four devices share the chip, one channel each. An open input floats at about 0.6 V and
    looks like a value: give the line its two points, then beyond them is suspect. A capacitive soil
    probe gives less voltage when it is wet: write `low_v` above `high_v`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from hal.channel import Sample, judged
from hal.contract import DriverError, Unplugged, Wiring
from hal.i2c_sensor import I2cSensor
from hal.option import OneOf, Range, read
from llmagentos.reading import Quality

RANGES: Final = {"6.144 V": 0, "4.096 V": 1, "2.048 V": 2, "1.024 V": 3, "0.512 V": 4, "0.256 V": 5}
"""Full scale -> bits of the gain (table 8-3)."""

CONVERTED_S: Final = 0.009
"""A conversion at 128 a second takes 7.8 ms, up to a tenth more."""

TRIES: Final = 4
"""Looks at the ready bit before a conversion is given up."""

BEYOND: Final = 0.1
"""How far, as share of the line, a value may lie beyond its two points: probes drift."""

_CONVERSION, _CONFIG = 0x00, 0x01
_READY: Final = 0x8000
_BASE: Final = 0x8000 | 0x4000 | 0x0100 | 0x0080 | 0x0003
"""Start one conversion, one input against GND, single shot, 128 a second, no comparator."""

_FULL: Final = 32768


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of one channel of an ADS1115."""

    channel: Annotated[int, Range(0, 3)] = 0
    """Input: 0 to 3 for A0 to A3."""

    address: Annotated[int, Range(0x48, 0x4B)] = 0x48
    """0x48 to 0x4B."""

    range: Annotated[str, OneOf(tuple(RANGES))] = "4.096 V"
    """Full scale: the smallest one above what the part can give is the finest."""

    low: float | None = None
    """Value at `low_v`, in the device's unit; None tells the voltage itself."""

    low_v: Annotated[float, Range(0, 6.144, "V")] | None = None
    """Voltage at `low`."""

    high: float | None = None
    """Value at `high_v`."""

    high_v: Annotated[float, Range(0, 6.144, "V")] | None = None
    """Voltage at `high`; may be below `low_v`."""

    period_s: Annotated[float, Range(0.1, 3600, "s")] = 10.0
    """Pause between two looks."""

    @property
    def line(self) -> tuple[float | None, ...]:
        """The four numbers of the straight line."""
        return self.low, self.low_v, self.high, self.high_v


def decode(raw: bytes, options: Options, *, unit: str = "") -> Sample:
    """A sample of the two bytes of the conversion register.

    Raises:
        Unplugged: they are cut short.
    """
    if len(raw) != 2:
        raise Unplugged("the ADS1115's answer is cut short")
    count = int.from_bytes(raw, signed=True)
    full_v = float(options.range.split()[0])
    volts = count * full_v / _FULL
    if count == _FULL - 1 or volts < -full_v / 100:
        reason = f"{volts:g} V is at the end of the range of {options.range}"
        return Sample(round(volts, 5), Quality.SUSPECT, reason)
    low, low_v, high, high_v = options.line
    if low is None or low_v is None or high is None or high_v is None:
        return Sample(round(volts, 5))
    value = low + (volts - low_v) * (high - low) / (high_v - low_v)
    slack = BEYOND * abs(high - low)
    bounds = sorted((low, high))
    return judged(round(value, 3), low=bounds[0] - slack, high=bounds[1] + slack, unit=unit)


class Ads1115(I2cSensor):
    """One channel of an ADS1115."""

    def __init__(self, wiring: Wiring) -> None:
        """Take the channel; the bus is not touched yet.

        Raises:
            DriverError: an option is wrong, its link is no I2C bus, or the channel is taken.
        """
        device = wiring.device
        self._options = options = read(Options, wiring.options, owner=device.id)
        given = [number is not None for number in options.line]
        if any(given) and not all(given):
            raise DriverError(f"{device.id}: a line needs all of low, low_v, high and high_v")
        if all(given) and (options.low == options.high or options.low_v == options.high_v):
            raise DriverError(f"{device.id}: the two points of its line must differ")
        self._quantity = (device.device_class or "voltage") if all(given) else "voltage"
        self._unit = (device.unit or "") if all(given) else "V"
        super().__init__(wiring, chip="ADS1115", address=options.address,
                         units={self._quantity: self._unit}, channel=options.channel,
                         look_every_s=options.period_s)  # fmt: skip
        self._rest = threading.Event()

    def look(self) -> Mapping[str, Sample]:
        gain = RANGES[self._options.range]
        config = _BASE | self._options.channel << 12 | gain << 9
        self.part.write([_CONFIG, *config.to_bytes(2)])
        for _ in range(TRIES):
            self._rest.wait(CONVERTED_S)
            if int.from_bytes(self.part.ask([_CONFIG], count=2)) & _READY:
                raw = self.part.ask([_CONVERSION], count=2)
                return {self._quantity: decode(raw, self._options, unit=self._unit)}
        raise Unplugged("the ADS1115 does not finish its conversion")
