"""A DS18B20 thermometer as the kernel shows it under /sys/bus/w1/devices.

Part: Analog Devices DS18B20, temperature in °C, -55 to 125, 1/16 K at 12 bit, one conversion in
750 ms. Source: its data sheet, rev. 6, "Memory" (scratchpad) and "CRC generation"; the text is
that of the kernel's w1_therm driver (Documentation/w1/slaves/w1_therm.rst).
"""

from __future__ import annotations

import os
import shutil
from enum import StrEnum
from pathlib import Path
from typing import Final

NAME: Final = "28-000000000001"
"""Family 28 hex, then the serial number."""

POWER_ON: Final = bytes.fromhex("50 05 4b 46 7f ff 0c 10 1c")
"""Scratchpad before the first conversion, 85 °C: the mark of a power dip. After a conversion at a
true 85 °C the seventh byte is 10 hex."""


class BusFault(StrEnum):
    """How the 1-wire bus can misbehave."""

    NONE = "none"
    CRC = "crc"
    """Bits flip on a long cable: the kernel says NO."""
    POWER_ON = "power_on"
    """Always 85 °C."""
    GONE = "gone"
    """The part is off the bus: its folder is away."""


class OneWire:
    """The files of one thermometer, rewritten when its temperature changes."""

    def __init__(self, folder: Path) -> None:
        self._part = folder / NAME
        self._written: tuple[str, str] | None = None
        self.fault = BusFault.NONE

    def show(self, celsius: float) -> None:
        """Bring the files up to date."""
        if self.fault is BusFault.GONE:
            self.remove()
            return
        scratchpad = POWER_ON if self.fault is BusFault.POWER_ON else encode_scratchpad(celsius)
        is_sound = self.fault is not BusFault.CRC
        texts = (slave_text(scratchpad, is_sound=is_sound), temperature_text(scratchpad))
        if texts == self._written and self._part.is_dir():
            return
        self._part.mkdir(parents=True, exist_ok=True)
        _replace(self._part / "w1_slave", texts[0])
        # Without a good scratchpad the kernel's `temperature` gives nothing to read.
        _replace(self._part / "temperature", texts[1] if is_sound else "")
        self._written = texts

    def remove(self) -> None:
        """Take the part off the bus."""
        shutil.rmtree(self._part, ignore_errors=True)
        self._written = None


def encode_scratchpad(celsius: float) -> bytes:
    """The part's nine bytes: temperature, alarm marks, 12-bit configuration, CRC."""
    sixteenths = round(min(125.0, max(-55.0, celsius)) * 16)
    low, high = (sixteenths & 0xFFFF).to_bytes(2, "little")
    body = bytes([low, high, 0x4B, 0x46, 0x7F, 0xFF, 0x10 - (low & 0x0F), 0x10])
    return body + bytes([crc8(body)])


def crc8(data: bytes) -> int:
    """The 1-wire CRC: x^8 + x^5 + x^4 + 1, low bit first, starting at 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8C if crc & 1 else crc >> 1
    return crc


def slave_text(good: bytes, *, is_sound: bool = True) -> str:
    """The two lines of `w1_slave`: the bytes read, then the last good ones and t of those read."""
    read = good if is_sound else bytes([good[0] ^ 0x04]) + good[1:]
    crc = crc8(read[:8])
    verdict = "YES" if crc == read[8] else "NO"
    return f"{read.hex(' ')} : crc={crc:02x} {verdict}\n{good.hex(' ')} t={_millidegrees(read)}\n"


def temperature_text(scratchpad: bytes) -> str:
    """The line of `temperature`: thousandths of a degree."""
    return f"{_millidegrees(scratchpad)}\n"


def _millidegrees(scratchpad: bytes) -> int:
    sixteenths = int.from_bytes(scratchpad[:2], "little", signed=True)
    return int(sixteenths * 1000 / 16)  # the kernel cuts towards zero


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    os.replace(fresh, path)
