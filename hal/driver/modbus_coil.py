"""A coil of a Modbus RTU station: relay boards with an RS-485 port, contactors, motor starters.

Part: whatever has coils; Waveshare Modbus RTU Relay, R4D8B08, Eletechsup N4D.
Quantity: on/off. Fastest period: about 30 ms at 9,600 baud; the relay itself 10 ms.
Wiring: see the line, `hal/link/modbus.py`.
Source: Modbus application protocol V1.1b3, 6.1 (read coils) and 6.5 (write single coil).
Quirks: what counts is the coil as the station reads it back, which on most boards is the relay's
    driver and not its contact. Some boards let go of everything when nobody asks for a while: keep
    `period_s` below that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from hal.contract import Unsupported, Wiring
from hal.driver.modbus_register import line_of
from hal.option import Range, read
from hal.slow_output import SlowOutput
from llmagentos.kind import Scalar
from llmagentos.plan import Action


@dataclass(frozen=True, slots=True)
class Options:
    """`[device.options]` of a coil."""

    coil: Annotated[int, Range(0, 65535)]
    """Its address on the wire, counted from 0."""

    station: Annotated[int, Range(1, 247)] = 1
    """Address of the part on the line."""

    period_s: Annotated[float, Range(0.1, 3600, "s")] = 2.0
    """Pause between two looks at what the coil is."""


class ModbusCoil(SlowOutput[bool]):
    """One coil that is set, and read to know whether it is."""

    def __init__(self, wiring: Wiring) -> None:
        """Begin to read the coil; nothing is written.

        Raises:
            DriverError: an option is wrong, or its link is no Modbus line.
        """
        self._options = read(Options, wiring.options, owner=wiring.device.id)
        self._line = line_of(wiring)
        super().__init__(wiring.device.id, self._line.rounds, period_s=self._options.period_s)

    def goal(self, action: Action) -> bool:
        if action.name not in ("turn_on", "turn_off"):
            raise Unsupported(f"{self._name} is a Modbus coil: it cannot {action.name}")
        return action.name == "turn_on"

    def write(self, goal: bool) -> None:
        self._line.write_coil(self._options.coil, on=goal, station=self._options.station)

    def fetch(self) -> Mapping[str, Scalar]:
        options = self._options
        is_on = self._line.read_bit("coil", options.coil, station=options.station)
        return {"state": "on" if is_on else "off"}
