"""The folders that hold models: nothing in them is opened before its hash matched.

A hash result is remembered in a manifest beside the files, so that a start does not read 100 MB.
It protects from broken downloads and disks, not from someone who may write there: they could
write the manifest too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from llmagentos.place import model_dirs
from models import catalog as shipped
from models.catalog import Catalog, Row, UrlSource
from models.errors import ModelCorrupt, ModelMissing

MANIFEST: Final = ".verified.json"
"""Name of the manifest in a model's folder."""

_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Held:
    """A verified model on this machine."""

    row: Row
    """What it is; of a substitute, the substitute's own row."""

    folder: Path

    @property
    def file(self) -> Path:
        """The one file of a model that has one."""
        return self.folder / self.row.files[0].path


@dataclass(frozen=True, slots=True)
class Mark:
    """One file as it was when its hash was taken."""

    bytes: int
    sha256: str
    mtime_ns: int
    inode: int

    def fits(self, stat: os.stat_result) -> bool:
        """Whether the file has not been touched since."""
        return (self.bytes, self.mtime_ns, self.inode) == (
            stat.st_size,
            stat.st_mtime_ns,
            stat.st_ino,
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a model's folder."""

    files: Mapping[str, Mark]
    """By path inside the folder."""

    archive: str = ""
    """The sha256 of the archive they were unpacked from; empty where each file has its own."""


def find(
    model_id: str, *, catalog: Catalog | None = None, folders: Iterable[Path] | None = None
) -> Path:
    """The verified folder of a model, or of its substitute.

    Blocks: up to a second for each 300 MB that was not verified before.

    Raises:
        ModelUnknown: the catalog has no such row.
        ModelMissing: it is nowhere here.
        ModelCorrupt: it is here, but not as the catalog wants it.
    """
    return hold(model_id, catalog=catalog, folders=folders).folder


def hold(
    model_id: str, *, catalog: Catalog | None = None, folders: Iterable[Path] | None = None
) -> Held:
    """As `find`, with the row that was found."""
    catalog = catalog or shipped.load()
    places = tuple(folders) if folders is not None else model_dirs()
    damage: ModelCorrupt | None = None
    for row in catalog.chain(model_id):
        for folder in (place / row.id for place in places):
            if folder.is_dir():
                try:
                    verify(folder, row=row)
                except ModelCorrupt as exc:
                    damage = damage or exc
                else:
                    return Held(row, folder)
    raise damage or ModelMissing(
        f"model {model_id} is not on this machine; fetch it: agentctl models pull {model_id}"
    )


def is_present(row: Row, *, folders: Iterable[Path] | None = None) -> bool:
    """Whether a folder of that name is here, verified or not; reads no file."""
    places = folders if folders is not None else model_dirs()
    return any((place / row.id).is_dir() for place in places)


def verify(folder: Path, *, row: Row) -> None:
    """Make sure that a folder holds exactly the row's files, hashing what has changed.

    Raises:
        ModelCorrupt: a file is missing, differs, or does not belong there.
    """
    known = _read_manifest(folder)
    wanted = _wanted(row, known)
    if not wanted:
        raise _corrupt(row, folder, "was never verified")
    for path in sorted(_names(folder) ^ wanted.keys()):
        raise _corrupt(row, folder / path, "is missing" if path in wanted else "is not part of it")
    marks = {path: _verified(folder, path, wanted[path], known, row) for path in wanted}
    if marks != known.files:
        with suppress(OSError):  # a read-only folder is verified at each start
            _write_manifest(folder, Manifest(marks, known.archive))


def seal(folder: Path, *, archive: str = "") -> None:
    """Hash all files of a folder that was just unpacked, and remember the results beside them.

    Args:
        folder: holds the files of one model and nothing else.
        archive: sha256 of the archive they came from, which was verified.
    """
    marks = {path: _mark(folder / path) for path in _names(folder)}
    _write_manifest(folder, Manifest(marks, archive))


def hash_file(path: Path) -> str:
    """The sha256 of a file, as hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _wanted(row: Row, known: Manifest) -> dict[str, tuple[int, str]]:
    """Size and hash of each file: the catalog's, or those taken when its archive was unpacked."""
    if row.files:
        return {file.path: (file.bytes, file.sha256) for file in row.files}
    archives = {source.sha256 for source in row.sources if isinstance(source, UrlSource)}
    if known.archive not in archives:
        return {}
    return {path: (mark.bytes, mark.sha256) for path, mark in known.files.items()}


def _verified(folder: Path, path: str, wanted: tuple[int, str], known: Manifest, row: Row) -> Mark:
    size, sha256 = wanted
    stat = (folder / path).stat()
    mark = known.files.get(path)
    if mark is not None and mark.fits(stat) and mark.sha256 == sha256 and mark.bytes == size:
        return mark
    if stat.st_size != size:
        raise _corrupt(row, folder / path, f"has {stat.st_size} bytes instead of {size}")
    fresh = _mark(folder / path)
    if fresh.sha256 != sha256:
        raise _corrupt(row, folder / path, "is damaged, its sha256 is not the catalog's")
    return fresh


def _mark(path: Path) -> Mark:
    stat = path.stat()
    return Mark(stat.st_size, hash_file(path), stat.st_mtime_ns, stat.st_ino)


def _corrupt(row: Row, path: Path, problem: str) -> ModelCorrupt:
    return ModelCorrupt(
        f"model {row.id}: {path} {problem}; fetch it again: agentctl models pull {row.id}"
    )


def _names(folder: Path) -> set[str]:
    """Paths of all files, the manifest and its drafts apart."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return {path.as_posix() for path in paths if not path.name.startswith(MANIFEST)}


def _read_manifest(folder: Path) -> Manifest:
    """What was remembered; nothing, where it is missing or damaged."""
    try:
        document: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        marks = {path: Mark(**entry) for path, entry in document["files"].items()}
        return Manifest(marks, str(document["archive"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Manifest({})


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), indent=1)
    draft = folder / f"{MANIFEST}.{os.getpid()}"  # two programs may verify it at once
    draft.write_text(text, encoding="utf-8")
    sync(draft)
    draft.replace(folder / MANIFEST)
    sync(folder)
