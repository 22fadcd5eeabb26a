"""What is plugged into this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hal.link.chip import Chip
from hal.link.onewire import list_parts

FAMILIES: Final = {
    "10": "DS18S20 thermometer",
    "22": "DS1822 thermometer",
    "28": "DS18B20 thermometer",
    "3b": "DS1825 thermometer",
}
"""First byte of a 1-wire id -> what it is."""


@dataclass(frozen=True, slots=True)
class SerialAdapter:
    """A serial port."""

    port: str
    """What to write as `port`: its path below /dev/serial/by-id where it has one."""

    description: str
    """What its maker calls it."""


@dataclass(frozen=True, slots=True)
class I2cBus:
    """An I2C bus."""

    path: str
    """Such as /dev/i2c-1."""

    name: str
    """The kernel driver's name for it; empty when it says none."""


@dataclass(frozen=True, slots=True)
class OneWirePart:
    """A part on the 1-wire bus."""

    id: str
    """What to write as `part`."""

    description: str
    """What its family is; empty when unknown."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was found."""

    serial: tuple[SerialAdapter, ...] = ()
    i2c: tuple[I2cBus, ...] = ()
    onewire: tuple[OneWirePart, ...] = ()
    gpio: tuple[Chip, ...] = ()


def scan(root: Path = Path("/")) -> Found:
    """Look at everything; blocks some milliseconds.

    Args:
        root: where /dev and /sys are, for tests.
    """
    return Found(
        serial=find_serial(root / "dev"),
        i2c=find_i2c(root),
        onewire=find_onewire(root / "sys/bus/w1/devices"),
        gpio=find_gpio(root / "dev"),
    )


def find_serial(dev: Path) -> tuple[SerialAdapter, ...]:
    """The serial ports, by the name that stays when they are plugged elsewhere."""
    from hal.link.serial import list_found

    by_id = {str(link.resolve()): str(link) for link in sorted(dev.glob("serial/by-id/*"))}
    told = {port.path: port.description for port in list_found()}
    return tuple(
        SerialAdapter(by_id.get(path, path), told.get(path) or _spoken(by_id[path]))
        for path in sorted({*by_id, *told})
    )


def find_i2c(root: Path) -> tuple[I2cBus, ...]:
    """The I2C buses."""
    return tuple(
        I2cBus(str(node), _read(root / "sys/class/i2c-dev" / node.name / "name"))
        for node in sorted((root / "dev").glob("i2c-*"))
    )


def find_onewire(path: Path) -> tuple[OneWirePart, ...]:
    """The parts on the 1-wire bus."""
    return tuple(OneWirePart(each, FAMILIES.get(each[:2], "")) for each in list_parts(path))


def find_gpio(dev: Path) -> tuple[Chip, ...]:
    """The GPIO chips that this user may open."""
    paths = [str(node) for node in sorted(dev.glob("gpiochip*"))]
    if not paths:
        return ()
    from hal.link.gpiod import list_chips

    return list_chips(paths)


def _spoken(by_id: str) -> str:
    """`usb-Arduino_Uno_1234-if00` as a person reads it."""
    name = Path(by_id).name.removeprefix("usb-")
    return name.rpartition("-if")[0].replace("_", " ") or name


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
