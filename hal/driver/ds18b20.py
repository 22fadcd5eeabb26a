"""DS18B20 1-wire thermometer by Maxim (now Analog Devices), and its clones.

Quantity: temperature, °C, -55 to 125, ±0.5 from -10 to 85, step 0.0625. Fastest period: 750 ms.
Wiring: data to the 1-wire pin (GPIO4 on a Raspberry Pi with `dtoverlay=w1-gpio`), 4.7 kΩ from data
    to 3.3 V, VDD to 3.3 V, GND to GND. Several parts share the three wires.
Source: DS18B20 datasheet 19-7487 rev 6, tables 1 and 2, "Memory"; Linux w1_therm.rst.
Quirks: 85.0 °C is what the part says after power-up when no conversion was made: suspect. A bus
    that is shorted reads as nine zero bytes, whose checksum is right: no value. One look in some
    thousands fails its checksum on long wires; the next look decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from hal.channel import Channel, Sample, unavailable
from hal.contract import DriverError, Post, Sensor, Wiring
from hal.link.onewire import DEVICES, OneWireBus
from hal.option import Range, read
from llmagentos.clock import Clock
from llmagentos.reading import Quality

POWER_UP_C: Final = 85.0
LOWEST_C: Final = -55.0
HIGHEST_C: Final = 125.0

AGREE_C: Final = 0.002
"""The kernel drops what is below a thousandth of a degree."""

CONVERSION_S: Final = 2.0
"""Slack for the conversions of the parts that are looked at before this one."""

PATIENCE: Final = 2
"""Looks in a row that must fail before the value is given up: one bad checksum is no news."""

_BYTES: Final = re.compile(rb"((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (YES|NO)\s*")
_VALUE: Final = re.compile(rb"((?:[0-9a-f]{2} ){9})t=(-?\d{1,6})\s*")


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a DS18B20."""

    part: str | None = None
    """Its id such as 28-0316a279a5ff; None for the only part on the bus."""

    path: str = DEVICES
    """Folder of the bus, for a device without a link."""

    period_s: Annotated[float, Range(1, 3600, "s")] = 10.0
    """Pause between two looks, for a device without a link."""


def decode(raw: bytes) -> Sample:
    """Read what the kernel's `w1_slave` said: nine bytes with their checksum, then thousandths."""
    lines = raw.split(b"\n")
    first = _BYTES.fullmatch(lines[0]) if len(lines) >= 2 else None
    second = _VALUE.fullmatch(lines[1]) if first else None
    if not first or not second:
        return unavailable("the thermometer's answer is cut short or garbled")
    scratchpad = bytes.fromhex(first[1].decode())
    if first[2] != b"YES" or crc8(scratchpad[:8]) != scratchpad[8]:
        return unavailable("the thermometer's checksum is wrong: check its wires")
    if not any(scratchpad):
        return unavailable("the thermometer says nothing but zeros: its data wire may be shorted")
    celsius = int.from_bytes(scratchpad[:2], "little", signed=True) / 16
    # The kernel's own figure has no checksum: a file cut short within it would give 23 for 23125.
    if abs(int(second[2]) / 1000 - celsius) > AGREE_C:
        return unavailable("the thermometer's answer is cut short or garbled")
    return _judge(celsius)


def crc8(data: bytes) -> int:
    """Maxim's 1-wire checksum (polynomial x8 + x5 + x4 + 1), as in application note 27."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


def _judge(celsius: float) -> Sample:
    if not LOWEST_C <= celsius <= HIGHEST_C:
        return Sample(celsius, Quality.SUSPECT, f"{celsius:g} °C is beyond what the part can tell")
    if celsius == POWER_UP_C:
        return Sample(celsius, Quality.SUSPECT, "85 °C is what the part says before it measured")
    return Sample(celsius)


class Ds18b20(Sensor):
    """One thermometer on a 1-wire bus."""

    def __init__(self, wiring: Wiring) -> None:
        """Prepare; the bus is not touched yet.

        Raises:
            DriverError: an option is wrong, or the link is no 1-wire bus.
        """
        options = read(Options, wiring.options, owner=wiring.device.id)
        if wiring.link is not None and not isinstance(wiring.link, OneWireBus):
            raise DriverError(f"{wiring.device.id}: its link is no 1-wire bus")
        self._owns_bus = wiring.link is None
        self._bus: OneWireBus = wiring.link or OneWireBus(options.path, period_s=options.period_s)
        self._part = options.part
        self._channel = Channel(wiring.device, "temperature", unit="°C")
        self._forget: Callable[[], None] | None = None
        self._failures = 0

    @property
    def period_s(self) -> float | None:
        return PATIENCE * self._bus.period_s + CONVERSION_S

    def start(self, post: Post, clock: Clock) -> None:
        self._channel.open(post, clock)
        self._forget = self._bus.subscribe(self._part, self._look, self._lose)

    def close(self) -> None:
        self._channel.close()
        if self._forget is not None:
            self._forget()
        if self._owns_bus:
            self._bus.close()

    def _look(self, raw: bytes) -> None:
        sample = decode(raw)
        if sample.quality is Quality.UNAVAILABLE:
            self._lose(sample.reason)
        else:
            self._failures = 0
            self._channel.tell(sample)

    def _lose(self, reason: str) -> None:
        self._failures += 1
        if self._failures >= PATIENCE:
            self._channel.tell(unavailable(reason))
