"""A register or an input of a Modbus RTU station: meters, probes, inverters, any part with a table.

Part: whatever its manual gives a register table for; Eastron SDM120, PZEM-016, XY-MD02.
Quantity: what the device's `device_class` says, in its `unit`: the number in the register times
    `scale` plus `offset`. A binary_sensor is one bit. Fastest period: about 30 ms at 9,600 baud.
Wiring: see the line, `hal/link/modbus.py`.
Source: Modbus application protocol V1.1b3, 4.3 and 6; the part's own table.
Quirks: numbers of 32 bits take two registers, and half of all makers send the low one first: write
    `order = "low_first"`. Manuals that count from 1, or from 40001, are one too high.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from hal.channel import Channels, Sample, judged
from hal.contract import DriverError, Post, Sensor, Wiring
from hal.link.modbus import ModbusLine
from hal.option import OneOf, Range, read
from llmagentos.clock import Clock

PATIENCE: Final = 2
SLACK_S: Final = 2.0

LARGEST: Final = 1e12
"""Beyond any quantity in a house."""

_FORMATS: Final = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}
_TABLES: Final = {
    "sensor": ("holding", "input"),
    "binary_sensor": ("discrete", "coil"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a register."""

    register: Annotated[int, Range(0, 65535)]
    """Its address on the wire, counted from 0."""

    station: Annotated[int, Range(1, 247)] = 1
    """Address of the part on the line."""

    table: Annotated[str, OneOf(("holding", "input", "discrete", "coil"))] | None = None
    """Which table it stands in; None for holding, or discrete inputs for a binary_sensor."""

    type: Annotated[str, OneOf(tuple(_FORMATS))] = "uint16"
    """How the number is written."""

    order: Annotated[str, OneOf(("high_first", "low_first"))] = "high_first"
    """Which register of a 32-bit number comes first."""

    scale: float = 1.0
    """What one count is worth, in the unit."""

    offset: float = 0.0
    """Added after that."""

    minimum: float | None = None
    """Lowest value that can be true, in the unit; lower ones are suspect. None for no bound."""

    maximum: float | None = None
    """Highest value that can be true; as above."""

    period_s: Annotated[float, Range(0.1, 86_400, "s")] = 10.0
    """Pause between two looks."""

    @property
    def count(self) -> int:
        """How many registers the number takes."""
        return struct.calcsize(_FORMATS[self.type]) // 2


def decode(registers: Sequence[int], options: Options, *, unit: str = "") -> Sample:
    """The number that registers of 16 bits hold."""
    ordered = registers if options.order == "high_first" else list(reversed(registers))
    raw = b"".join(register.to_bytes(2) for register in ordered)
    (number,) = struct.unpack(_FORMATS[options.type], raw)
    value = number * options.scale + options.offset
    low = -LARGEST if options.minimum is None else options.minimum
    high = LARGEST if options.maximum is None else options.maximum
    is_whole = isinstance(number, int) and options.scale == 1 and options.offset == 0
    return judged(number if is_whole else round(value, 6), low=low, high=high, unit=unit)


class ModbusRegister(Sensor):
    """One register, or one bit, that is asked for every period."""

    def __init__(self, wiring: Wiring) -> None:
        """Prepare; the line is not opened yet.

        Raises:
            DriverError: an option is wrong, or its link is no Modbus line.
        """
        device = wiring.device
        self._options = options = read(Options, wiring.options, owner=device.id)
        self._line = line_of(wiring)
        allowed = _TABLES[device.kind]
        self._table = options.table or allowed[0]
        if self._table not in allowed:
            raise DriverError(f"{device.id}: a {device.kind} stands in {' or '.join(allowed)}")
        self._is_bit = device.kind == "binary_sensor"
        self._unit = "" if self._is_bit else device.unit or ""
        self._quantity = "state" if self._is_bit else device.device_class or "state"
        self._channels = Channels(device, {self._quantity: self._unit}, patience=PATIENCE)
        self._forget: Callable[[], None] | None = None

    @property
    def period_s(self) -> float | None:
        return None if self._is_bit else PATIENCE * self._options.period_s + SLACK_S

    def start(self, post: Post, clock: Clock) -> None:
        self._channels.open(post, clock)
        every = self._line.rounds.every
        self._forget = every(self._options.period_s, self._look, self._channels.lose)

    def close(self) -> None:
        self._channels.close()
        if self._forget is not None:
            self._forget()

    def _look(self) -> None:
        self._channels.tell({self._quantity: self._fetch()})

    def _fetch(self) -> Sample:
        options = self._options
        if self._is_bit:
            is_on = self._line.read_bit(self._table, options.register, station=options.station)
            return Sample("on" if is_on else "off")
        found = self._line.read_registers(
            self._table, options.register, count=options.count, station=options.station
        )
        return decode(found, options, unit=self._unit)


def line_of(wiring: Wiring) -> ModbusLine:
    """The line that a device names as its link.

    Raises:
        DriverError: it names none, or something else.
    """
    if not isinstance(wiring.link, ModbusLine):
        hint = 'write its link, a [[link]] with driver = "modbus"'
        raise DriverError(f"{wiring.device.id}: its link is no Modbus line; {hint}")
    return wiring.link
