"""The closed set of actions that make sense now: what a chooser may choose from."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agentd.understand.words import Words
from llmagentos.home import Device
from llmagentos.kind import Scalar, is_active
from llmagentos.plan import Action
from llmagentos.utterance import Observation

LONGEST_LABEL: Final = 40
"""Characters of a label: a name that somebody gave a device must not become a speech."""

_MOST: Final = 60
"""Actions that are offered at most: each costs the model time."""

_BY_STATE: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "light": (("turn_off",), ("turn_on",)),
    "switch": (("turn_off",), ("turn_on",)),
    "fan": (("turn_off",), ("turn_on",)),
    "siren": (("turn_off",), ("turn_on",)),
    "climate": (("turn_off",), ("turn_on",)),
    "cover": (("close",), ("open",)),
    "valve": (("close",), ("open",)),
    "lock": (("lock",), ("unlock",)),
    "button": (("press",), ("press",)),
}
"""kind -> (actions while it is on, open or unlocked; actions while it is not)"""

_MOVING: Final = frozenset({"opening", "closing"})


@dataclass(frozen=True, slots=True)
class LegalAction:
    """One action under the label that the model sees."""

    label: str
    action: Action


def legal_actions(
    observation: Observation, words: Words, *, area: str | None = None
) -> tuple[LegalAction, ...]:
    """What single devices can be told now, the speaker's area first.

    Unavailable devices are left out. Labels are unique, clean, and at most `LONGEST_LABEL` long.
    """
    devices = sorted(observation.home.devices, key=lambda d: (d.area != area, d.area or ""))
    choices = [choice for device in devices for choice in _of(device, observation, words)]
    return tuple(_unique(choices, observation, words))[:_MOST]


def clean(text: str, *, longest: int = LONGEST_LABEL) -> str:
    """A name or a sentence without control characters, on one line, cut to a length."""
    shown = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join(shown.split())[:longest].rstrip()


def _of(device: Device, observation: Observation, words: Words) -> Iterator[LegalAction]:
    state = observation.states.get(device.id)
    if device.kind not in _BY_STATE or (state and not state.is_available):
        return
    values: Mapping[str, Scalar] = state.values if state else {}
    names = _sensible(device.kind, values)
    for name in names:
        if device.can(name):
            label = clean(words.act(name, clean(device.name)))
            yield LegalAction(label, Action(device.id, name))


def _sensible(kind: str, values: Mapping[str, Scalar]) -> tuple[str, ...]:
    when_active, when_idle = _BY_STATE[kind]
    if kind in ("cover", "valve") and values.get("state") in _MOVING:
        return ("stop", *when_active, *when_idle)
    if "state" not in values:
        return tuple(dict.fromkeys((*when_active, *when_idle)))
    return when_active if is_active(kind, values) else when_idle


def _unique(
    choices: list[LegalAction], observation: Observation, words: Words
) -> Iterator[LegalAction]:  # fmt: skip
    """Namesakes are told apart by their area; those that still share a label are left out."""
    seen: dict[str, int] = {}
    for choice in choices:
        seen[choice.label] = seen.get(choice.label, 0) + 1
    taken = set[str]()
    for choice in choices:
        device = observation.home.by_id[choice.action.device]
        area = observation.home.area_by_id.get(device.area or "")
        label = choice.label
        if seen[label] > 1 and area:
            label = clean(words.act(choice.action.name, clean(f"{area.name} {device.name}")))
        if label not in taken and (seen[choice.label] == 1 or area):
            taken.add(label)
            yield LegalAction(label, choice.action)
