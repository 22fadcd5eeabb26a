"""The contracts of the hardware layer: what senses, what acts, what controls others.

LlmagentosError
 └─ HalError                 base; its text says what, where and what to do
     ├─ DriverError          the device's options are wrong, or its driver is unknown
     ├─ Unsupported          the driver has no such action
     ├─ PinBusy              another program, or another device here, holds the pin
     ├─ PinUnknown           the board has no such pin
     └─ Unplugged            the part or its adapter is away (transient; it may come back)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmagentos.clock import Clock, Instant
from llmagentos.errors import LlmagentosError
from llmagentos.home import Device
from llmagentos.kind import Scalar
from llmagentos.plan import Action
from llmagentos.reading import Reading, State


class HalError(LlmagentosError):
    """A device or its wiring."""


class DriverError(HalError):
    """The device's options are wrong, or its driver is unknown."""


class Unsupported(HalError):
    """The driver has no such action; nothing was done."""


class PinBusy(HalError):
    """Another program, or another device of this home, holds the pin."""


class PinUnknown(HalError):
    """The board has no such pin."""


class Unplugged(HalError):
    """The part or its adapter is away; it may come back."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """All a driver gets to know: one `[[device]]` table, checked and typed."""

    device: Device
    """Id, kind and names."""

    pin: int | None = None
    """GPIO line number (BCM on a Raspberry Pi); None for parts that have none."""

    link: Any = None
    """The opened link that the device names (an object of a module in `hal.link`), or None."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """`[device.options]`, the driver's own; it refuses keys it does not know."""

    gpio: Any = None
    """The board's pins, a `gpiozero` pin factory; None where the home has no board."""


Post = Callable[[Reading], None]
"""Hands a reading to the inbox. Never blocks, may be called from any thread."""


class Sensor(ABC):
    """Something that sees. It posts readings on its own, from its link's thread."""

    @property
    @abstractmethod
    def period_s(self) -> float | None:
        """Longest time between two readings of a sound sensor, in seconds; an older one is stale.
        None for one that only tells of changes."""

    @abstractmethod
    def start(self, post: Post, clock: Clock) -> None:
        """Begin to post readings; returns at once. A failure is posted as a reading with quality
        unavailable and its reason, then tried again with a growing pause."""

    @abstractmethod
    def close(self) -> None:
        """Stop posting and let go of the hardware; waits up to 1 s."""


class Actuator(ABC):
    """Something that acts. Called from the tick alone, so nothing here may block."""

    @abstractmethod
    def apply(self, action: Action, now: Instant) -> None:
        """Begin to carry out one absolute action (never `toggle`), with its arguments in range.

        Raises:
            Unplugged: the part is away, nothing was done.
            Unsupported: its driver has no such action.
            HalError: it cannot do that; the text says why.
        """

    @abstractmethod
    def read_back(self, now: Instant) -> Mapping[str, Scalar]:
        """The state as the hardware itself tells it, in the words of `llmagentos.reading.State`:
        the level of the line, the position travelled so far, never what was merely asked.

        Raises:
            Unplugged: nothing can be read.
        """

    def advance(self, now: Instant) -> bool:  # noqa: ARG002
        """Move on what takes time (a cover's travel, a pulse's end). Raises nothing: what fails
        here is told by the next `read_back`.

        Returns:
            True while something is still under way, so the tick comes back soon.
        """
        return False

    @abstractmethod
    def close(self) -> None:
        """Let go of the hardware without changing a level, so that a restart flips no relay. A
        motor in travel is stopped first: nobody would be left to stop it at its end."""


class Controller(Actuator):
    """An actuator made of other devices (a thermostat): it acts by proposing, the gate disposes."""

    @abstractmethod
    def propose(self, states: Mapping[str, State], now: Instant) -> tuple[Action, ...]:
        """What it wants of other devices now; empty when all is as it should be. Called at each
        tick with every device's state, so it must be cheap and must not repeat itself."""
