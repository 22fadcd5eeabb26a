"""The one thread that writes: it takes all that waits, commits it at once, and then says so."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any, Final, Protocol

from agentd.journal.errors import JournalError
from agentd.journal.file import JournalFile, is_damage
from agentd.progress import Beat
from agentd.step import Step, Steps, pass_by

_log = logging.getLogger(__name__)

MAX_WAITING: Final = 10_000
"""Rows that may wait for the disk; more are lost and counted, never waited for."""

_GROUP: Final = 1000
"""Jobs committed together at most."""

RETRY_S: Final = 1.0
"""Pause between two tries to write what was recorded to a disk that fails."""

_LOOK_S: Final = 10.0
"""Pause between two looks at what is to be done without being asked."""

_CLOSE_S: Final = 5.0

_CHECKPOINT_COMMITS: Final = 250
"""Commits between two copies of the write-ahead file into the main one: two or three thousand
pages. Each page that changed often is copied once, which is what saves the card."""

_WAL_PAGES: Final = 8000
"""Size at which SQLite itself would copy, inside a commit: the bound, if ours did not come."""

_WAL_BYTES: Final = 16 * 1024 * 1024
"""A write-ahead file that a slow reader let grow beyond this is cut back."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Something to write."""

    write: Callable[[sqlite3.Connection], Any]
    """Runs inside the transaction, perhaps more than once until it is committed."""

    done: Future[Any] | None = None
    """Told what `write` returned, after the commit, or the JournalError; None for a job that is
    kept and tried again until it is written."""

    weight: int = 1
    """Rows it holds in memory; 0 for one that writes nothing."""

    is_dispensable: bool = False
    """Lost before others when too much waits for a disk that fails."""

    is_settling: bool = False
    """Fails, too, when rows that were recorded before it are lost."""


class Gather(Protocol):
    """Gives jobs that have come due; knows whether something else is written anyway."""

    def __call__(self, *, has_company: bool) -> Sequence[Job]: ...


class _Unfit(Exception):
    """One job can never be written, whatever the disk does."""

    def __init__(self, place: int, cause: Exception) -> None:
        super().__init__(str(cause))
        self.place = place


class Writer:
    """Owns the connection and the thread."""

    def __init__(
        self,
        file: JournalFile,
        *,
        gather: Gather,
        tend: Callable[[sqlite3.Connection], bool],
        on_open: Callable[[sqlite3.Connection], None],
        steps: Steps = pass_by,
        beat: Beat | None = None,
    ) -> None:
        """Open the file and start; a disk that does not let us is tried again with each job.

        Args:
            file: where to write.
            gather: asked in each round for more jobs that have come due.
            tend: does a little upkeep in a transaction of its own after each round; True when
                there is more of it to do at once.
            on_open: looks at each file that was opened, before anything is written to it.
            steps: told of each group before and after its commit.
            beat: shown each round.
        """
        self._file, self._gather, self._tend = file, gather, tend
        self._on_open, self._steps = on_open, steps
        self._beat = beat or Beat("journal", deadline_s=0.0)
        self._changed = Condition()
        self._waiting: deque[Job] = deque()
        self._kept: deque[Job] = deque()
        self._is_awake = self._is_ending = False
        self._commits = 0
        self.failure = ""
        """Why the last write failed; empty when it did not."""
        self.lost = 0
        """Rows that were recorded and are not, nor will be, on disk."""
        self.why_lost = ""
        """Why the last of them were."""
        self._has_untold_loss = False
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = self._open()
        except JournalError as exc:
            self._note(str(exc))
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def post(self, job: Job) -> None:
        """Hand over a job. Never blocks; may be called from any thread."""
        with self._changed:
            is_taken = len(self._waiting) < MAX_WAITING and not self._is_ending
            if is_taken:
                self._waiting.append(job)
                self._changed.notify()
        if not is_taken:
            why = "it is closed" if self._is_ending else "the disk is too slow, too much waits"
            self._lose(job, f"{self._file.path}: {why}")

    def wake(self) -> None:
        """Have it look for what has come due, now. Never blocks."""
        with self._changed:
            self._is_awake = True
            self._changed.notify()

    def close(self) -> None:
        """Write what waits and end; waits up to 5 s."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        self._thread.join(_CLOSE_S)

    # its own thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        is_open, has_more = True, False
        while is_open:
            batch = self._take(0.0 if has_more else RETRY_S if self._kept else _LOOK_S)
            self._beat.busy()
            jobs = [*self._kept, *batch]
            more = self._gather(has_company=any(job.weight for job in jobs))
            self._commit([*jobs, *more])
            has_more = self._keep_up()
            self._beat.idle()
            with self._changed:
                is_open = bool(self._waiting) or not self._is_ending
        for job in self._kept:
            self._lose(job, self.failure)
        self._disconnect()

    def _take(self, wait_s: float) -> list[Job]:
        with self._changed:
            is_due = self._changed.wait_for(
                lambda: self._waiting or self._is_awake or self._is_ending, wait_s
            )
            self._is_awake = self._is_awake and not is_due
            return [self._waiting.popleft() for _ in range(min(_GROUP, len(self._waiting)))]

    def _commit(self, jobs: list[Job]) -> None:
        """One transaction for all; what cannot be written does not hold up the others."""
        if not any(job.weight for job in jobs):  # all is on disk already
            return self._tell(jobs, [None] * len(jobs))
        while jobs:
            try:
                results = self._write(jobs)
            except _Unfit as exc:
                self._lose(jobs.pop(exc.place), f"{self._file.path}: one row cannot be: {exc}")
                continue
            except (sqlite3.Error, OSError, JournalError) as exc:
                return self._fail(jobs, exc)
            self._kept.clear()
            self.failure = ""
            self._steps(Step.WRITTEN)
            return self._tell(jobs, results)
        return self._kept.clear()

    def _write(self, jobs: Sequence[Job]) -> list[Any]:
        if self._connection is None:
            self._connection = self._open()
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [_do(job, place, connection) for place, job in enumerate(jobs)]
            self._steps(Step.WRITING)
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return results

    def _tell(self, jobs: Sequence[Job], results: Sequence[Any]) -> None:
        has_lost = self._has_untold_loss and any(job.is_settling for job in jobs)
        self._has_untold_loss = self._has_untold_loss and not has_lost
        for job, result in zip(jobs, results, strict=True):
            if job.done and job.is_settling and has_lost:
                job.done.set_exception(JournalError(self.why_lost))
            elif job.done:
                job.done.set_result(result)

    def _fail(self, jobs: Sequence[Job], exc: Exception) -> None:
        """Refuse those who wait, keep the rest, and look whether the file is still sound."""
        text = str(exc) if isinstance(exc, JournalError) else f"{self._file.path}: {exc}"
        self._note(text)
        self._kept = deque(job for job in jobs if job.done is None)
        self._shorten()
        if is_damage(exc):
            self._disconnect()
        elif getattr(exc, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
            self._checkpoint("TRUNCATE")  # what stands in it twice makes room
        for job in jobs:
            if job.done:
                job.done.set_exception(JournalError(text))

    def _shorten(self) -> None:
        weight = sum(job.weight for job in self._kept)
        for job in sorted(self._kept, key=lambda job: not job.is_dispensable):
            if weight <= MAX_WAITING:
                return
            weight -= job.weight
            self._kept.remove(job)
            self._lose(job, self.failure)

    def _keep_up(self) -> bool:
        """Upkeep that nobody waits for; whether there is more of it."""
        if self._connection is None or self.failure:
            return False
        self._commits += 1
        if self._commits >= _CHECKPOINT_COMMITS:
            self._commits = 0
            self._checkpoint("PASSIVE")
        try:
            return self._tend(self._connection)
        except sqlite3.Error as exc:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            self._note(f"{self._file.path}: {exc}")
            if is_damage(exc):
                self._disconnect()
            return False

    def _checkpoint(self, mode: str) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()

    def _open(self) -> sqlite3.Connection:
        connection = self._file.open()
        connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        self._on_open(connection)
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _note(self, failure: str) -> None:
        if not self.failure:
            _log.error("journal cannot be written, rows wait in memory: %s", failure)
        self.failure = failure

    def _lose(self, job: Job, text: str) -> None:
        if job.done:
            job.done.set_exception(JournalError(text))
            return
        with self._changed:
            before, self.lost = self.lost, self.lost + job.weight
            self.why_lost, self._has_untold_loss = text, True
        if not before or before // MAX_WAITING != self.lost // MAX_WAITING:
            _log.error("the journal has lost %d rows, the last for this: %s", self.lost, text)


def _do(job: Job, place: int, connection: sqlite3.Connection) -> Any:
    try:
        return job.write(connection)
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError) as exc:
        raise _Unfit(place, exc) from exc
    except (sqlite3.DataError, ValueError, TypeError, OverflowError) as exc:
        raise _Unfit(place, exc) from exc
