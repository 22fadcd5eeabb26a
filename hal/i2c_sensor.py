"""What all sensors on an I2C bus have in common: an address, a period, looks that may fail."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Final

from hal.channel import Channels, Sample
from hal.contract import DriverError, Post, Sensor, Wiring
from hal.link.i2c import I2cBus
from llmagentos.clock import Clock

PATIENCE: Final = 2
"""Looks in a row that must fail before the value is given up: one bad checksum is no news."""

SLACK_S: Final = 2.0
"""For the looks at the other parts of the bus and for one that is tried again."""


def bus_of(wiring: Wiring) -> I2cBus:
    """The bus that a device names as its link.

    Raises:
        DriverError: it names none, or something else.
    """
    if wiring.link is None:
        raise DriverError(f'{wiring.device.id}: write its link, a [[link]] with driver = "i2c"')
    if not isinstance(wiring.link, I2cBus):
        raise DriverError(f"{wiring.device.id}: its link is no I2C bus")
    return wiring.link


class I2cSensor(Sensor):
    """A part on an I2C bus that is looked at every period."""

    def __init__(
        self,
        wiring: Wiring,
        *,
        chip: str,
        address: int,
        units: Mapping[str, str],
        look_every_s: float,
        channel: int | None = None,
    ) -> None:
        """Take the address; the bus is not touched yet.

        Args:
            wiring: of the device.
            chip: part number.
            address: 7 bits.
            units: quantity -> unit.
            look_every_s: pause between two looks.
            channel: of a chip that several devices share.

        Raises:
            DriverError: its link is no I2C bus, or the address is taken.
        """
        self.part = bus_of(wiring).claim(
            address, owner=wiring.device.id, chip=chip, channel=channel
        )
        self._look_every_s = look_every_s
        self._channels = Channels(wiring.device, units, patience=PATIENCE)

    @abstractmethod
    def look(self) -> Mapping[str, Sample]:
        """One look at the part: quantity -> sample. Called from the thread of the bus.

        Raises:
            Unplugged: it gives no answer, or one that cannot be right.
        """

    def lose(self) -> None:
        """Forget what was learned of the part: another one may stand there next time."""

    @property
    def period_s(self) -> float | None:
        return PATIENCE * self._look_every_s + SLACK_S

    def start(self, post: Post, clock: Clock) -> None:
        self._channels.open(post, clock)
        self.part.watch(self._look, self._lose, period_s=self._look_every_s)

    def close(self) -> None:
        self._channels.close()
        self.part.close()

    def _look(self) -> None:
        self._channels.tell(self.look())

    def _lose(self, reason: str) -> None:
        self.lose()
        self._channels.lose(reason)
