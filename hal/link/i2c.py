"""An I2C bus that several parts share. Alone in knowing smbus2.

Parts are looked at in a thread of the bus and obey in another (`hal.link.rounds`), so a part that
holds the clock down, or a bus that is shorted, delays neither the tick nor each other's closing.

Wiring: SDA and SCL are GPIO2 and GPIO3 on a Raspberry Pi (`dtparam=i2c_arm=on`), pins 3 and 5 on a
    Jetson; pull-ups to 3.3 V stand on the board and on most modules. `i2cdetect -y 1` shows who
    answers. At most about 0.5 m of wire.
Source: NXP UM10204 rev 7; Linux, Documentation/i2c/fault-codes.rst and dev-interface.rst.
Quirks: two parts on one address answer both at once and give nonsense, so an address belongs to
    one device, or to the channels of one chip. A Pi 3 or 4 mishears parts that stretch the clock.
"""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final

from smbus2 import SMBus, i2c_msg

from hal.contract import DriverError, Unplugged
from hal.link.rounds import FIRST_PAUSE_S, Rounds
from hal.option import Range

LOWEST: Final = 0x08
HIGHEST: Final = 0x77
"""Addresses of parts; UM10204 table 3 keeps the rest for itself."""

TIMEOUT_10MS: Final = 25
"""How long the kernel waits for a transfer, in its unit of 10 ms: a quarter of a second."""

_I2C_TIMEOUT: Final = 0x0702
"""The request's number in linux/i2c-dev.h."""

_NO_ANSWER: Final = (errno.EREMOTEIO, errno.ENXIO)
"""What drivers of buses say when a part does not acknowledge its address."""

OpenBus = Callable[[str], Any]
"""Opens a bus by its path, as `smbus2.SMBus` does."""


@dataclass(frozen=True, slots=True)
class Options:
    """`[[link]]` of an I2C bus."""

    bus: Annotated[int, Range(0, 255)] = 1
    """Number of the bus: 1 is the header's on a Raspberry Pi, 7 or 1 on a Jetson Orin."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who has which part of an address."""

    address: int
    chip: str
    channel: int | None
    setting: str
    owner: str

    def rejects(self, other: _Claim) -> str:
        """Why `other` cannot stand beside this one; empty when it can."""
        if self.address != other.address:
            return ""
        place = f"address {self.address:#04x}"
        if self.chip != other.chip or self.channel is None or other.channel is None:
            return f"{place} belongs to the {self.chip} of {self.owner!r}"
        if self.channel == other.channel:
            return f"{place}, channel {self.channel} belongs to {self.owner!r}"
        if self.setting != other.setting:
            return f"{place}: {self.owner!r} has set the chip to {self.setting}"
        return ""


class I2cBus:
    """One bus and the parts on it."""

    def __init__(
        self,
        bus: int = 1,
        *,
        open_bus: OpenBus | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """Nothing is opened before the first look.

        Args:
            bus: its number.
            open_bus: what opens it; tests give their own.
            first_pause_s: pause before a part that failed is tried again; doubles up to 4 s.
        """
        self.path = f"/dev/i2c-{bus}"
        self._open_bus = open_bus or _open
        self._rounds = Rounds(f"i2c-{bus}", first_pause_s=first_pause_s)
        self._claims: list[_Claim] = []
        self._bus: Any = None

    def claim(
        self,
        address: int,
        *,
        owner: str,
        chip: str,
        channel: int | None = None,
        setting: str = "",
    ) -> I2cPart:
        """Take an address, or one channel of the chip on it, for one device.

        Args:
            address: 7 bits.
            owner: id of the device.
            chip: its part number; another chip cannot have the same address.
            channel: for chips that several devices share; None takes the whole address.
            setting: what holds for the whole chip and must be the same for all its devices.

        Raises:
            DriverError: another device of this home has it.
        """
        wanted = _Claim(address, chip, channel, setting, owner)
        for claim in self._claims:
            if why := claim.rejects(wanted):
                raise DriverError(f"{owner}: {why} ({self.path})")
        self._claims.append(wanted)
        return I2cPart(self, address, lambda: self._claims.remove(wanted))

    def close(self) -> None:
        """Let go of the bus; waits up to 0.8 s. One that hangs is left to its thread."""
        self._rounds.close(self._drop)

    def transfer(self, *messages: i2c_msg) -> None:
        """Send and receive in one go, with repeated starts; for the threads of the bus alone.

        Raises:
            Unplugged: the part, or the bus itself, does not answer; the text says which.
        """
        try:
            if self._bus is None:
                self._bus = self._open_bus(self.path)
            self._bus.i2c_rdwr(*messages)
        except OSError as exc:
            if exc.errno not in _NO_ANSWER:
                self._drop()
            raise Unplugged(self._reason(exc, messages[0].addr)) from exc

    @property
    def rounds(self) -> Rounds:
        """What is done on this bus."""
        return self._rounds

    def _drop(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            with suppress(OSError):
                bus.close()

    def _reason(self, error: OSError, address: int) -> str:
        match error.errno:
            case errno.ENXIO | errno.EREMOTEIO:
                return f"nothing answers at {address:#04x} on {self.path}: check wires and address"
            case errno.ETIMEDOUT | errno.EAGAIN | errno.EBUSY:
                return f"{self.path} hangs: a part or a short holds SDA or SCL down"
            case errno.ENOENT | errno.ENODEV:
                return f"this machine has no {self.path}: switch I2C on (dtparam=i2c_arm=on)"
            case errno.EACCES | errno.EPERM:
                return f"{self.path} may not be opened: add this user to the group i2c"
            case _:
                return f"{self.path}: {error.strerror or error}"


class I2cPart:
    """One part, or one channel of a shared one, on a bus."""

    def __init__(self, bus: I2cBus, address: int, release: Callable[[], None]) -> None:
        self._bus = bus
        self._address = address
        self._release = release
        self._forget: Callable[[], None] | None = None

    def watch(
        self, look: Callable[[], None], on_lost: Callable[[str], None], *, period_s: float
    ) -> None:
        """Have `look` called from the thread of the bus, now and then every period."""
        self._forget = self._bus.rounds.every(period_s, look, on_lost)

    def order(self, carry_out: Callable[[], None], on_lost: Callable[[str], None]) -> None:
        """Have something done from the other thread of the bus, soon; never waits.

        Raises:
            Unplugged: the bus hangs.
        """
        self._bus.rounds.order(carry_out, on_lost)

    def write(self, data: bytes | Sequence[int]) -> None:
        """Send bytes; only from within a look or an order.

        Raises:
            Unplugged: no answer.
        """
        self._bus.transfer(i2c_msg.write(self._address, bytes(data)))

    def read(self, count: int) -> bytes:
        """Receive bytes; as above."""
        into = i2c_msg.read(self._address, count)
        self._bus.transfer(into)
        return bytes(into)

    def ask(self, data: bytes | Sequence[int], *, count: int) -> bytes:
        """Send, then receive with a repeated start, as a register is read; as above."""
        into = i2c_msg.read(self._address, count)
        self._bus.transfer(i2c_msg.write(self._address, bytes(data)), into)
        return bytes(into)

    def close(self) -> None:
        """Be looked at no more and let others have the address."""
        if self._forget is not None:
            self._forget()
            self._forget = None
        self._release()
        self._release = _nothing


def _nothing() -> None:
    """What is left to release after the first time."""


def _open(path: str) -> Any:
    bus = SMBus(path)
    with suppress(OSError):  # not every adapter lets its time-out be set; its own then holds
        assert bus.fd is not None
        fcntl.ioctl(bus.fd, _I2C_TIMEOUT, TIMEOUT_10MS)
    return bus
