"""The quantities of a sensor on their way to the inbox."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hal.contract import Post
from llmagentos.clock import Clock
from llmagentos.home import Device
from llmagentos.kind import Scalar
from llmagentos.reading import Quality, Reading


@dataclass(frozen=True, slots=True)
class Sample:
    """What one look at a part gave, before it has a device and a time."""

    value: Scalar
    """In the quantity's unit; None when unavailable."""

    quality: Quality = Quality.GOOD

    reason: str = ""
    """Why it is not good; empty when good."""


def unavailable(reason: str) -> Sample:
    """A look that gave no value."""
    return Sample(None, Quality.UNAVAILABLE, reason)


def judged(value: float, *, low: float, high: float, unit: str) -> Sample:
    """A number as a sample: suspect beyond what its part can tell, no value when it is no number.

    Args:
        value: in the unit.
        low: lowest value that the datasheet knows.
        high: highest one.
        unit: for the reason.
    """
    if not math.isfinite(value):
        return unavailable("the part gave no number")
    if low <= value <= high:
        return Sample(value)
    return Sample(value, Quality.SUSPECT, f"{value:g} {unit} is beyond what the part can tell")


class Channel:
    """Makes readings of samples. Says once that nothing comes, not at every try."""

    def __init__(self, device: Device, quantity: str, *, unit: str = "") -> None:
        self._device = device.id
        self._quantity = quantity
        self._unit = unit
        self._post: Post | None = None
        self._clock: Clock | None = None
        self._last_reason = ""

    def open(self, post: Post, clock: Clock) -> None:
        """Readings go to `post` from now on."""
        self._post, self._clock = post, clock

    def close(self) -> None:
        """Nothing is posted any more."""
        self._post = None

    def tell(self, sample: Sample) -> None:
        """Post a sample; may be called from any thread. NaN and infinity are no values."""
        if isinstance(sample.value, float) and not math.isfinite(sample.value):
            sample = unavailable("the part gave no number")
        is_missing = sample.quality is Quality.UNAVAILABLE
        is_known = is_missing and sample.reason == self._last_reason
        self._last_reason = sample.reason if is_missing else ""
        post, clock = self._post, self._clock
        if is_known or post is None or clock is None:
            return
        post(
            Reading(
                device=self._device,
                quantity=self._quantity,
                value=sample.value,
                unit=self._unit,
                at=clock(),
                quality=sample.quality,
                reason=sample.reason,
            )
        )


class Channels:
    """All quantities of one part, told together; the device's main one last, so that its quality
    is what the device shows."""

    def __init__(self, device: Device, units: Mapping[str, str], *, patience: int = 1) -> None:
        """Prepare a channel for each quantity.

        Args:
            device: whose `device_class` names the main quantity.
            units: quantity -> unit, all that the part can give.
            patience: looks in a row that must fail before the values are given up.
        """
        main = device.device_class
        ordered = sorted(units, key=lambda quantity: quantity == main)
        self._channels = {name: Channel(device, name, unit=units[name]) for name in ordered}
        self._patience = patience
        self._failures = 0

    def open(self, post: Post, clock: Clock) -> None:
        """Readings go to `post` from now on."""
        for channel in self._channels.values():
            channel.open(post, clock)

    def close(self) -> None:
        """Nothing is posted any more."""
        for channel in self._channels.values():
            channel.close()

    def tell(self, samples: Mapping[str, Sample]) -> None:
        """Post what one look gave; quantities that it does not name are not spoken of."""
        self._failures = 0
        for quantity, channel in self._channels.items():
            if quantity in samples:
                channel.tell(samples[quantity])

    def lose(self, reason: str) -> None:
        """A look gave nothing: say so once patience is over."""
        self._failures += 1
        if self._failures >= self._patience:
            for channel in self._channels.values():
                channel.tell(unavailable(reason))
