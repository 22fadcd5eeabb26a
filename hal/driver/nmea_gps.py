"""A GPS receiver that speaks NMEA 0183: u-blox NEO-6M to M10, Quectel L80, USB mice.

Quantity: speed, km/h, 0 to 1,854, ±0.4; latitude and longitude, °, ±2.5 m in the open; altitude, m
    above the sea, ±5 m; satellites in use; fix (gps, dgps, rtk, float_rtk, estimated).
    Fastest period: 0.1 s, 1 s as they are delivered.
Wiring: a USB mouse; or VCC to 3.3 V or 5 V as the module says, GND to GND, TX to RX.
Source: NMEA 0183 version 4.11, sentences RMC and GGA, as in u-blox 8 / M8 receiver description
    UBX-13003221 R28, 31.2.
Quirks: the first fix takes half a minute under the open sky, indoors there may be none; without a
    fix nothing is told but that. Standing still it creeps by up to 2 km/h. Where the box stands
    becomes part of its state: who reads its MQTT topics knows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from hal.channel import Channels, Sample, judged
from hal.contract import DriverError, Post, Sensor, Wiring
from hal.link.serial import SerialLink
from hal.option import Range, read
from llmagentos.clock import Clock

PATIENCE: Final = 5
"""Broken sentences in a row before the values are given up: a start in mid-line gives one."""

KMH: Final = 1.852
"""A knot in km/h."""

FASTEST_KMH: Final = 1854.0
"""Receivers for everybody stop there (1,000 knots)."""

UNITS: Final = {
    "latitude": "°", "longitude": "°", "altitude": "m", "satellites": "", "fix": "",
    "speed": "km/h",
}  # fmt: skip

_FIXES: Final = {"1": "gps", "2": "dgps", "3": "gps", "4": "rtk", "5": "float_rtk",
                 "6": "estimated"}  # fmt: skip
_SENTENCE: Final = re.compile(rb"\$([A-Z]{2}[A-Z]{3},[ -#%-)+-~]*)\*([0-9A-Fa-f]{2})")
_ANGLE: Final = re.compile(r"(\d{2,3})(\d{2}\.\d{1,8})")
_NUMBER: Final = re.compile(r"-?\d{1,6}(\.\d{1,6})?")


class SentenceError(ValueError):
    """A sentence that is cut short, garbled, or holds what cannot be."""


class NoFix(Exception):
    """A sound sentence that says that the receiver does not know where it is."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a satellite receiver."""

    port: str | None = None
    """Path of the serial adapter, for a receiver without a link."""

    baud: Annotated[int, Range(300, 4_000_000, "baud")] = 9600
    """Speed of `port`; u-blox M10 says 38400."""

    period_s: Annotated[float, Range(0.1, 3600, "s")] = 1.0
    """Pause between two positions, as the receiver was told."""


def decode(line: bytes) -> dict[str, Sample]:
    """What one sentence tells; empty for one that is of no interest.

    Raises:
        SentenceError: it is no sound sentence.
        NoFix: it says that there is no position.
    """
    found = _SENTENCE.fullmatch(line)
    if not found:
        raise SentenceError("no NMEA sentence")
    total = 0
    for byte in found[1]:
        total ^= byte
    if total != int(found[2], 16):
        raise SentenceError("wrong checksum")
    name, *fields = found[1].decode().split(",")
    reader = _READERS.get(name[2:])
    return reader(fields) if reader else {}


def _read_rmc(fields: Sequence[str]) -> dict[str, Sample]:
    """Time, status, latitude, N/S, longitude, E/W, knots, ..."""
    if not 9 <= len(fields) <= 13:
        raise SentenceError("RMC with too few or too many fields")
    if fields[1] == "V":
        raise NoFix
    if fields[1] != "A":
        raise SentenceError("RMC without a status")
    speed = _number(fields[6]) * KMH
    return {
        "latitude": _angle(fields[2], fields[3], "NS", 90),
        "longitude": _angle(fields[4], fields[5], "EW", 180),
        "speed": judged(round(speed, 1), low=0, high=FASTEST_KMH, unit="km/h"),
    }


def _read_gga(fields: Sequence[str]) -> dict[str, Sample]:
    """Time, latitude, N/S, longitude, E/W, quality, satellites, dilution, altitude, M, ..."""
    if not 10 <= len(fields) <= 14:
        raise SentenceError("GGA with too few or too many fields")
    if fields[5] == "0":
        raise NoFix
    if fields[5] not in _FIXES or not re.fullmatch(r"\d{1,2}", fields[6]) or fields[9] != "M":
        raise SentenceError("GGA that cannot be")
    return {
        "altitude": judged(_number(fields[8]), low=-1000, high=20_000, unit="m"),
        "satellites": Sample(int(fields[6])),
        "fix": Sample(_FIXES[fields[5]]),
    }


_READERS: Final = {"RMC": _read_rmc, "GGA": _read_gga}


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise SentenceError(f"no number: {text!r}")
    return float(text)


def _angle(text: str, side: str, sides: str, most: int) -> Sample:
    """Degrees of `ddmm.mmmm` and a letter."""
    found = _ANGLE.fullmatch(text)
    if not found or len(side) != 1 or side not in sides or float(found[2]) >= 60:
        raise SentenceError(f"no angle: {text!r} {side!r}")
    degrees = int(found[1]) + float(found[2]) / 60
    if degrees > most:
        raise SentenceError(f"no angle: {text!r} {side!r}")
    return Sample(round(degrees if side == sides[0] else -degrees, 6))


class NmeaGps(Sensor):
    """One receiver."""

    def __init__(self, wiring: Wiring) -> None:
        """Prepare; the port is not opened yet.

        Raises:
            DriverError: an option is wrong, or there is neither a link nor a port.
        """
        name = wiring.device.id
        self._options = options = read(Options, wiring.options, owner=name)
        if wiring.link is not None and not isinstance(wiring.link, SerialLink):
            raise DriverError(f"{name}: its link is no serial line")
        if wiring.link is None and options.port is None:
            raise DriverError(f"{name}: write its link, or option 'port' for one of its own")
        self._owns_link = wiring.link is None
        self._link: SerialLink = wiring.link or SerialLink(options.port or "", baud=options.baud)
        self._channels = Channels(wiring.device, UNITS)
        self._forget: Callable[[], None] | None = None
        self._noise = 0

    @property
    def period_s(self) -> float | None:
        return 3 * self._options.period_s + 2.0

    def start(self, post: Post, clock: Clock) -> None:
        self._channels.open(post, clock)
        self._forget = self._link.subscribe(self._hear, self._channels.lose)

    def close(self) -> None:
        self._channels.close()
        if self._forget is not None:
            self._forget()
        if self._owns_link:
            self._link.close()

    def _hear(self, line: bytes) -> None:
        try:
            samples = decode(line)
        except SentenceError as exc:
            self._noise += 1
            if self._noise == PATIENCE:
                self._channels.lose(f"nothing but noise ({exc}): is the baud rate right?")
            return
        except NoFix:
            self._channels.lose("no fix yet: give it a view of the sky")
            samples = {}
        self._noise = 0
        if samples:
            self._channels.tell(samples)
