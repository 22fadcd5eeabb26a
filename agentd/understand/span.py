"""Lengths of time as people say them, and as the box says them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agentd.understand.spell import cardinals
from agentd.understand.words import Words

LONGEST_S: Final = 365 * 86400
"""A year; what is longer was misheard."""

_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Read:
    """A value that was read from words, and how many words it took."""

    value: float
    end: int


class Spans:
    """Reads and says lengths of time in one language."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._table = words.duration
        self._cardinals = cardinals(words.language)

    def read(self, said: tuple[str, ...]) -> int | None:
        """The seconds that exactly these words mean; None when they are anything else."""
        total, begin, smallest = 0.0, 0, float("inf")
        while begin < len(said):
            begin += self._table["joiners"].match_at(said, begin) if begin else 0
            found = self._one(said, begin)
            if found is None or found[1] >= smallest:
                return None
            part, smallest = found
            total, begin = total + part.value, part.end
        return round(total) if 0 < total <= LONGEST_S and smallest != float("inf") else None

    def read_last(self, said: tuple[str, ...]) -> int | None:
        """The same where a bare unit counts as one: the last `hour`."""
        if any(self._table[unit].equals(said) for unit in _UNITS):
            return next(size for unit, size in _UNITS.items() if self._table[unit].equals(said))
        return self.read(said)

    def number(self, said: tuple[str, ...], begin: int) -> Read | None:
        """A number in digits or words at `begin`."""
        if begin >= len(said):
            return None
        if said[begin].replace(".", "", 1).replace(",", "", 1).isdecimal():
            return Read(float(said[begin].replace(",", ".")), begin + 1)
        for length in (3, 2, 1):
            known = self._cardinals.get(said[begin : begin + length])
            if known is not None:
                return Read(known, begin + length)
        return None

    def say(self, seconds: float) -> str:
        """`1 hour and 30 minutes`: whole seconds, the two largest units."""
        left, parts = max(0, round(seconds)), []
        for unit, size in reversed(_UNITS.items()):
            count, left = divmod(left, size)
            if count:
                parts.append(self._words.say(unit if count == 1 else f"{unit}s", count=count))
        return self._words.join(parts[:2]) or self._words.say("seconds", count=0)

    def _one(self, said: tuple[str, ...], begin: int) -> tuple[Read, float] | None:
        """One count with its unit, and that unit's seconds: `two and a half minutes`."""
        count = self._count(said, begin)
        if count is None:
            return None
        value, end = count.value, count.end
        if length := self._table["and_half"].match_at(said, end):
            value, end = value + 0.5, end + length
        for unit, size in _UNITS.items():
            if length := self._table[unit].match_at(said, end):
                end += length
                if half := self._table["and_half"].match_at(said, end):
                    value, end = value + 0.5, end + half
                return Read(value * size, end), size
        return None

    def _count(self, said: tuple[str, ...], begin: int) -> Read | None:
        for name, value in _FRACTIONS:
            if length := self._table[name].match_at(said, begin):
                return Read(value, begin + length)
        return self.number(said, begin)


_FRACTIONS: Final = (("half", 0.5), ("three_quarters", 0.75), ("quarter", 0.25), ("couple", 2.0),
                     ("one", 1.0))  # fmt: skip
