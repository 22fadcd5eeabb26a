"""What a recogniser hears in a sentence, before it is matched with the state of the home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """Which devices are meant. What is given must all hold; nothing given means none is named."""

    devices: tuple[str, ...] = ()
    """Ids of the devices that carry the name that was said; several when a name is shared."""

    area: str | None = None
    """Id of an area."""

    floor: str | None = None
    """Id of a floor."""

    kind: str | None = None
    """A device kind."""

    classes: tuple[str, ...] = ()
    """Device classes, any of them."""

    is_group: bool = False
    """True when all of `devices` are meant, not one among namesakes."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said about what is meant."""
        return not (self.devices or self.area or self.floor or self.kind or self.classes)


@dataclass(frozen=True, slots=True)
class Intent:
    """One intent with its slots, in Home Assistant's words."""

    name: str
    """HassTurnOn, HassLightSet, HassGetState ..."""

    target: Target = field(default_factory=Target)

    slots: Mapping[str, object] = field(default_factory=dict)
    """The other slots: brightness, position, state, hours ..."""

    response: str | None = None
    """Home Assistant's key of the reply: one, one_yesno, any, all, which, how_many ..."""

    kinds: frozenset[str] = frozenset()
    """Kinds that the sentence can be about; empty for any."""
