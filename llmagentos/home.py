"""The home as data: floors, areas and devices, as people name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from llmagentos.kind import ACTIONS
from llmagentos.plan import Action


@dataclass(frozen=True, slots=True)
class Floor:
    """A storey."""

    id: str
    """[a-z0-9_-], unique among floors."""

    name: str
    """As people say it."""

    aliases: tuple[str, ...] = ()
    """Other names people say."""


@dataclass(frozen=True, slots=True)
class Area:
    """A room or another place."""

    id: str
    """[a-z0-9_-], unique among areas."""

    name: str
    """As people say it."""

    aliases: tuple[str, ...] = ()
    """Other names people say."""

    floor: str | None = None
    """Id of its floor; None when it has none."""


@dataclass(frozen=True, slots=True)
class Device:
    """What everybody may know of a device; its wiring and limits live in the configuration."""

    id: str
    """Unique in the home, also its MQTT topic level."""

    name: str
    """As people say it. Two devices may share a name."""

    kind: str
    """A key of `llmagentos.kind.ACTIONS`."""

    aliases: tuple[str, ...] = ()
    """Other names people say."""

    area: str | None = None
    """Id of its area; None when it stands nowhere in particular."""

    device_class: str | None = None
    """Home Assistant's device class (temperature, motion, garage, outlet ...); None for none."""

    unit: str | None = None
    """Unit of its main quantity, as Home Assistant writes it (°C, %, lx)."""

    actions: frozenset[str] | None = None
    """The actions its driver can carry out; None means every action of its kind."""

    minimum: float | None = None
    """Lowest number it takes (a climate's target, a number's value); None for the kind's own."""

    maximum: float | None = None
    """Highest number it takes; None for the kind's own."""

    modes: tuple[str, ...] = ()
    """Modes of a climate; empty means off and heat."""

    is_risky: bool = False
    """True when a choice of the model on it needs a yes (locks, valves, covers, `confirm`)."""

    def can(self, action: str) -> bool:
        """Whether this device takes the action."""
        allowed = ACTIONS.get(self.kind, {})
        return action in allowed and (self.actions is None or action in self.actions)


@dataclass(frozen=True, slots=True)
class Scene:
    """Several actions under one name."""

    id: str
    """[a-z0-9_-], unique among scenes."""

    name: str
    """As people say it."""

    aliases: tuple[str, ...] = ()
    """Other names people say."""

    actions: tuple[Action, ...] = ()
    """What it does, in this order."""


@dataclass(frozen=True)
class Home:
    """Everything that has a name. A new one is made when the configuration changes."""

    devices: tuple[Device, ...] = ()
    areas: tuple[Area, ...] = ()
    floors: tuple[Floor, ...] = ()
    language: str = "en"
    """BCP 47 language of sentences and replies."""

    temperature_unit: str = "°C"
    """°C or °F: what a number of degrees means."""

    scenes: tuple[Scene, ...] = ()
    """What can be asked for by a name of its own."""

    @cached_property
    def by_id(self) -> Mapping[str, Device]:
        """The devices by their id."""
        return {device.id: device for device in self.devices}

    @cached_property
    def area_by_id(self) -> Mapping[str, Area]:
        """The areas by their id."""
        return {area.id: area for area in self.areas}
