"""One quantity of one sensor on its way to the inbox."""

from __future__ import annotations

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
        """Post a sample; may be called from any thread."""
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
