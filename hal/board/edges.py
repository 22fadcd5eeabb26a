"""The edge log: one JSON line for each edge, written before the next thing happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hal.board.line import Edge
from llmagentos.clock import Instant

MAX_BYTES: Final = 8 * 1024 * 1024
"""About 80,000 edges; a lamp fading at 50 steps a second fills it in half an hour. The full file
becomes `.1`, so that the disk holds two at most."""


class EdgeLog:
    """Appends to one file; rows of an earlier run stay, for they are evidence."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._open()

    def append(self, edge: Edge) -> None:
        """Write one row with one system call, so that a reader sees whole lines."""
        row = encode_edge(edge)
        if self._size + len(row) > self._max_bytes:
            self._rotate()
        self._size += self._file.write(row)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> None:
        self._file = self._path.open("ab", buffering=0)
        self._size = self._path.stat().st_size

    def _rotate(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._open()


def encode_edge(edge: Edge) -> bytes:
    """One row, newline included; a level of 0 or 1 is an integer, a duty has four digits."""
    row = {
        "t_mono": edge.at.mono_s,
        "t_wall": edge.at.wall_s,
        "pin": edge.pin,
        "level": int(edge.level) if edge.level in (0, 1) else round(edge.level, 4),
        "owner": edge.owner,
        "why": edge.why,
    }
    return json.dumps(row).encode() + b"\n"


def read_edges(path: Path) -> Iterator[Edge]:
    """All rows, oldest first, the rotated file included; a torn line is passed over."""
    for part in (path.with_name(path.name + ".1"), path):
        if not part.exists():
            continue
        for line in part.read_bytes().splitlines():
            edge = _decode_edge(line)
            if edge is not None:
                yield edge


def _decode_edge(line: bytes) -> Edge | None:
    try:
        row = json.loads(line)
        at = Instant(float(row["t_mono"]), float(row["t_wall"]))
        return Edge(at, int(row["pin"]), float(row["level"]), row["owner"], str(row["why"]))
    except (ValueError, KeyError, TypeError):
        return None
