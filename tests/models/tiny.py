"""A model of a few bytes: its row, its files, and folders that hold it right or wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from models.catalog import Catalog, File, Row, Source, UrlSource

FILES = {"final.mdl": b"weights" * 1000, "conf/mfcc.conf": b"--sample-frequency=16000\n"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def row_of(files: Mapping[str, bytes], *sources: Source, model_id: str = "tiny") -> Row:
    nowhere = UrlSource("http://127.0.0.1:9/tiny", bytes=1)
    return Row(
        id=model_id,
        title="Tiny",
        task="choose",
        licence="CC0-1.0",
        credit="nobody",
        ram_bytes=1,
        is_set_up=False,
        files=tuple(File(path, len(data), sha256(data)) for path, data in files.items()),
        sources=sources or (nowhere,),
    )


def with_substitute(row: Row, substitute: Row) -> tuple[Row, Catalog]:
    linked = replace(row, substitute=substitute.id)
    return linked, Catalog({linked.id: linked, substitute.id: substitute})


def catalog_of(*rows: Row) -> Catalog:
    return Catalog({row.id: row for row in rows})


def lay(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
