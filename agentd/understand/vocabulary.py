"""The sentences that a speech recogniser should listen for in this home.

A speech recogniser that knows its sentences hears far better than one with a free vocabulary.
Every sentence here is one that the recognisers understand; numbers are written as words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agentd.understand.spell import speller
from agentd.understand.words import Words, load_words, tokens
from llmagentos.home import Area, Device, Home

_MOST: Final = 6000
"""Sentences at most: the recogniser builds its graph from them at every change."""

_MOST_NAMES: Final = 4
"""Names of one device, its aliases counted, that are listened for."""

_LEVELS: Final = range(5, 101, 5)
_MINUTES: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 45, 50, 60, 90)
_COMFORT: Final = range(10, 31)
"""Degrees that are listened for, in °C; where the home counts in °F, 50 to 86."""

_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "light": ("on_off",),
    "switch": ("on_off", "runs"),
    "fan": ("on_off", "runs"),
    "siren": ("on_off",),
    "climate": ("on_off", "degrees"),
    "cover": ("open_close",),
    "valve": ("open_close",),
    "lock": ("lock",),
    "button": ("press",),
    "sensor": ("sensor",),
    "number": ("sensor",),
    "binary_sensor": ("binary",),
}
"""kind -> groups of sentences; those that need an action of its own stand in `_BY_ACTION`."""

_BY_ACTION: Final[Mapping[str, tuple[str, ...]]] = {
    "set_brightness": ("level", "dim"),
    "set_speed": ("level",),
    "set_position": ("level",),
    "set_color": ("color",),
}

_LATER: Final[Mapping[str, tuple[str, ...]]] = {
    "light": ("later_on_off",),
    "switch": ("later_on_off",),
    "fan": ("later_on_off",),
    "climate": ("later_on_off",),
    "cover": ("later_open_close",),
    "valve": ("later_open_close",),
}
"""kind -> groups of sentences about another time; they come last, as what is least worth."""

_BY_CLASS: Final[Mapping[str, str]] = {
    "light": "area_light",
    "climate": "area_climate",
    "sensor.temperature": "area_sensor",
    "cover.blind": "area_cover",
}
"""What an area holds -> the group of sentences about the area."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a home can be told and asked, for a speech recogniser."""

    sentences: tuple[str, ...]
    """Lower case, without punctuation or digits; the short ones that matter most first."""

    words: tuple[str, ...]
    """All words in them, sorted."""

    version: str
    """12 hex digits that change when the sentences do."""


def build_vocabulary(home: Home) -> Vocabulary:
    """The sentences for one home; takes some 10 ms for 12 devices."""
    words = load_words(home.language)
    spell = speller(words.language)
    made = dict.fromkeys(_all_sentences(home, words, spell))
    sentences = tuple(made)[:_MOST]
    known = sorted({word for sentence in sentences for word in sentence.split()})
    version = hashlib.sha256("\n".join(sentences).encode()).hexdigest()[:12]
    return Vocabulary(sentences, tuple(known), version)


def _all_sentences(home: Home, words: Words, spell: Callable[[int], str]) -> Iterator[str]:
    """In the order of their worth, since a large home is cut off at the end."""
    for phrases in words.conversation_phrases:
        yield from phrases
    fill = _Filler(home, words, spell)
    yield from fill.shared("everywhere")
    yield from fill.shared("scene")
    for area in home.areas:
        yield from fill.within(area)
    for device in home.devices:
        yield from fill.own(device, _GROUPS.get(device.kind, ()))
    for device in home.devices:
        groups = [g for a, names in _BY_ACTION.items() if device.can(a) for g in names]
        yield from fill.own(device, groups)
    for device in home.devices:
        yield from fill.own(device, _LATER.get(device.kind, ()))


class _Filler:
    """Fills the templates of a language with the names of a home."""

    def __init__(self, home: Home, words: Words, spell: Callable[[int], str]) -> None:
        self._devices = home.devices
        self._templates = words.speech
        self._spell = spell
        comfort = range(50, 87) if home.temperature_unit == "°F" else _COMFORT
        self._values = {
            "level": [spell(level) for level in _LEVELS],
            "minutes": [spell(minutes) for minutes in _MINUTES],
            "delay": list(words.delays),
            "hour": [spell(hour) for hour in range(1, 13)],
            "degrees": [spell(degrees) for degrees in comfort],
            "color": list(words.colors),
            "scene": [n for s in home.scenes for n in self._names(s.name, s.aliases)],
        }

    def shared(self, group: str) -> Iterator[str]:
        """The sentences that name no device."""
        for template in self._templates.get(group, ()):
            yield from self._filled(template)

    def within(self, area: Area) -> Iterator[str]:
        """The sentences about the devices of one area."""
        here = [device for device in self._devices if device.area == area.id]
        groups = {
            _BY_CLASS.get(f"{d.kind}.{d.device_class}") or _BY_CLASS.get(d.kind) for d in here
        }
        for name in self._names(area.name, area.aliases):
            for group in sorted(group for group in groups if group):
                for template in self._templates.get(group, ()):
                    yield from self._filled(template.replace("{area}", name))

    def own(self, device: Device, groups: Iterable[str]) -> Iterator[str]:
        """The sentences about one device."""
        for name in self._names(device.name, device.aliases):
            for group in groups:
                for template in self._templates.get(group, ()):
                    yield from self._filled(template.replace("{name}", name))

    def _filled(self, template: str) -> Iterator[str]:
        slot = next((slot for slot in self._values if f"{{{slot}}}" in template), None)
        if slot is None:
            yield template
            return
        for value in self._values[slot]:
            yield from self._filled(template.replace(f"{{{slot}}}", value))

    def _names(self, name: str, aliases: tuple[str, ...]) -> list[str]:
        spoken = (_spoken(text, self._spell) for text in (name, *aliases))
        return [text for text in dict.fromkeys(spoken) if text][:_MOST_NAMES]


def _spoken(name: str, spell: Callable[[int], str]) -> str:
    """A name as it is said: `Bedroom 2` is `bedroom two`."""
    said = (spell(int(word)) if word.isdecimal() else word for word in tokens(name))
    return " ".join(word for word in said if not any(c.isdigit() or c in "%°" for c in word))
