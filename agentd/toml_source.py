"""A TOML text that knows its lines, so that every mistake is told with file, line and key.

LlmagentosError
 ├─ ConfigError      the text cannot be used
 └─ WrongTable       one table of it cannot; whoever has it knows where it stands
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from llmagentos.errors import LlmagentosError

_Table = TypeVar("_Table")
_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\"]+)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+)(?:\.[A-Za-z0-9_.\-]+)?\s*=")


class ConfigError(LlmagentosError):
    """The file cannot be used; the text names it, the line and what is allowed."""


class WrongTable(LlmagentosError):
    """A table does not fit its type."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key
        """Dotted key within the table; empty for the table as a whole."""


class Source:
    """One parsed file: its tables, each convertible to a type, each mistake with its line."""

    def __init__(self, text: str, *, path: Path) -> None:
        """Parse the text; `path` is only named in errors.

        Raises:
            ConfigError: it is not TOML.
        """
        self.path = path
        try:
            self.document: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as exc:
            raise ConfigError(f"{path}: not TOML: {exc}") from exc
        self._lines = _index(text)

    def where(self, table: str, index: int = 0, key: str = "") -> str:
        """`file:line` of a key, else of its table, else of the file's start."""
        while key:
            if line := self._lines.get((table, index, key)):
                return f"{self.path}:{line}"
            key = key.rpartition(".")[0]
        return f"{self.path}:{self._lines.get((table, index, ''), 1)}"

    def error(self, table: str, index: int, key: str, text: str) -> ConfigError:
        """An error about one key, ready to be raised."""
        return ConfigError(f"{self.where(table, index, key)}: {text}")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The tables of an array such as `[[device]]`; none when it is absent.

        Raises:
            ConfigError: it is written as a single table.
        """
        found = self.document.get(table, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self.error(table, 0, "", f"write [[{table}]] with two brackets")
        return found

    def convert(self, table: str, index: int, raw: object, kind: type[_Table]) -> _Table:
        """Check one table against its type.

        Raises:
            ConfigError: with file, line, key and what is allowed.
        """
        try:
            return convert(raw, kind)
        except WrongTable as exc:
            raise self.error(table, index, exc.key, str(exc)) from exc


def convert(raw: object, kind: type[_Table]) -> _Table:
    """Check a table that came without a file, as JSON at run time.

    Raises:
        WrongTable: with the key and what is allowed.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as exc:
        raise WrongTable(*_explain(raw, kind, str(exc))) from exc


def _index(text: str) -> dict[tuple[str, int, str], int]:
    """Line of each (table, number of its kind, dotted key); a table's own line has key ''."""
    lines: dict[tuple[str, int, str], int] = {}
    counts: dict[str, int] = {}
    root, index, prefix = "", 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            root, _, prefix = header[2].partition(".")
            if header[1] == "[[" and not prefix:
                counts[root] = counts.get(root, -1) + 1
            index = counts.get(root, 0)
            lines.setdefault((root, index, prefix), number)
        elif key := _KEY.match(line):
            place = f"{prefix}.{key[1]}" if prefix else key[1]
            lines.setdefault((root, index, place), number)
    return lines


def _explain(raw: object, kind: type, error: str) -> tuple[str, str]:
    """msgspec's "Expected `int`, got `str` - at `$.pin`" as a key and a sentence about it."""
    what, _, place = error.partition(" - at `$")
    key = re.sub(r"\[.*?\]", "", place.strip("`").lstrip("."))
    path = [part for part in key.split(".") if part]
    if unknown := re.search(r"unknown field `(.+?)`", what):
        key = ".".join([*path, unknown[1]])
        allowed = getattr(_owner(kind, path), "__struct_fields__", ())
        return key, f"unknown key {key!r}; allowed are {', '.join(allowed)}"
    if missing := re.search(r"missing required field `(.+?)`", what):
        return key, f"{'.'.join([*path, missing[1]])!r} is missing"
    value = raw
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    shown = "" if isinstance(value, dict | list) or "password" in key else f" = {value!r}"
    allowed = _allowed_words(kind, path)
    hint = f"; allowed are {', '.join(allowed)}" if allowed else ""
    return key, f"{key}{shown}: {what.replace('`', '')}{hint}"


def _owner(kind: type, path: list[str]) -> type:
    """The Struct that holds the field a path leads into."""
    for part in path:
        for each in msgspec.structs.fields(kind):
            inner = getattr(each.type, "__args__", (each.type,))[0]
            if each.name == part and isinstance(inner, type) and issubclass(inner, Struct):
                kind = inner
    return kind


def _allowed_words(kind: type, path: list[str]) -> tuple[str, ...]:
    """The words a Literal field takes; none for other fields."""
    if not path or not issubclass(kind, Struct):
        return ()
    for each in msgspec.structs.fields(_owner(kind, path[:-1])):
        if each.name == path[-1] and getattr(each.type, "__origin__", None) is Literal:
            return tuple(each.type.__args__)
    return ()
