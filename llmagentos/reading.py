"""What a sensor saw, and how far it can be trusted; what a device is like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from llmagentos.cause import Cause
from llmagentos.clock import Instant
from llmagentos.kind import Scalar


class Quality(StrEnum):
    """How far a value can be trusted."""

    GOOD = "good"
    STALE = "stale"
    """Older than its sensor's own period allows."""
    SUSPECT = "suspect"
    """Arrived, but out of range or contradicted."""
    UNAVAILABLE = "unavailable"
    """There is no value; the reason says why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value from one sensor."""

    device: str
    """Id of the device it belongs to."""

    quantity: str
    """Home Assistant's device_class (temperature, humidity, illuminance, moisture, motion, power),
    or `state` for an edge of a binary sensor or button."""

    value: Scalar
    """A number in `unit`, or on/off of a binary sensor; None when the quality is unavailable."""

    unit: str
    """Home Assistant's unit; empty for none."""

    at: Instant
    """When it was taken."""

    quality: Quality = Quality.GOOD

    reason: str = ""
    """Why it is not good, in words for a person; empty when good."""

    cause: Cause | None = None
    """Given to it on entry to the tick."""


@dataclass(frozen=True, slots=True)
class State:
    """What a device is like now, as far as the box knows."""

    device: str
    """Id of the device."""

    values: Mapping[str, Scalar] = field(default_factory=dict)
    """Flat properties in Home Assistant's words: `state` and, by kind, brightness, color, kelvin,
    speed, position, target_temperature, current_temperature, or the quantities of a sensor."""

    at: Instant | None = None
    """When it was last seen or set; None when never."""

    quality: Quality = Quality.GOOD

    reason: str = ""
    """Why it is not good, in words for a person."""

    cause: Cause | None = None
    """What made it so; None for a state found at start."""

    @property
    def is_available(self) -> bool:
        """Whether there is any value to speak of."""
        return self.quality is not Quality.UNAVAILABLE
