"""What all sensors have in common that send frames of a fixed length down a serial line."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Final

from hal.channel import Channels, Sample
from hal.contract import Post, Sensor, Wiring
from hal.link.frame import Frames, Shape
from hal.link.serial import Ask, SerialLink
from llmagentos.clock import Clock

SLACK_S: Final = 2.0
"""For a frame that is lost to noise, and for the link's own waits."""


class FrameSensor(Sensor):
    """A part that has a serial port for itself."""

    def __init__(
        self,
        wiring: Wiring,
        *,
        port: str,
        baud: int,
        shape: Shape,
        units: Mapping[str, str],
        ask: Ask | None = None,
    ) -> None:
        """Prepare; the port is not opened yet.

        Args:
            wiring: of the device.
            port: path of the adapter.
            baud: speed of the line.
            shape: of the part's frames.
            units: quantity -> unit.
            ask: for a part that speaks only when it is asked.
        """
        self.shape = shape
        self._link = SerialLink(port, baud=baud, cutter=lambda: Frames(shape), ask=ask)
        self._period_s = shape.silence_s + (ask.every_s if ask else 0.0) + SLACK_S
        self._channels = Channels(wiring.device, units)
        self._forget: Callable[[], None] | None = None

    @abstractmethod
    def decode(self, frame: bytes) -> Mapping[str, Sample]:
        """The samples of a sound frame: quantity -> sample; empty when it has none to tell."""

    @property
    def period_s(self) -> float | None:
        return self._period_s

    def start(self, post: Post, clock: Clock) -> None:
        self._channels.open(post, clock)
        self._forget = self._link.subscribe(self._see, self._channels.lose)

    def close(self) -> None:
        self._channels.close()
        if self._forget is not None:
            self._forget()
        self._link.close()

    def _see(self, frame: bytes) -> None:
        self._channels.tell(self.decode(frame))
