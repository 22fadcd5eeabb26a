"""A Modbus RTU line that several stations share. Alone in knowing pymodbus.

Stations are asked in a thread of the line and obey in another (`hal.link.rounds`); one that does
not answer costs the others its time-out and nothing more.

Wiring: A to A and B to B along one pair of wires, 120 Ω at both ends, an RS-485 adapter at the box.
Source: Modbus application protocol V1.1b3, 6.1 to 6.5 and 7; Modbus over serial line V1.02, 2.5.
Quirks: registers count from 0 here, as on the wire: "40001" in a manual is holding register 0,
    "30001" input register 0. An answer does not say which register it is of, so a late one could
    pass for the next: after silence the line rests for one more time-out, and what came is thrown
    away.
"""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pymodbus import ModbusException
from pymodbus.client import ModbusSerialClient

from hal.contract import Unplugged
from hal.link.rounds import FIRST_PAUSE_S, Rounds
from hal.option import OneOf, Range

_PARITIES: Final = {"none": "N", "even": "E", "odd": "O"}

_REFUSALS: Final = {
    1: "it has no such function", 2: "it has no such register", 3: "it wants another value",
    4: "it failed at it", 6: "it is busy",
}  # fmt: skip
"""Exception codes of the protocol, 7."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[[link]]` of a Modbus RTU line."""

    port: str
    """Path of the adapter, best below /dev/serial/by-id."""

    baud: Annotated[int, Range(300, 1_000_000, "baud")] = 9600
    """Speed, the same for every station of the line."""

    parity: Annotated[str, OneOf(tuple(_PARITIES))] = "none"
    """The standard says even; most parts come with none."""

    stop_bits: Annotated[int, Range(1, 2)] = 1
    """1 or 2."""

    timeout_s: Annotated[float, Range(0.05, 5, "s")] = 0.5
    """Longest wait for an answer."""


class ModbusLine:
    """One line and the stations on it."""

    def __init__(
        self,
        port: str,
        *,
        baud: int = 9600,
        parity: str = "none",
        stop_bits: int = 1,
        timeout_s: float = 0.5,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """Nothing is opened before the first look.

        Args:
            port: path of the adapter.
            baud: speed of the line.
            parity: none, even or odd.
            stop_bits: 1 or 2.
            timeout_s: longest wait for an answer.
            first_pause_s: pause before a station that failed is asked again; doubles up to 4 s.
        """
        # What it would say is told by us, once and in words for a person.
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL + 1)
        self._path = port
        self._timeout_s = timeout_s
        self._closing = threading.Event()
        self._client: Any = ModbusSerialClient(
            port, baudrate=baud, parity=_PARITIES[parity], stopbits=stop_bits,
            timeout=timeout_s, retries=0, name=port,
        )  # fmt: skip
        self.rounds = Rounds(f"modbus {port}", first_pause_s=first_pause_s)

    def read_registers(self, table: str, address: int, *, count: int, station: int) -> list[int]:
        """Registers of 16 bits; only from within a look or an order.

        Args:
            table: `holding` or `input`.
            address: of the first one, counted from 0.
            count: how many.
            station: 1 to 247.

        Raises:
            Unplugged: the station or the adapter does not answer, or refuses; the text says which.
        """
        ask = getattr(self._client, f"read_{table}_registers")
        with self._mapped(station):
            found = self._check(ask(address, count=count, device_id=station), station).registers
            if len(found) != count:
                raise Unplugged(f"station {station} sent {len(found)} registers instead of {count}")
            return list(found)

    def read_bit(self, table: str, address: int, *, station: int) -> bool:
        """One coil or discrete input; as above.

        Args:
            table: `coil` or `discrete`.
            address: counted from 0.
            station: 1 to 247.
        """
        is_coil = table == "coil"
        ask = self._client.read_coils if is_coil else self._client.read_discrete_inputs
        with self._mapped(station):
            return bool(self._check(ask(address, count=1, device_id=station), station).bits[0])

    def write_coil(self, address: int, *, on: bool, station: int) -> None:
        """Set one coil; as above."""
        with self._mapped(station):
            self._check(self._client.write_coil(address, on, device_id=station), station)

    def close(self) -> None:
        """Let go of the port; waits up to 0.8 s. A question under way is left to its thread."""
        self._closing.set()
        self.rounds.close(self._client.close)

    def _check(self, response: Any, station: int) -> Any:
        if response.isError():
            why = _REFUSALS.get(response.exception_code, f"exception {response.exception_code}")
            raise Unplugged(f"station {station} refuses: {why}")
        return response

    @contextmanager
    def _mapped(self, station: int) -> Iterator[None]:
        """Turn what pymodbus and pyserial raise into Unplugged; the last two kinds are what
        pymodbus lets pass of answers whose checksum is right and whose content is not."""
        try:
            yield
        except Unplugged:
            self._client.close()
            raise
        except (ModbusException, OSError, struct.error, LookupError, ValueError) as exc:
            is_open = self._client.connected
            if is_open:
                self._closing.wait(self._timeout_s)
            self._client.close()
            if not Path(self._path).exists():
                raise Unplugged(f"{self._path}: nothing is plugged in there") from exc
            if not is_open:
                raise Unplugged(f"{self._path}: cannot be opened, or was pulled out") from exc
            reason = f"station {station} on {self._path} does not answer: address, baud, A and B?"
            raise Unplugged(reason) from exc
