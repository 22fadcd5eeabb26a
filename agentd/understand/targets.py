"""The devices that a target means, narrowed the way Home Assistant narrows them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from agentd.understand.intent import Target
from llmagentos.home import Device, Home

READ_ONLY = frozenset({"sensor", "binary_sensor"})
"""Kinds that cannot be told anything."""


class Ambiguous(Exception):
    """Several devices carry the name that was said."""

    def __init__(self, devices: tuple[Device, ...]) -> None:
        super().__init__("several devices of that name")
        self.devices = devices


def find_devices(
    target: Target, home: Home, *, kinds: Collection[str] = (), area: str | None = None
) -> tuple[Device, ...]:
    """The devices of a home that a target means.

    Args:
        target: what was said.
        home: where to look.
        kinds: kinds that the intent can be about; empty for any.
        area: id of the speaker's area, which decides between namesakes.

    Raises:
        Ambiguous: a name is shared and nothing tells which one is meant.
    """
    found = tuple(device for device in home.devices if _fits(device, target, home, kinds))
    if not target.devices or target.is_group or len(found) < 2:
        return found
    near = tuple(device for device in found if area and device.area == area)
    if len(near) != 1:
        raise Ambiguous(near or found)
    return near


def _fits(device: Device, target: Target, home: Home, kinds: Collection[str]) -> bool:
    return (
        (not target.devices or device.id in target.devices)
        and (target.area is None or device.area == target.area)
        and (target.floor is None or _floor(device, home) == target.floor)
        and (target.kind is None or device.kind == target.kind)
        and (not target.classes or device.device_class in target.classes)
        and (not kinds or device.kind in kinds)
    )


def _floor(device: Device, home: Home) -> str | None:
    area = home.area_by_id.get(device.area or "")
    return area.floor if area else None


def names(devices: Iterable[Device]) -> list[str]:
    """Their names, in alphabetical order."""
    return sorted(device.name for device in devices)
