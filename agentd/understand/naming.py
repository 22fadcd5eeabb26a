"""Which devices a free phrase means: every word of it must belong to the device it names.

"The light in the roof", "Fred's light" and "well pump" are a lamp called Roof Light, one called
Fred's Lamp and a Well Pump Controller, as long as nothing else here answers to all those words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agentd.understand.intent import Target
from agentd.understand.targets import READ_ONLY
from agentd.understand.words import Words, tokens
from llmagentos.home import Device, Home

_FREELY_GROUPED = frozenset({"light"})
"""Kinds of which "the X in the room" means all that are there, as Home Assistant reads it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One device and the words that may be used of it, as stems."""

    device: Device
    names: tuple[frozenset[str], ...]
    """Its name and each alias."""
    phrases: tuple[str, ...]
    """The same, each with its words in their order."""
    named: frozenset[str]
    """All words of its names."""
    heads: frozenset[str]
    """The last word of each name: what it is, as "pump" in "well pump"."""
    place: frozenset[str]
    """Words of its area and floor."""
    sort: frozenset[str]
    """Words for its kind and class."""
    nouns: frozenset[str]
    """Words for what it may drive, such as a lamp behind a switch; beside its full name only."""

    def answers_to(self, said: frozenset[str]) -> bool:
        """Whether every word said may be used of it."""
        if said <= self.words:
            return True
        return said <= self.words | self.nouns and any(name <= said for name in self.names)

    def is_meant_by(self, said: frozenset[str]) -> bool:
        """Whether the phrase says what it is, and not only where.

        By a word for its sort, its full name, the last word of a name, or most words of one.
        """
        if said & self.sort or any(name <= said for name in self.names):
            return True
        if said & self.heads:
            return True
        return any(len(said & name) * 2 > len(name) and len(said) > 1 for name in self.names)

    @property
    def words(self) -> frozenset[str]:
        return self.named | self.place | self.sort


class Directory:
    """The names of one home. Made anew when the home changes."""

    def __init__(self, home: Home, *, words: Words) -> None:
        self._words = words
        self._sorts = self._stems(*(name for kind in words.kinds.values() for name in kind))
        self._area_names = {
            area.id: [self.content(name) for name in (area.name, *area.aliases)]
            for area in home.areas
        }
        self._areas = {
            area.id: _union(self._area_names[area.id]) | self._floor_stems(home, area.floor)
            for area in home.areas
        }
        self._entries = tuple(self._entry(device) for device in home.devices)
        self._by_id = {entry.device.id: entry for entry in self._entries}

    def find(
        self,
        phrase: str,
        *,
        kinds: frozenset[str] = frozenset(),
        area: str | None = None,
        may_be_place: bool = False,
    ) -> Target | None:
        """The devices that a phrase means.

        Args:
            phrase: words as said, articles and fillers allowed.
            kinds: kinds that the sentence can be about; empty for any.
            area: id of the speaker's area, which decides between namesakes.
            may_be_place: whether a mere place will do, as in "heat the study".

        Returns:
            None when a word is not explained or nothing fits. A target of several devices
            that is not a group is ambiguous: it needs a question back.
        """
        heard = self._words.without_courtesy(tokens(phrase))
        if not heard or {heard[0], heard[-1]} & self._words.linking:
            return None
        phrase = " ".join(heard)
        said = self.content(phrase)
        is_all = any(word in self._words.quantifiers for word in tokens(phrase))
        able = [e for e in self._entries if _is_of(e, kinds) and not self._is_elsewhere(e, said)]
        strict = [entry for entry in able if said <= entry.words]
        fitting = strict or [entry for entry in able if entry.answers_to(said)]
        fitting = [e for e in fitting if may_be_place or e.is_meant_by(said)]
        if not said or not fitting:
            return None
        exact = [e for e in self._entries if said in e.names and not _only_reads(e, kinds)]
        if exact:
            return self._choose([e for e in exact if _is_of(e, kinds)], area, said)
        return self._describe(fitting, said, area, is_all=is_all or self._is_plural(phrase))

    def is_pronoun(self, phrase: str) -> bool:
        """Whether a phrase only points at what was spoken of before."""
        return self._words.pronouns.equals(tokens(phrase))

    def content(self, phrase: str) -> frozenset[str]:
        """The words of a phrase that have to be explained, as stems."""
        return frozenset(self._ordered(phrase))

    def _ordered(self, phrase: str) -> list[str]:
        skip = self._words.filler | self._words.quantifiers
        return [self._words.stem(word) for word in tokens(phrase) if word not in skip]

    def explains(self, word: str, devices: Iterable[str]) -> bool:
        """Whether one of the devices may be called by this word, or the word is mere filler."""
        if word in self._words.politeness | self._words.filler | self._words.quantifiers:
            return True
        stem = self._words.stem(word)
        return any(stem in e.words | e.nouns for e in map(self._by_id.__getitem__, devices))

    def vocabulary(self, devices: Iterable[str]) -> frozenset[str]:
        """All words that may be used of these devices, as stems."""
        return _union(self._by_id[device].words for device in devices)

    def named_first(self, words: Iterable[str]) -> tuple[str, ...]:
        """Ids of the devices whose whole name a text begins with, articles aside."""
        said = f"{' '.join(self._ordered(' '.join(words)))} "
        found = [(len(name), e) for e in self._entries for name in e.phrases
                 if said.startswith(f"{name} ")]  # fmt: skip
        return _longest(found)

    def mentioned(self, text: str) -> tuple[str, ...]:
        """Ids of the devices whose whole name stands in a text, each word counted for one name.

        Of two names that share words the longer one is meant.
        """
        left = f" {' '.join(self._ordered(text))} "
        named = {name for entry in self._entries for name in entry.phrases}
        found: list[str] = []
        for name in sorted(named, key=lambda each: (-len(each), each)):
            if f" {name} " in left:
                left = left.replace(f" {name} ", " | ")
                found += [e.device.id for e in self._entries if name in e.phrases]
        return tuple(dict.fromkeys(found))

    def _is_elsewhere(self, entry: _Entry, said: frozenset[str]) -> bool:
        """Whether the phrase names an area that the device is not in.

        "The bedroom lamp" is not the one in the guest bedroom where there is a bedroom, too.
        """
        if entry.device.area is None:
            return False
        rest = said - entry.sort - _union(name for name in entry.names if name <= said)
        named = {a for a, names in self._area_names.items() for n in names if n and n <= rest}
        return bool(named) and entry.device.area not in named

    def _describe(
        self, fitting: list[_Entry], said: frozenset[str], area: str | None, *, is_all: bool
    ) -> Target | None:
        placed = [entry for entry in fitting if said <= entry.place | entry.sort]
        named = [entry for entry in fitting if said <= entry.named and entry not in placed]
        if not placed:
            most = max(len(said & entry.named) for entry in fitting)
            return self._choose([e for e in fitting if len(said & e.named) == most], area, said)
        if named and not said <= placed[0].sort:
            return _target([*placed, *named])
        return self._choose(placed, area, said, is_all=is_all)

    def _choose(
        self, entries: list[_Entry], area: str | None, said: frozenset[str], *, is_all: bool = False
    ) -> Target | None:
        """Narrow namesakes to the speaker's area, unless the phrase itself says where."""
        if not entries:
            return None
        near = [entry for entry in entries if area and entry.device.area == area]
        if near and not all(said & entry.place for entry in entries):
            entries = near
        says_where = any(said & entry.place for entry in entries)
        is_group = len(entries) > 1 and (
            is_all or (says_where and all(e.device.kind in _FREELY_GROUPED for e in entries))
        )
        return _target(entries, is_group=is_group)

    def _is_plural(self, phrase: str) -> bool:
        return any(w != (stem := self._words.stem(w)) and stem in self._sorts
                   for w in tokens(phrase) if w not in self._words.numbers)  # fmt: skip

    def _entry(self, device: Device) -> _Entry:
        called = (device.name, *device.aliases)
        names = tuple(self._stems(name) for name in called)
        sort = self._words.kind_names(device)
        return _Entry(
            device=device,
            names=tuple(name for name in names if name),
            phrases=tuple(" ".join(words) for n in called if (words := self._ordered(n))),
            named=_union(names),
            heads=frozenset(map(self._head, called)),
            place=self._areas.get(device.area or "", frozenset()),
            sort=self._stems(*sort),
            nouns=self._stems(*self._words.driven_names(device.kind)),
        )

    def _head(self, name: str) -> str:
        skip = self._words.filler | self._words.generic
        said = [word for word in tokens(name) if word not in skip and not word.isdecimal()]
        return self._words.stem(said[-1]) if said else ""

    def _floor_stems(self, home: Home, floor: str | None) -> frozenset[str]:
        names = [(f.name, *f.aliases) for f in home.floors if f.id == floor]
        return _union(self._stems(*name) for name in names)

    def _stems(self, *texts: str) -> frozenset[str]:
        return _union(self.content(text) for text in texts)


def _is_of(entry: _Entry, kinds: frozenset[str]) -> bool:
    return not kinds or entry.device.kind in kinds


def _only_reads(entry: _Entry, kinds: frozenset[str]) -> bool:
    """Whether it is a sensor where something is wanted that can act."""
    return bool(kinds) and entry.device.kind in READ_ONLY - kinds


def _target(entries: Iterable[_Entry], *, is_group: bool = False) -> Target:
    return Target(devices=tuple(entry.device.id for entry in entries), is_group=is_group)


def _longest(found: list[tuple[int, _Entry]]) -> tuple[str, ...]:
    best = max((size for size, _ in found), default=0)
    return tuple(dict.fromkeys(entry.device.id for size, entry in found if size == best))


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset(word for words in sets for word in words)
