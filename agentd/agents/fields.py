"""A small document of JSON, read back key by key, with errors that name the key."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from llmagentos.errors import LlmagentosError

_Word = TypeVar("_Word", bound=StrEnum)


class Unreadable(LlmagentosError):
    """It is not what was written."""


class Fields:
    """An object of JSON that knows where it stands."""

    def __init__(self, body: object, where: str) -> None:
        self._where = where
        if not isinstance(body, Mapping):
            raise Unreadable(f"{where} is no object")
        self._body = body

    def get(self, key: str) -> Any:
        """Whatever stands there."""
        if key not in self._body:
            raise self.wrong(key, "is missing")
        return self._body[key]

    def text(self, key: str) -> str:
        """A text."""
        value = self.get(key)
        if not isinstance(value, str):
            raise self.wrong(key, "is no text")
        return value

    def maybe_text(self, key: str) -> str | None:
        """A text or null."""
        return None if self.get(key) is None else self.text(key)

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.get(key)
        if not isinstance(value, bool):
            raise self.wrong(key, "is neither true nor false")
        return value

    def number(self, key: str) -> float:
        """A finite number."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "is no number")
        if not math.isfinite(value):
            raise self.wrong(key, "is not finite")
        return float(value)

    def maybe_number(self, key: str) -> float | None:
        """A finite number or null."""
        return None if self.get(key) is None else self.number(key)

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number within bounds, both included."""
        value = self.number(key)
        if value != int(value) or not low <= value <= high:
            raise self.wrong(key, f"is not a whole number from {low} to {high}")
        return int(value)

    def maybe_whole(self, key: str, low: int, high: int) -> int | None:
        """As `whole`, or null."""
        return None if self.get(key) is None else self.whole(key, low, high)

    def word(self, key: str, words: type[_Word]) -> _Word:
        """One of these words."""
        text = self.text(key)
        if text not in list(words):
            raise self.wrong(key, f"is none of {', '.join(words)}")
        return words(text)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.get(key)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, "is no list of texts")
        return tuple(value)

    def list(self, key: str) -> list[Fields]:
        """A list of objects."""
        value = self.get(key)
        if not isinstance(value, list):
            raise self.wrong(key, "is no list")
        return [Fields(each, f"{self._where}.{key}[{i}]") for i, each in enumerate(value)]

    def inner(self, key: str) -> Fields:
        """An object."""
        return Fields(self.get(key), f"{self._where}.{key}")

    def maybe_inner(self, key: str) -> Fields | None:
        """An object or null."""
        return None if self.get(key) is None else self.inner(key)

    def wrong(self, key: str, what: str) -> Unreadable:
        """What is wrong with a key, ready to be raised."""
        return Unreadable(f"{self._where}.{key} {what}")


def read_json(text: str, *, where: str, version: int) -> Fields:
    """A whole document, of one version.

    Raises:
        Unreadable: it is no object of JSON, or of another version: that is not guessed at.
    """
    try:
        fields = Fields(json.loads(text), where)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"{where} is not JSON: {exc}") from exc
    if fields.get("v") != version:
        raise fields.wrong("v", f"is not {version}")
    return fields
