"""The Raspberry Pi's own health: temperature of its processor, throttling, under-voltage.

Part: the board itself; the temperature is there on every Linux board.
Quantity: temperature, °C, 0 to 110, ±2; throttled and undervoltage, on or off (Raspberry Pi only).
    Fastest period: 1 s. As a binary_sensor it is the under-voltage alone.
Wiring: none. Under-voltage means that the supply or its cable is too weak: 5.1 V, 3 A for a Pi 4,
    5 A for a Pi 5.
Source: Linux, Documentation/driver-api/thermal/sysfs-api.rst; drivers/hwmon/raspberrypi-hwmon.c
    (`in0_lcrit_alarm` of `rpi_volt`); Raspberry Pi documentation, "vcgencmd get_throttled" (bits).
Quirks: `get_throttled` is in Raspberry Pi's own kernels, `rpi_volt` in upstream's, too; which of
    them is there is used, and what nobody tells is not told. The alarm of `rpi_volt` looks at once
    in two seconds. A processor throttles itself from 80 °C on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from hal.channel import Channels, Sample, judged
from hal.contract import Post, Sensor, Unplugged, Wiring
from hal.link.rounds import Rounds
from hal.option import Range, read
from llmagentos.clock import Clock

SYS: Final = "/sys"
FILE_BYTES: Final = 64
"""More than any of these files has."""

SLACK_S: Final = 2.0

_TEMPERATURE: Final = "class/thermal/thermal_zone0/temp"
_THROTTLED: Final = "devices/platform/soc/soc:firmware/get_throttled"
_UNDERVOLTAGE_NOW, _CAPPED_NOW, _THROTTLED_NOW, _SOFT_LIMIT_NOW = 0x1, 0x2, 0x4, 0x8

_UNITS: Final = {"throttled": "", "undervoltage": "", "temperature": "°C"}


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of the board's health."""

    path: str = SYS
    """Where the kernel shows its files."""

    period_s: Annotated[float, Range(1, 3600, "s")] = 10.0
    """Pause between two looks."""


def read_celsius(raw: bytes) -> Sample:
    """The temperature, which the kernel tells in thousandths of a degree.

    Raises:
        Unplugged: this is no such file.
    """
    return judged(_whole(raw, 10) / 1000, low=0, high=110, unit="°C")


def read_flags(raw: bytes) -> dict[str, Sample]:
    """What the firmware's bits say of this moment.

    Raises:
        Unplugged: this is no such file.
    """
    bits = _whole(raw, 16)
    return {
        "undervoltage": _flag(bits & _UNDERVOLTAGE_NOW),
        "throttled": _flag(bits & (_CAPPED_NOW | _THROTTLED_NOW | _SOFT_LIMIT_NOW)),
    }


def _whole(raw: bytes, base: int) -> int:
    try:
        text = raw.decode("ascii")
        if "_" in text or not text.endswith("\n"):
            raise ValueError(text)
        return int(text, base)
    except ValueError as exc:
        raise Unplugged(f"the kernel says {raw[:20]!r}, which is no number") from exc


def _flag(bits: int) -> Sample:
    return Sample("on" if bits else "off")


class PiHealth(Sensor):
    """The board that this runs on."""

    def __init__(self, wiring: Wiring) -> None:
        """Prepare; nothing is read yet.

        Raises:
            DriverError: an option is wrong.
        """
        name = wiring.device.id
        self._options = read(Options, wiring.options, owner=name)
        self._root = Path(self._options.path)
        self._is_alarm = wiring.device.kind == "binary_sensor"
        units = {"state": ""} if self._is_alarm else _UNITS
        self._channels = Channels(wiring.device, units)
        self._rounds = Rounds(f"health {name}")
        self._forget: Callable[[], None] | None = None

    @property
    def period_s(self) -> float | None:
        return None if self._is_alarm else 2 * self._options.period_s + SLACK_S

    def start(self, post: Post, clock: Clock) -> None:
        self._channels.open(post, clock)
        self._forget = self._rounds.every(self._options.period_s, self._look, self._channels.lose)

    def close(self) -> None:
        self._channels.close()
        if self._forget is not None:
            self._forget()
        self._rounds.close(_nothing)

    def _look(self) -> None:
        power = self._power()
        if not self._is_alarm:
            celsius = read_celsius(_fetch(self._root / _TEMPERATURE))
            self._channels.tell({**power, "temperature": celsius})
        elif "undervoltage" in power:
            self._channels.tell({"state": power["undervoltage"]})
        else:
            raise Unplugged("this board does not tell of under-voltage: it is no Raspberry Pi")

    def _power(self) -> Mapping[str, Sample]:
        """What there is to know of throttling and under-voltage, from the firmware or the alarm."""
        if (firmware := self._root / _THROTTLED).exists():
            return read_flags(_fetch(firmware))
        for name in sorted(self._root.glob("class/hwmon/hwmon*/name")):
            if _fetch(name) == b"rpi_volt\n":
                alarm = name.with_name("in0_lcrit_alarm")
                return {"undervoltage": _flag(_whole(_fetch(alarm), 10))}
        return {}


def _fetch(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(FILE_BYTES)
    except OSError as exc:
        raise Unplugged(f"{file}: {exc.strerror or exc}") from exc


def _nothing() -> None:
    """Files are closed after each look."""
