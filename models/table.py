"""Reads one TOML table strictly: every key taken by type, and none left over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar

from models.errors import CatalogError

T = TypeVar("T")


class Table:
    """Takes the keys out of one TOML table, so that what is left over is a mistake."""

    def __init__(self, entries: Mapping[str, Any], *, where: tuple[str, ...]) -> None:
        self._entries = entries
        self._where = where
        self._taken: set[str] = set()

    def name(self, name: str) -> None:
        """Call it this, instead of by its number, in every error from here on."""
        self._where = (*self._where[:-1], name)

    def wrong(self, key: str, problem: str) -> CatalogError:
        return CatalogError(": ".join((*self._where, key, problem)))

    def end(self) -> None:
        for key in self._entries.keys() - self._taken:
            raise self.wrong(key, f"not a key here; known are {', '.join(sorted(self._taken))}")

    def text(
        self, key: str, *, fits: re.Pattern[str] | None = None, among: frozenset[str] | None = None
    ) -> str:
        value = self._take(key, str, "a text")
        if among is not None and value not in among:
            raise self.wrong(key, f"{value!r} is not one of {', '.join(sorted(among))}")
        if not value or (fits is not None and not fits.fullmatch(value)):
            raise self.wrong(key, f"{value!r} is not of the form expected")
        return value

    def texts(self, key: str, *, fits: re.Pattern[str] | None = None) -> tuple[str, ...]:
        values = self._take(key, list, "a list of texts")
        for value in values:
            if not isinstance(value, str) or (fits is not None and not fits.fullmatch(value)):
                raise self.wrong(key, f"{value!r} is not of the form expected")
        if not values:
            raise self.wrong(key, "is empty")
        return tuple(values)

    def inside(self, key: str) -> str:
        """A relative path that cannot leave its folder."""
        value = self.text(key)
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or "\\" in value or value.startswith("."):
            raise self.wrong(key, f"{value!r} must be a path inside the folder")
        return value

    def count(self, key: str) -> int:
        value = self._take(key, int, "a whole number")
        if isinstance(value, bool) or value <= 0:
            raise self.wrong(key, f"{value!r} is not a number above zero")
        return value

    def flag(self, key: str) -> bool:
        return self._take(key, bool, "true or false")

    def maybe(self, key: str, take: Callable[[str], T]) -> T | None:
        self._taken.add(key)
        return take(key) if key in self._entries else None

    def tables(self, key: str, *, least: int = 1) -> Iterator[Table]:
        self._taken.add(key)
        entries = self._entries.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.wrong(key, f"write [[{key}]]")
        if len(entries) < least:
            raise self.wrong(key, "there is none")
        for number, entry in enumerate(entries, 1):
            yield Table(entry, where=(*self._where, f"{key} {number}"))

    def _take(self, key: str, kind: type[T], words: str) -> T:
        self._taken.add(key)
        if key not in self._entries:
            raise self.wrong(key, "is missing")
        value = self._entries[key]
        if not isinstance(value, kind):
            raise self.wrong(key, f"{value!r} is not {words}")
        return value
