"""The journal: what was asked, decided and done, in SQLite, written by one thread.

    LlmagentosError
     └─ JournalError     the file cannot be opened or written

The tick hands over frozen rows and goes on; the writer commits them in groups. Readers have a
read-only connection of their own and never wait for the writer, except through `flush`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, Final

from agentd.progress import WRITE_S, Beat, Progress
from llmagentos.clock import Clock
from llmagentos.errors import LlmagentosError
from llmagentos.plan import Applied, Plan, Stage

_log = logging.getLogger(__name__)

SAID_FOR_S: Final = 86_400.0
"""How long a sentence stays in memory, in seconds, so that `why` can quote it."""

_MAX_WAITING: Final = 10_000
"""Rows that may wait for the disk; more are lost and counted, never waited for."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cause (
    cause     TEXT PRIMARY KEY,
    at_s      REAL NOT NULL,
    channel   TEXT NOT NULL,
    who       TEXT NOT NULL,
    area      TEXT,
    rank      INTEGER NOT NULL,
    chosen_by TEXT NOT NULL,
    text      TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS applied (
    id     INTEGER PRIMARY KEY,
    cause  TEXT NOT NULL,
    at_s   REAL NOT NULL,
    device TEXT NOT NULL,
    action TEXT NOT NULL,
    args   TEXT NOT NULL,
    stage  TEXT NOT NULL,
    ruling TEXT NOT NULL,
    rule   TEXT NOT NULL,
    reason TEXT NOT NULL,
    state  TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS applied_by_device ON applied (device, id);
CREATE TABLE IF NOT EXISTS note (
    id   INTEGER PRIMARY KEY,
    at_s REAL NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
"""
_INSERT: Final = {
    "cause": "INSERT OR IGNORE INTO cause VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "applied": "INSERT INTO applied VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "note": "INSERT INTO note VALUES (NULL, ?, ?, ?)",
}


_Waiting = tuple[str, tuple[object, ...]] | threading.Event | None
"""A row for a table, a reader that waits for it, or None to close."""


class JournalError(LlmagentosError):
    """The file cannot be opened or written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing done or refused, with what started it."""

    cause: str
    at_s: float
    """Wall clock, seconds since 1970."""
    device: str
    action: str
    stage: str
    rule: str
    reason: str
    channel: str
    who: str
    chosen_by: str
    text: str | None
    """What was said; None when it was neither kept in memory nor written down."""


_ENTRY_FIELDS: Final = tuple(each.name for each in fields(Entry))
_ENTRY_COLUMNS: Final = ", ".join(
    f"c.{name}" if name in ("channel", "who", "chosen_by", "text") else f"a.{name}"
    for name in _ENTRY_FIELDS
)


class Journal:
    """The one writer of the journal, and its readers."""

    def __init__(
        self, path: Path, *, clock: Clock, keep_utterances: bool = False, beat: Beat | None = None
    ) -> None:
        """Open, or set a corrupt file aside and start clean.

        Args:
            path: the file.
            clock: reads the time.
            keep_utterances: whether what was said is written down.
            beat: shows that the writer moves.

        Raises:
            JournalError: the folder cannot be written.
        """
        self._path = path
        self._clock = clock
        self.keep_utterances = keep_utterances
        self.set_aside: Path | None = None
        """Where a corrupt file was moved at this start; None when there was none."""
        self._waiting: Queue[_Waiting] = Queue(_MAX_WAITING)
        self._lost = 0
        self._failure = ""
        self._said: dict[str, tuple[str, float]] = {}
        self._beat = beat or Progress().loop("journal", deadline_s=WRITE_S)
        self._lock = threading.Lock()
        self._writer = self._open()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def record_plan(self, plan: Plan) -> None:
        """Note who asked for what. Never blocks."""
        cause, origin = str(plan.cause), plan.origin
        if plan.text:
            self._remember(cause, plan.text)
        text = plan.text if self.keep_utterances else None
        self._post("cause", (
            cause, plan.at.wall_s, origin.channel, origin.who, origin.area, int(origin.rank),
            plan.chosen_by, text,
        ))  # fmt: skip

    def record_applied(self, applied: Applied) -> None:
        """Note what was done, or refused. Never blocks."""
        verdict = applied.verdict
        self._post("applied", (
            str(applied.cause), applied.at.wall_s, applied.action.device, applied.action.name,
            json.dumps(dict(applied.action.args)), applied.stage.value,
            verdict.ruling.value if verdict else "", verdict.rule if verdict else "",
            applied.reason, json.dumps(dict(applied.state)),
        ))  # fmt: skip

    def record_note(self, kind: str, text: str) -> None:
        """Note a start, a stop, a reset or a fault. Never blocks."""
        self._post("note", (self._clock().wall_s, kind, text))

    def last(self, device: str | None = None, *, limit: int = 1) -> tuple[Entry, ...]:
        """The newest entries that changed a device, newest first.

        Waits up to 1 s for what is still to be written.

        Args:
            device: its id; None for any device, leaving out the sweeps at start and end, which
                nobody asked for.
            limit: how many at most.
        """
        self.flush(timeout_s=1.0)
        done = [stage.value for stage in Stage if stage not in (Stage.REFUSED, Stage.FAILED)]
        marks = ", ".join("?" * len(done))
        which = "a.device = ?" if device else "a.rule NOT IN ('start', 'end')"
        where = f"a.stage IN ({marks}) AND {which}"
        query = (
            f"SELECT {_ENTRY_COLUMNS} FROM applied a LEFT JOIN cause c ON c.cause = a.cause "
            f"WHERE {where} ORDER BY a.id DESC LIMIT ?"
        )
        values = [*done, *([device] if device else []), limit]
        with self._reader() as reader:
            return tuple(self._entry(row) for row in reader.execute(query, values))

    def flush(self, *, timeout_s: float = 1.0) -> bool:
        """Wait until all that was recorded so far is committed; False when it took too long."""
        written = threading.Event()
        try:
            self._waiting.put(written, timeout=timeout_s)
        except Full:
            return False
        return written.wait(timeout_s)

    def status(self) -> tuple[str, str]:
        """(`ok` or `failing`, why)."""
        if self._failure:
            return "failing", self._failure
        if self._lost:
            return "failing", f"{self._lost} rows were lost because the disk was too slow"
        return "ok", f"set aside a corrupt file: {self.set_aside}" if self.set_aside else ""

    def close(self) -> None:
        """Write what is waiting and close; waits up to 5 s."""
        with contextlib.suppress(Full):
            self._waiting.put(None, timeout=1.0)
        self._thread.join(5.0)

    def _entry(self, row: Sequence[Any]) -> Entry:
        said = self._said.get(str(row[0]))
        known: dict[str, Any] = {
            name: "" if value is None else value
            for name, value in zip(_ENTRY_FIELDS, row, strict=True)
        }
        return Entry(**{**known, "text": said[0] if said else row[-1]})

    def _remember(self, cause: str, text: str) -> None:
        now_s = self._clock().mono_s
        with self._lock:
            self._said[cause] = (text, now_s)
            while self._said:
                oldest = next(iter(self._said))
                if now_s - self._said[oldest][1] < SAID_FOR_S and len(self._said) <= 5000:
                    break
                del self._said[oldest]

    def _post(self, table: str, row: tuple[object, ...]) -> None:
        try:
            self._waiting.put_nowait((table, row))
        except Full:
            self._lost += 1

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return self._connect()
        except sqlite3.DatabaseError as exc:
            self.set_aside = self._path.with_suffix(f".corrupt-{int(self._clock().wall_s)}")
            _log.error("journal %s is corrupt (%s), set aside as %s", self._path, exc,
                       self.set_aside.name)  # fmt: skip
            for tail in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{self._path}{tail}").rename(f"{self.set_aside}{tail}")
            try:
                return self._connect()
            except sqlite3.DatabaseError as again:
                raise JournalError(f"{self._path}: cannot be opened: {again}") from again
        except OSError as exc:
            raise JournalError(f"{self._path}: cannot be opened: {exc}") from exc

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check failed")
            connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        try:
            yield connection
        finally:
            connection.close()

    def _run(self) -> None:
        self._beat.idle()
        is_open, kept = True, deque[tuple[str, tuple[object, ...]]](maxlen=_MAX_WAITING)
        while is_open:
            batch = self._take(wait_s=1.0 if kept else None)
            is_open = None not in batch
            with self._beat:
                kept.extend(each for each in batch if isinstance(each, tuple))
                if self._commit(kept):
                    kept.clear()
                for each in batch:
                    if isinstance(each, threading.Event):
                        each.set()
        self._lost += len(kept)
        self._writer.close()

    def _take(self, *, wait_s: float | None) -> list[_Waiting]:
        """All that waits, at most 1000; waits for the first one, `wait_s` at most."""
        batch: list[_Waiting] = []
        with contextlib.suppress(Empty):
            batch.append(self._waiting.get(timeout=wait_s))
            while len(batch) < 1000:
                batch.append(self._waiting.get_nowait())
        return batch

    def _commit(self, rows: Iterable[tuple[str, tuple[object, ...]]]) -> bool:
        """One transaction for all; on a full or broken disk the rows are kept and tried again."""
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for table, row in rows:
                self._writer.execute(_INSERT[table], row)
            self._writer.execute("COMMIT")
        except sqlite3.Error as exc:
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")
            if not self._failure:
                _log.error("journal cannot be written, rows wait in memory: %s", exc)
            self._failure = f"{self._path}: {exc}"
            return False
        self._failure = ""
        return True
